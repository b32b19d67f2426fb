/** Computes the health of a real server from check results. Pure; all kinds of check share this state machine. */
import type { CheckPolicy, CheckResult, Health, HealthState, NoVerdicts } from './model.js'

/**
 * Returns the health after one more result.
 *
 *   state    in service  result      next
 *   unknown  either      pass        up at once
 *   unknown  no          fail        down at once
 *   unknown  yes         fail        streak + 1; down when it reaches `fall`
 *   up       either      pass        up, streak 0
 *   up       either      fail        streak + 1; down when it reaches `fall`
 *   down     either      fail        down, streak 0
 *   down     either      pass        streak + 1; up when it reaches `rise`
 *   any      either      no verdict  unchanged: lvsd could not run the check
 *
 * `isInService` is true if the actual table showed the server as up (see `isInService` in desired.ts). It prevents a
 * single failure from removing a server after a restart, or after a reload that adds a check. `now` is in milliseconds
 * of the steady clock; it is recorded for people and does not affect the result.
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
  const { state, since } = health
  // A pass that is told again, with other times, changes nothing. A failure may: see `on-down`.
  if (state === 'up' && result.ok && health.streak === 0 && health.last === result) return health
  if (state === heard) return { state, streak: 0, since, last: result }
  const streak = health.streak + 1
  if (streak < neededFor(heard, health, policy, isInService)) return { state, streak, since, last: result }
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

/** The health before any result. */
export function unknownHealth(now: number): Health {
  return { state: 'unknown', streak: 0, since: now, last: null }
}

/** True while results contradict the state but have not reached `rise` or `fall`. The next run comes after `fastinter`. */
export function isChanging(health: Health): boolean {
  return health.streak > 0
}

/** Returns the state of a server when `need` of its checks must pass. A server without checks is up. */
export function combine(states: readonly HealthState[], need: number): HealthState {
  let ups = 0
  let unknowns = 0
  for (const state of states) {
    if (state === 'up') ups++
    else if (state === 'unknown') unknowns++
  }
  if (ups >= need) return 'up'
  return ups + unknowns >= need ? 'unknown' : 'down'
}

/** Number of consecutive runs without a verdict after which lvsd reports it. */
export const MANY_NO_VERDICTS = 3

/** Returns the record of consecutive runs without a verdict, after one more result. Null if the result is a verdict. */
export function nextNoVerdicts(
  before: NoVerdicts | null,
  result: CheckResult,
  now: number,
): NoVerdicts | null {
  if (result.ok !== null) return null
  return { since: before?.since ?? now, count: (before?.count ?? 0) + 1, detail: result.detail }
}

/** True once enough consecutive runs gave no verdict for lvsd to report it. */
export function isWithoutVerdict(runs: NoVerdicts | null): runs is NoVerdicts {
  return runs !== null && runs.count >= MANY_NO_VERDICTS
}
