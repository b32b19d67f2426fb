/** How late starts were in the recent past: two windows of a minute each. Microseconds within, milliseconds outside. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { ScheduleStats } from './stats.js'

/** Milliseconds. */
const WINDOW = 60_000
/** No start is later than an hour, by this account. Microseconds, and decimal places that are kept. */
const RANGE = { lowest: 1, highest: 3_600_000_000, figures: 2 }

export class DelayHistogram {
  #current = new Window()
  #before = new Window()
  #turnAt: number

  constructor(now: number) {
    this.#turnAt = now + WINDOW
  }

  add(ms: number, now: number): void {
    if (now >= this.#turnAt) this.#turn(now)
    this.#current.add(Math.max(0, ms))
  }

  summary(now: number): ScheduleStats['lateness'] {
    if (now >= this.#turnAt) this.#turn(now)
    const both = createHistogram(RANGE)
    for (const { histogram } of [this.#before, this.#current]) if (histogram.count > 0) both.add(histogram)
    const max = Math.max(this.#before.max, this.#current.max)
    return { p50: percentile(both, 50, max), p99: percentile(both, 99, max), max: round(max) }
  }

  #turn(now: number): void {
    this.#before = now >= this.#turnAt + WINDOW ? new Window() : this.#current
    this.#current = new Window()
    this.#turnAt = now + WINDOW
  }
}

class Window {
  readonly histogram = createHistogram(RANGE)
  /** Exact, which that of a histogram is not. */
  max = 0

  add(ms: number): void {
    // The least that a histogram takes is 1.
    this.histogram.record(Math.min(RANGE.highest, 1 + Math.round(1000 * ms)))
    if (ms > this.max) this.max = ms
  }
}

/** Never more than the largest value met. */
function percentile(histogram: RecordableHistogram, share: number, max: number): number {
  return histogram.count === 0 ? 0 : round(Math.min(max, (histogram.percentile(share) - 1) / 1000))
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
