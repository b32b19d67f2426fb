/**
 * Overrides: an operator's decision about a real server, which takes precedence over its checks. Commands, maintenance
 * windows and maintenance files all give the same type of value. Pure.
 */
import type { HealthState } from './model.js'

/**
 * force-down: down, as if all checks failed. disable: not in the table, even in a quiescent service. drain: weight 0, so
 * that existing connections continue and there are no new ones. weight: this weight while up. force-up: up, as if all
 * checks passed.
 */
export type Effect =
  | { readonly kind: 'force-down' | 'disable' | 'drain' | 'force-up' }
  | { readonly kind: 'weight'; readonly weight: number }

export type OverrideSource = 'command' | 'window' | 'file'

export interface Override {
  readonly effect: Effect
  readonly source: OverrideSource
  /** User, window or file that gave it. */
  readonly who: string
  /** For people; may be empty. */
  readonly reason: string
  /** Milliseconds of the wall clock. */
  readonly since: number
  /** End in milliseconds of the wall clock; null: no end. */
  readonly until: number | null
}

/** Effects by precedence, the highest first. */
const EFFECTS: readonly Effect['kind'][] = ['force-down', 'disable', 'drain', 'weight', 'force-up']
/** Sources by precedence among overrides with the same effect, the highest first. */
const SOURCES: readonly OverrideSource[] = ['command', 'window', 'file']

/** True before its end. `now` is in milliseconds of the wall clock. */
export function isInForce({ until }: Override, now: number): boolean {
  return until === null || now < until
}

/**
 * Returns the override with the highest precedence: by effect, then by source, then the newest, then the one that lasts
 * longest. The order of `overrides` does not matter. Returns null if none is active.
 */
export function strongest(overrides: readonly Override[], now: number): Override | null {
  return overrides.filter(override => isInForce(override, now)).sort(compare)[0] ?? null
}

function compare(a: Override, b: Override): number {
  return (
    EFFECTS.indexOf(a.effect.kind) - EFFECTS.indexOf(b.effect.kind) ||
    SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) ||
    b.since - a.since ||
    (b.until ?? Number.POSITIVE_INFINITY) - (a.until ?? Number.POSITIVE_INFINITY) ||
    text(a).localeCompare(text(b))
  )
}

/** Makes the order total: a text of the remaining fields. */
function text({ effect, who, reason }: Override): string {
  return JSON.stringify([effect.kind === 'weight' ? effect.weight : 0, who, reason])
}

/** Returns `drain`, or `weight 5`. */
export function effectText(effect: Effect): string {
  return effect.kind === 'weight' ? `weight ${effect.weight}` : effect.kind
}

/** Returns who gave the override, and why: `anna: disk swap`. */
export function withReason({ who, reason }: Override): string {
  return reason === '' ? who : `${who}: ${reason}`
}

/** True if the override takes the server down, whatever its checks say. */
export function isHold(override: Override | null): override is Override {
  return override?.effect.kind === 'force-down' || override?.effect.kind === 'disable'
}

/** State and weight of a real server for the desired table. */
export interface Disposition {
  readonly state: HealthState
  /** Weight while up. */
  readonly weight: number
  /** Weight that an override sets; null without one. */
  readonly override: number | null
  /** True: not in the table, even in a quiescent service. */
  readonly isOut: boolean
}

/**
 * Applies an override to the state and the weight that come from the checks and the configuration.
 *
 *   override    state      weight     in the table
 *   none        unchanged  unchanged  depends on the state
 *   force-down  down       unchanged  as a failed server
 *   disable     down       unchanged  no
 *   drain       unchanged  0          depends on the state
 *   weight N    unchanged  N          depends on the state
 *   force-up    up         unchanged  yes
 */
export function disposition(state: HealthState, weight: number, override: Override | null): Disposition {
  const base = { state, weight, override: null, isOut: false }
  switch (override?.effect.kind) {
    case undefined:
      return base
    case 'force-down':
      return { ...base, state: 'down' }
    case 'disable':
      return { ...base, state: 'down', isOut: true }
    case 'drain':
      return { ...base, weight: 0, override: 0 }
    case 'weight':
      return { ...base, weight: override.effect.weight, override: override.effect.weight }
    case 'force-up':
      return { ...base, state: 'up' }
  }
}
