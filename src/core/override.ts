/**
 * Overrides: an operator's decision about a real server, which takes precedence over its checks. Commands, maintenance
 * windows and maintenance files all give the same type of value. Pure.
 */
import type { HealthState } from './model.js'
import { sharedWeight } from './slow-start.js'

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

/** All that decides the state and the weight of a real server. */
export interface Judged {
  /** State by the checks. */
  readonly checked: HealthState
  /** Weight that the checks advise, else the configured weight. */
  readonly advised: number
  /** True: held down because it flaps (damping.ts). */
  readonly isDamped?: boolean
  /** Share of its weight during slow start, over 0 to 1 (slow-start.ts). */
  readonly share?: number
  readonly override: Override | null
}

/**
 * Decides state and weight. State and weight are decided one after the other, each by the first row that applies.
 *
 *   input        state       in the table
 *   force-down   down        as a failed server
 *   disable      down        no
 *   force-up     up          yes
 *   damping      down        as a failed server
 *   checks       as checked  depends on the state
 *
 *   input        weight
 *   drain        0
 *   weight N     N: an operator's number is taken as it is
 *   slow start   its share of the advised weight, at least 1; 0 stays 0
 *   checks       the advised weight
 */
export function disposition({
  checked,
  advised,
  isDamped = false,
  share = 1,
  override,
}: Judged): Disposition {
  const effect = override?.effect
  const ordered = effect ? weightOf(effect) : null
  return {
    state: (effect && STATES[effect.kind]) ?? (isDamped ? 'down' : checked),
    weight: ordered ?? sharedWeight(advised, share),
    override: ordered,
    isOut: effect?.kind === 'disable',
  }
}

/** States that effects decide. */
const STATES: Partial<Record<Effect['kind'], HealthState>> = {
  'force-down': 'down',
  disable: 'down',
  'force-up': 'up',
}

function weightOf(effect: Effect): number | null {
  if (effect.kind === 'weight') return effect.weight
  return effect.kind === 'drain' ? 0 : null
}
