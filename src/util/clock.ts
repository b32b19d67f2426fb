/** Time as the schedule sees it: monotonic, and handed in, so that tests wind it by hand. */

export interface Clock {
  /** Milliseconds from an arbitrary moment; never set back, never set at all. */
  now(): number
  /** Calls `alarm` in `ms` or a little later; returns what takes it back. */
  alarm(ms: number, alarm: () => void): () => void
  /** Calls `then` once everything that has arrived by now has been read. */
  afterReading(then: () => void): void
  /** From 0, below 1. */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  alarm: (ms, alarm) => {
    const timer = setTimeout(alarm, Math.ceil(ms))
    return () => clearTimeout(timer)
  },
  // libuv runs immediates right after it has polled the sockets.
  afterReading: then => void setImmediate(then),
  random: Math.random,
}

/**
 * Milliseconds as of the wall clock when this process began, and from there on by the monotonic clock: differences of
 * two readings are right, whatever is done to the wall clock.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

/** A smaller difference is the clock's own correction (NTP), for which no date that was told once is to change. */
const WORTH_MOVING = 1000

/** Dates of moments of the steady clock, by the wall clock as it is set now: `date` beside them shows the same time. */
export class WallClock {
  readonly #wall: () => number
  readonly #steady: () => number
  #offset = 0

  constructor(wall: () => number = Date.now, steady: () => number = steadyNow) {
    this.#wall = wall
    this.#steady = steady
  }

  /** Wall-clock milliseconds. */
  at(steady: number): number {
    const offset = this.#wall() - this.#steady()
    if (Math.abs(offset - this.#offset) >= WORTH_MOVING) this.#offset = offset
    return Math.round(steady + this.#offset)
  }

  /** ISO 8601. */
  iso(steady: number): string {
    return new Date(this.at(steady)).toISOString()
  }
}
