/** The clock interface of the scheduler: monotonic, and passed in as an argument, so that tests control the time. */
// The global `performance` is a getter, which costs more than the call.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Monotonic time in milliseconds from an arbitrary start. Setting the wall clock does not affect it. */
  now(): number
  /** Calls `alarm` after `ms` milliseconds or slightly later. Returns a function that cancels the call. */
  alarm(ms: number, alarm: () => void): () => void
  /** Calls `then` after all data that has arrived so far has been read. */
  afterReading(then: () => void): void
  /** A random number, 0 <= n < 1. */
  random(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  alarm: (ms, alarm) => {
    const timer = setTimeout(alarm, Math.ceil(ms))
    return () => clearTimeout(timer)
  },
  // libuv runs immediates directly after it has polled the sockets.
  afterReading: then => void setImmediate(then),
  random: Math.random,
}

/**
 * Returns the steady clock in milliseconds: wall-clock time at the start of this process, then advanced by the
 * monotonic clock. The difference of two readings is therefore correct even if the wall clock is set in between.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now()
}

/** Milliseconds. A smaller offset change is a clock correction (NTP) and must not change a date that was already shown. */
const WORTH_MOVING = 1000

/** Converts the steady clock to wall-clock time by its current setting, as the command `date` shows it. */
export class WallClock {
  readonly #wall: () => number
  readonly #steady: () => number
  #offset = 0

  constructor(wall: () => number = Date.now, steady: () => number = steadyNow) {
    this.#wall = wall
    this.#steady = steady
  }

  /** Returns wall-clock milliseconds. */
  at(steady: number): number {
    const offset = this.#wall() - this.#steady()
    if (Math.abs(offset - this.#offset) >= WORTH_MOVING) this.#offset = offset
    return Math.round(steady + this.#offset)
  }

  /** Returns an ISO 8601 text. */
  iso(steady: number): string {
    return new Date(this.at(steady)).toISOString()
  }
}
