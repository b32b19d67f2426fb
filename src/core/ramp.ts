/** A drain that lowers the weight to 0 in steps. A pure function of time, so a reload or a restart does not change it. */

export interface Ramp {
  /** Milliseconds of the wall clock. */
  readonly since: number
  /** Milliseconds from the whole weight to 0. */
  readonly ms: number
  /** The whole weight where another override sets it; absent: the weight that the server would have. */
  readonly from?: number
}

/** Milliseconds of the shortest and the longest ramp. */
export const RAMP_LIMITS = { min: 1000, max: 86_400_000 } as const

/** Milliseconds between two steps. Ramps that begin together change the table together. */
export const RAMP_STEP = 1000

/**
 * Returns the share of the weight that is left, 1 to 0.
 *
 *   time                            share
 *   more than `ms` before `since`   0: the clock was set back, and the drain does not wait for it
 *   before `since`                  1
 *   until `since` + `ms`            1 down to 0, in whole steps
 *   after that                      0
 */
export function rampShare({ since, ms }: Ramp, now: number): number {
  const elapsed = Math.floor((now - since) / RAMP_STEP) * RAMP_STEP
  if (now - since >= ms || now - since < -ms) return 0
  return Math.min(1, 1 - elapsed / ms)
}

/** Returns the weight at this time: over 0 until the end of the ramp, unless the whole weight is 0. */
export function rampedWeight(whole: number, ramp: Ramp, now: number): number {
  return Math.ceil((ramp.from ?? whole) * rampShare(ramp, now))
}

/** Returns the time of the next step; null: the ramp is over. */
export function nextRampStep(ramp: Ramp, now: number): number | null {
  if (rampShare(ramp, now) === 0) return null
  const { since, ms } = ramp
  const steps = Math.max(0, Math.floor((now - since) / RAMP_STEP)) + 1
  return Math.min(since + steps * RAMP_STEP, since + ms)
}

/** Returns the ramp that has the lowest share left, for drains of the same server; absent: weight 0 at once. */
export function lowestRamp(ramps: readonly (Ramp | undefined)[], now: number): Ramp | undefined {
  return ramps.reduce((lowest, ramp) =>
    lowest && (!ramp || rampShare(ramp, now) < rampShare(lowest, now)) ? ramp : lowest,
  )
}
