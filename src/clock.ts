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
