/** Slow start: the weight of a server that comes into service rises in steps, so that it can warm up. Pure. */
import type { HealthState } from './model.js'

/** The setting `slow-start` of a service. */
export interface SlowStart {
  /** Milliseconds from the begin to the whole weight. */
  readonly for: number
  /** Share of the weight at the begin, in percent. */
  readonly from: number
}

/**
 * Where a server is in its slow start. `new`: it has not been up or down yet; `isJoining`: other servers of its service
 * had traffic before it was added. `since` is in milliseconds of the steady clock.
 */
export type Rise =
  | { readonly phase: 'new'; readonly isJoining: boolean }
  | { readonly phase: 'down' }
  | { readonly phase: 'full' }
  | { readonly phase: 'rising'; readonly since: number }

/** What happens to a server at `now`, milliseconds of the steady clock. */
export interface RiseInput {
  /** The state after damping and overrides. */
  readonly state: HealthState
  /** True if the actual table shows it in service (desired.ts). Asked only in the phase `new`. */
  isInService(): boolean
  /** Null: the service has no slow start. */
  readonly policy: SlowStart | null
  readonly now: number
}

/** Number of steps. */
const STEPS = 10
/** Shortest step in milliseconds. */
const SHORTEST = 1000
const FULL: Rise = { phase: 'full' }
const DOWN: Rise = { phase: 'down' }

/**
 * Returns the next phase. A reload, a change of the setting or of a weight is no input, so none of them begins a rise.
 *
 *   phase    state    more                           next
 *   any      down                                    down
 *   new      up       in service                     full: lvsd has started, the kernel had it
 *   new      up       not in service, joining        rising
 *   new      up       not in service, not joining    full: the whole service starts, nothing to join
 *   down     up                                      rising
 *   rising   up       `for` is not over              rising, with the same begin
 *   rising   up       `for` is over                  full
 *   rising   unknown                                 rising or full, as above
 *   full     up                                      full
 *   others   unknown                                 unchanged
 *
 * Without the setting, `full` takes the place of `rising`.
 */
export function nextRise(rise: Rise, { state, isInService, policy, now }: RiseInput): Rise {
  if (state === 'down') return rise.phase === 'down' ? rise : DOWN
  if (rise.phase === 'rising') return policy && now < rise.since + policy.for ? rise : FULL
  if (state === 'unknown' || rise.phase === 'full') return rise
  const isCold = rise.phase === 'down' || (rise.isJoining && !isInService())
  return policy && isCold ? { phase: 'rising', since: now } : FULL
}

/** Returns the share of the weight, over 0 to 1: linear, in steps. */
export function shareAt(rise: Rise, policy: SlowStart | null, now: number): number {
  if (rise.phase !== 'rising' || !policy) return 1
  return shareOfStep(stepAt(now - rise.since, policy), policy)
}

/**
 * Returns this share of the weight of a server that is up. It is at least 1, since 0 would mean no traffic at all, and
 * never above the weight. A weight of 0 stays 0.
 */
export function sharedWeight(weight: number, share: number): number {
  return Math.min(weight, Math.max(1, Math.round(weight * share)))
}

/**
 * Returns when a rising server of this weight has its next weight, or when its rise ends. Steps that round to the same
 * weight are left out, as each weight costs a change of the kernel's table. Null: it does not rise.
 */
export function nextStepAt(rise: Rise, policy: SlowStart | null, weight: number, now: number): number | null {
  if (rise.phase !== 'rising' || !policy) return null
  const current = sharedWeight(weight, shareAt(rise, policy, now))
  const isSame = (step: number) => sharedWeight(weight, shareOfStep(step, policy)) === current
  let step = stepAt(now - rise.since, policy) + 1
  while (step * lengthOf(policy) < policy.for && isSame(step)) step++
  return rise.since + Math.min(policy.for, step * lengthOf(policy))
}

/** Milliseconds of one step. */
function lengthOf(policy: SlowStart): number {
  return Math.max(SHORTEST, Math.ceil(policy.for / STEPS))
}

/** Number of the step, from 0. An alarm exactly at a step must not fall before it by rounding. */
function stepAt(elapsed: number, policy: SlowStart): number {
  return Math.max(0, Math.floor(elapsed / lengthOf(policy) + 1e-6))
}

function shareOfStep(step: number, policy: SlowStart): number {
  const from = policy.from / 100
  return Math.min(1, from + ((1 - from) * step * lengthOf(policy)) / policy.for)
}
