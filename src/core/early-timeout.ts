/**
 * The early time limit of a check: while clients get no answer from a server, its check need not wait for its whole time
 * limit. It fails early if several attempts to connect, a few milliseconds apart, stay without any answer. One answer lets
 * it go on, so lost packets alone take no server out: with 5 % of all segments lost each way, one such series in ten
 * million is silent. Pure.
 */

/** Milliseconds without an answer after which the check fails. */
export const EARLY_LIMIT = 250
/** Attempts beside that of the check itself, and milliseconds between two. */
export const ATTEMPTS = { most: 6, every: 30 } as const
/** Such checks at a time, for the whole director: a fault before many servers is left to their time limits. */
export const MOST_EARLY = 10
/** Share of the limit that connections have taken at most: a server far away, or a slow one, gets its whole time limit. */
const USUAL_SHARE = 0.1
/** Milliseconds. Whoever is so late was stopped, and answers may be on their way that came meanwhile. */
const LATE = 40
/** Milliseconds from the last attempt to the failure. */
const LAST_WAIT = EARLY_LIMIT - (ATTEMPTS.most - 1) * ATTEMPTS.every
/** Milliseconds that one step makes up for those that came late before it. */
const CATCH_UP = 10
/** Milliseconds since the first attempt after which the check is left to its time limit. */
const LONGEST = 5 * EARLY_LIMIT

/** Part of the way to a longer time that one connection makes. */
const TOWARDS = 0.1

/**
 * Returns the milliseconds that connections usually take, after one more. A shorter time counts at once and a longer one
 * little: lvsd itself may be late, and a server far away never answers sooner.
 */
export function nextUsual(before: number | undefined, ms: number): number {
  return before === undefined || ms <= before ? ms : before + TOWARDS * (ms - before)
}

/** `usual`: milliseconds that connections of passed checks take. `timeout`: the time limit of the check. */
export function hasEarlyLimit(usual: number, timeout: number): boolean {
  return timeout > EARLY_LIMIT && usual <= EARLY_LIMIT * USUAL_SHARE
}

/** `leave`: the check goes on as without a hint. `wait`: this step comes once more. */
export type Step = 'attempt' | 'fail' | 'wait' | 'leave'

/**
 * Returns what is done after `made` attempts, none of which was answered. Times are in milliseconds since the first one:
 * `due` is when this step was to come.
 */
export function nextStep(made: number, due: number, now: number): Step {
  if (made < ATTEMPTS.most) return 'attempt'
  if (now > LONGEST) return 'leave'
  return now - due > LATE ? 'wait' : 'fail'
}

/**
 * Returns the milliseconds from a step to the next, where `made` attempts have been made, at `now` milliseconds since the first
 * one. Timers come late, each by a millisecond or more: that does not add up.
 */
export function pauseAfter(made: number, now: number): number {
  const [at, usual] =
    made < ATTEMPTS.most ? [made * ATTEMPTS.every, ATTEMPTS.every] : [EARLY_LIMIT, LAST_WAIT]
  return Math.max(at - now, usual - CATCH_UP)
}
