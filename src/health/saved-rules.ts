/** The clocks of slow start and damping as plain data, for the next process. Times are ages: its clock is another one. */
import type { Flapping } from '../core/damping.js'
import type { Rise } from '../core/slow-start.js'

export interface SavedRule {
  /** Two keys of the real server, by the address and by the name of its service. */
  readonly keys: readonly string[]
  /** Milliseconds since the begin of slow start; null: it does not rise. */
  readonly rising: number | null
  readonly last: Flapping['last']
  /** Milliseconds since each change of state, the oldest first. */
  readonly changes: readonly number[]
  /** Milliseconds since the begin of the hold; null: it is not held. */
  readonly held: number | null
}

/** Returns null if no clock is running. */
export function saveRule(
  keys: readonly string[],
  rise: Rise,
  { last, changes, heldSince }: Flapping,
  now: number,
): SavedRule | null {
  const ageOf = (at: number) => Math.round(now - at)
  const rising = rise.phase === 'rising' ? ageOf(rise.since) : null
  const held = heldSince === null ? null : ageOf(heldSince)
  if (rising === null && held === null && changes.length === 0) return null
  return { keys, rising, last, changes: changes.map(ageOf), held }
}

/** The reverse of `saveRule`. Servers without clocks begin anew: see `nextRise`. */
export function readRule(
  { rising, last, changes, held }: SavedRule,
  now: number,
): { readonly rise: Rise; readonly flapping: Flapping } {
  return {
    rise: rising === null ? { phase: 'new', isJoining: false } : { phase: 'rising', since: now - rising },
    flapping: { last, changes: changes.map(age => now - age), heldSince: held === null ? null : now - held },
  }
}

/** Returns the rule as it is `ms` milliseconds later. Throws if the value is no rule, as one of another build. */
export function agedRule(value: unknown, ms: number): SavedRule {
  const { keys, rising, last, changes, held } = value as SavedRule
  const older = (age: unknown): number => {
    if (typeof age !== 'number' || !Number.isFinite(age)) throw new Error('no age')
    return age + ms
  }
  if (last !== 'up' && last !== 'down' && last !== null) throw new Error('no state')
  return {
    keys: keys.map(String),
    rising: rising === null ? null : older(rising),
    last,
    changes: changes.map(older),
    held: held === null ? null : older(held),
  }
}
