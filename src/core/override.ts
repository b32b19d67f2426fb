/**
 * Overrides: an operator's decision about a real server, which takes precedence over its checks. Commands, maintenance
 * windows and maintenance files all give the same type of value. Pure.
 */
import { duration } from '../util/time-text.js'
import type { HealthState } from './model.js'
import { lowestRamp, type Ramp, rampedWeight } from './ramp.js'
import { sharedWeight } from './slow-start.js'

/**
 * force-down: down, as if all checks failed. disable: not in the table, even in a quiescent service. drain: weight 0, so
 * that existing connections continue and there are no new ones. weight: this weight while up. force-up: up, as if all
 * checks passed.
 */
export type Effect =
  | { readonly kind: 'force-down' | 'disable' | 'force-up' }
  | { readonly kind: 'drain'; readonly ramp?: Ramp }
  | { readonly kind: 'weight'; readonly weight: number }

/** The latest end of an override, milliseconds of the wall clock: the last year with four digits. */
export const LATEST_END = Date.UTC(9999, 11, 31)

export type OverrideSource = 'command' | 'window' | 'file'

/** Why the last content of the maintenance folder stays valid. */
export const FOLDER_TROUBLES = ['gone', 'elsewhere', 'unreadable', 'silent'] as const

export type FolderTrouble = (typeof FOLDER_TROUBLES)[number]

export interface Override {
  readonly effect: Effect
  readonly source: OverrideSource
  /** User, window or file that gave it; a file with its path. */
  readonly who: string
  /** For people; may be empty. */
  readonly reason: string
  /** Milliseconds of the wall clock. */
  readonly since: number
  /** End in milliseconds of the wall clock; null: no end. */
  readonly until: number | null
  /** The maintenance folder of a file. `trouble` is null if the present content counts. */
  readonly folder?: { readonly path: string; readonly trouble: FolderTrouble | null }
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
  const inForce = overrides.filter(override => isInForce(override, now)).sort(compare)
  const [first] = inForce
  if (first?.effect.kind !== 'drain' || !first.effect.ramp) return first ?? null
  return { ...first, effect: drainOf(inForce, now) }
}

/**
 * Returns a drain that raises no weight: it goes on from the drain that has the lowest weight, and begins at the weight
 * that an override sets.
 */
function drainOf(inForce: readonly Override[], now: number): Effect {
  const effects = inForce.map(({ effect }) => effect)
  const ramps = effects.flatMap(effect => (effect.kind === 'drain' ? [effect.ramp] : []))
  const ramp = lowestRamp(ramps, now)
  const weight = effects.find(effect => effect.kind === 'weight')?.weight
  if (!ramp) return { kind: 'drain' }
  return { kind: 'drain', ramp: weight === undefined ? ramp : { ...ramp, from: weight } }
}

/** Returns the drain that replaces `before` on the same target. A ramp that has begun does not begin again. */
export function drainAfter(effect: Effect, before: readonly Override[], now: number): Effect {
  if (effect.kind !== 'drain' || !effect.ramp) return effect
  const ramps = before.flatMap(override =>
    override.effect.kind === 'drain' && isInForce(override, now) ? [override.effect.ramp] : [],
  )
  const ramp = lowestRamp([effect.ramp, ...ramps], now)
  return ramp ? { kind: 'drain', ramp } : { kind: 'drain' }
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
  return JSON.stringify([effect, who, reason])
}

/** Returns `drain`, `drain over 30s` or `weight 5`. */
export function effectText(effect: Effect): string {
  if (effect.kind === 'drain' && effect.ramp) return `drain over ${duration(effect.ramp.ms)}`
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

/** True if its weight depends on the time. */
export function isRamped(override: Override | null): boolean {
  return override?.effect.kind === 'drain' && override.effect.ramp !== undefined
}

/** True if the override decides the state, so that the checks do not. */
export function decidesState(override: Override | null): boolean {
  return override !== null && STATES[override.effect.kind] !== undefined
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

/** All inputs that decide the state and the weight of a real server. */
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
  /** Milliseconds of the wall clock, for a drain with a ramp; absent: after its end. */
  readonly at?: number | undefined
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
 *   drain        0; in steps down to it with a ramp (ramp.ts)
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
  at = Number.POSITIVE_INFINITY,
}: Judged): Disposition {
  const effect = override?.effect
  const usual = sharedWeight(advised, share)
  const ordered = effect ? weightOf(effect, usual, at) : null
  return {
    state: (effect && STATES[effect.kind]) ?? (isDamped ? 'down' : checked),
    weight: ordered ?? usual,
    override: ordered,
    isOut: effect?.kind === 'disable',
  }
}

/** Weights over this are rare. */
const COMMON_WEIGHT = 256

const common: Record<HealthState, (Disposition | undefined)[]> = { up: [], down: [], unknown: [] }

/**
 * Returns the disposition of a server without an override, damping and slow start. One object for all of the same state and weight: each
 * table that is computed asks for that of thousands.
 */
export function usualDisposition(state: HealthState, weight: number): Disposition {
  const known = common[state][weight]
  if (known) return known
  const made = { state, weight, override: null, isOut: false }
  if (weight <= COMMON_WEIGHT) common[state][weight] = made
  return made
}

/** States that effects decide. */
const STATES: Partial<Record<Effect['kind'], HealthState>> = {
  'force-down': 'down',
  disable: 'down',
  'force-up': 'up',
}

function weightOf(effect: Effect, usual: number, at: number): number | null {
  if (effect.kind === 'weight') return effect.weight
  if (effect.kind !== 'drain') return null
  return effect.ramp ? rampedWeight(usual, effect.ramp, at) : 0
}
