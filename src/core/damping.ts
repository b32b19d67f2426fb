/** Flap damping: a server whose state changes too often is held down for a while. Pure. */
import type { HealthState } from './model.js'

/** The setting `damping` of a service. */
export interface Damping {
  /** Number of changes that hold a server down. */
  readonly changes: number
  /** Milliseconds within which they count. */
  readonly within: number
  /** Milliseconds for which the server is held down. */
  readonly hold: number
}

/** Memory of damping about a server. Times are milliseconds of the steady clock. */
export interface Flapping {
  /** Last known state by the checks; null before the first. */
  readonly last: 'up' | 'down' | null
  /** Times of the latest changes, the oldest first; not more than the setting counts. */
  readonly changes: readonly number[]
  /** Begin of the hold; null: it is not held. */
  readonly heldSince: number | null
}

export interface FlappingInput {
  /** The state by the checks alone. */
  readonly checked: HealthState
  /** True if an override decides the state, so that the checks change nothing. */
  readonly isOverridden: boolean
  /** Null: the service has no damping. */
  readonly policy: Damping | null
  readonly now: number
}

export const STEADY: Flapping = { last: null, changes: [], heldSince: null }

/**
 * Returns the memory after the state at `now` is evaluated. A change is up after down, or down after up; between
 * them the state may be unknown.
 *
 *   held  state by the checks           next
 *   no    the same, or unknown          unchanged
 *   no    another, too few changes      the change is remembered
 *   no    another, `changes` reached    held from now on; its changes stay remembered
 *   yes   the same or another           held until `hold` is over; changes are remembered
 *   yes   any, `hold` is over           not held: the state by the checks counts
 *   any   another, overridden           `last` alone: it changes nothing for clients, and somebody works on the server
 *   any   without the setting           not held, no changes
 *
 * The changes during a hold count after it: a server that is still flapping is held again at its next change, and one
 * that has calmed down for `within` is not. The end of a hold is fixed; changes do not defer it.
 */
export function nextFlapping(
  flapping: Flapping,
  { checked, isOverridden, policy, now }: FlappingInput,
): Flapping {
  const last = checked === 'unknown' ? flapping.last : checked
  if (!policy) return flapping.last === last && isSteady(flapping) ? flapping : { ...STEADY, last }
  const isOver = flapping.heldSince !== null && now >= flapping.heldSince + policy.hold
  const heldSince = isOver ? null : flapping.heldSince
  const isChange = last !== flapping.last && flapping.last !== null && !isOverridden
  if (!isChange) return last === flapping.last && !isOver ? flapping : { ...flapping, last, heldSince }
  const changes = [...flapping.changes, now].slice(-policy.changes)
  const isTooMany = changes.length >= policy.changes && now - (changes[0] ?? now) <= policy.within
  return { last, changes, heldSince: heldSince ?? (isTooMany ? now : null) }
}

function isSteady({ changes, heldSince }: Flapping): boolean {
  return changes.length === 0 && heldSince === null
}

/** Returns the end of the hold in milliseconds of the steady clock; null: it is not held. */
export function heldUntil({ heldSince }: Flapping, policy: Damping | null): number | null {
  return heldSince === null || !policy ? null : heldSince + policy.hold
}

/** The facts about a server that damping uses. */
export interface Serving {
  /** True if it has traffic, or would have it if it were not held. */
  readonly isServing: boolean
  readonly isHeld: boolean
}

/**
 * True if the holds of a service count. They do not while the servers that are not held serve nobody and there is no
 * fallback: clients are better off with a server that flaps than with none. With a fallback they count, since clients
 * have that. They are spared together, and not only one of them, so that which of them serves does not change with each
 * flap of another.
 *
 *   fallback  a server that is not held serves  a held one would serve  the holds
 *   yes       any                               any                     count
 *   no        yes                               any                     count
 *   no        no                                yes                     do not count
 *   no        no                                no                      count: it makes no difference
 */
export function areHoldsInForce(servers: Iterable<Serving>, hasFallback: boolean): boolean {
  if (hasFallback) return true
  let wouldServe = false
  for (const { isServing, isHeld } of servers) {
    if (isServing && !isHeld) return true
    wouldServe ||= isServing
  }
  return !wouldServe
}
