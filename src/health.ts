/** What a result does to the health of a server. Pure; one state machine for every kind of check. */
import type { CheckPolicy, CheckResult, Health, HealthState } from './model.js'

/**
 * The health after one more result.
 *
 *   state    result       next
 *   unknown  pass, fail   up, down at once: the first result decides
 *   up       pass         up, streak 0
 *   up       fail         streak + 1; down when it reaches `fall`
 *   down     fail         down, streak 0
 *   down     pass         streak + 1; up when it reaches `rise`
 *   any      no verdict   as it was: lvsd could not ask
 *
 * `now` is wall-clock milliseconds, for people; nothing is decided by it.
 */
export function nextHealth(
  health: Health,
  result: CheckResult,
  policy: Pick<CheckPolicy, 'rise' | 'fall'>,
  now: number,
): Health {
  if (result.ok === null) return health
  const heard: HealthState = result.ok ? 'up' : 'down'
  if (health.state === heard) return { ...health, streak: 0, last: result }
  const streak = health.streak + 1
  const needed = health.state === 'unknown' ? 1 : result.ok ? policy.rise : policy.fall
  if (streak < needed) return { ...health, streak, last: result }
  return { state: heard, streak: 0, since: now, last: result }
}

/** Health before any result. */
export function unknownHealth(now: number): Health {
  return { state: 'unknown', streak: 0, since: now, last: null }
}

/** True while results speak against the state, but not yet often enough: the next check comes after `fastinter`. */
export function isChanging(health: Health): boolean {
  return health.streak > 0
}

/** The state of a server of which `need` of the checks must pass. Without checks it is up. */
export function combine(states: readonly HealthState[], need: number): HealthState {
  const ups = states.filter(state => state === 'up').length
  const unknowns = states.filter(state => state === 'unknown').length
  if (ups >= need) return 'up'
  return ups + unknowns >= need ? 'unknown' : 'down'
}
