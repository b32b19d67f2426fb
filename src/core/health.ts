/** What a result does to the health of a server. Pure; one state machine for every kind of check. */
import type { CheckPolicy, CheckResult, Health, HealthState, NoVerdicts } from './model.js'

/**
 * The health after one more result.
 *
 *   state    in service  result      next
 *   unknown  either      pass        up at once
 *   unknown  no          fail        down at once
 *   unknown  yes         fail        streak + 1; down when it reaches `fall`
 *   up       either      pass        up, streak 0
 *   up       either      fail        streak + 1; down when it reaches `fall`
 *   down     either      fail        down, streak 0
 *   down     either      pass        streak + 1; up when it reaches `rise`
 *   any      either      no verdict  as it was: lvsd could not ask
 *
 * `isInService`: the kernel's table says that the server was up when lvsd last knew (see `isInService` in desired.ts), so
 * that after a start, or with a check that a reload brings, one lost answer takes nobody out. `now` is milliseconds for
 * people; nothing is decided by it.
 */
export function nextHealth(
  health: Health,
  result: CheckResult,
  policy: Pick<CheckPolicy, 'rise' | 'fall'>,
  now: number,
  isInService = false,
): Health {
  if (result.ok === null) return health
  const heard: HealthState = result.ok ? 'up' : 'down'
  if (health.state === heard) return { ...health, streak: 0, last: result }
  const streak = health.streak + 1
  if (streak < neededFor(heard, health, policy, isInService)) return { ...health, streak, last: result }
  return { state: heard, streak: 0, since: now, last: result }
}

function neededFor(
  heard: HealthState,
  { state }: Health,
  { rise, fall }: Pick<CheckPolicy, 'rise' | 'fall'>,
  isInService: boolean,
): number {
  if (heard === 'down') return state === 'unknown' && !isInService ? 1 : fall
  return state === 'unknown' ? 1 : rise
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

/** So many runs in a row without a verdict, three intervals, are told of their server. */
export const MANY_NO_VERDICTS = 3

/** The runs in a row without a verdict after one more result; null where the result was one. */
export function nextNoVerdicts(
  before: NoVerdicts | null,
  result: CheckResult,
  now: number,
): NoVerdicts | null {
  if (result.ok !== null) return null
  return { since: before?.since ?? now, count: (before?.count ?? 0) + 1, detail: result.detail }
}

/** True once they are worth telling. */
export function isWithoutVerdict(runs: NoVerdicts | null): runs is NoVerdicts {
  return runs !== null && runs.count >= MANY_NO_VERDICTS
}
