/**
 * Overrides: what an operator wants of a real server, whatever its checks say. One value, whoever gives it: a command, a
 * maintenance window, a file in the maintenance folder. Pure.
 */
import type { HealthState } from './model.js'

/**
 * force-down: down, as if all checks failed. disable: not in the table, also in a quiescent service. drain: weight 0, so
 * that connections live on and no new ones come. weight: this weight while up. force-up: up, as if all checks passed.
 */
export type Effect =
  | { readonly kind: 'force-down' | 'disable' | 'drain' | 'force-up' }
  | { readonly kind: 'weight'; readonly weight: number }

export type OverrideSource = 'command' | 'window' | 'file'

export interface Override {
  readonly effect: Effect
  readonly source: OverrideSource
  /** The user, the window or the file. */
  readonly who: string
  /** For people; may be empty. */
  readonly reason: string
  /** Milliseconds of the wall clock. */
  readonly since: number
  /** Milliseconds of the wall clock at which it ends; null: when somebody ends it. */
  readonly until: number | null
}

/** The strongest first. */
const EFFECTS: readonly Effect['kind'][] = ['force-down', 'disable', 'drain', 'weight', 'force-up']
/** Of several overrides with one effect, the first of these counts. */
const SOURCES: readonly OverrideSource[] = ['command', 'window', 'file']

/** True until its end, which is not part of it. `now`: milliseconds of the wall clock. */
export function isInForce({ until }: Override, now: number): boolean {
  return until === null || now < until
}

/**
 * The override that counts: the strongest effect, then a command before a window before a file, then the newest, then the
 * one that lasts longest. The order of `overrides` does not matter. Null where none is in force.
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

/** Two overrides that differ in nothing else, told apart by what people would read. */
function text({ effect, who, reason }: Override): string {
  return JSON.stringify([effect.kind === 'weight' ? effect.weight : 0, who, reason])
}

/** `drain`, `weight 5`. */
export function effectText(effect: Effect): string {
  return effect.kind === 'weight' ? `weight ${effect.weight}` : effect.kind
}

/** Who gave the override, and why: `anna: disk swap`. */
export function withReason({ who, reason }: Override): string {
  return reason === '' ? who : `${who}: ${reason}`
}

/** True where the override takes the server down, whatever its checks say. */
export function isHold(override: Override | null): override is Override {
  return override?.effect.kind === 'force-down' || override?.effect.kind === 'disable'
}

/** What the desired table is made of: health, weight and override together. */
export interface Disposition {
  readonly state: HealthState
  /** The weight while up. */
  readonly weight: number
  /** The weight that an override demands; null where none does. */
  readonly override: number | null
  /** True: not in the table at all, whatever `quiescent` says. */
  readonly isOut: boolean
}

/**
 * Returns what an override makes of the state and the weight that come from the checks and the configuration.
 *
 *   override    state of the checks  state   weight  in the table
 *   none        any                  theirs  theirs  as the state says
 *   force-down  any                  down    theirs  as a failed server
 *   disable     any                  down    theirs  never
 *   drain       any                  theirs  0       as the state says
 *   weight N    any                  theirs  N       as the state says
 *   force-up    any                  up      theirs  yes
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
