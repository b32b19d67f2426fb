/** Start delays of the recent past: two windows of one minute. Internally in microseconds, else milliseconds. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { ScheduleStats } from './stats.js'

/** Milliseconds. */
const WINDOW = 60_000
/** Range in microseconds (a longer delay counts as one hour), and number of significant digits. */
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
  /** The exact maximum; that of the histogram is rounded. */
  max = 0

  add(ms: number): void {
    // The lowest value of a histogram is 1.
    this.histogram.record(Math.min(RANGE.highest, 1 + Math.round(1000 * ms)))
    if (ms > this.max) this.max = ms
  }
}

/** Returns a percentile in milliseconds, at most the actual maximum. */
function percentile(histogram: RecordableHistogram, share: number, max: number): number {
  return histogram.count === 0 ? 0 : round(Math.min(max, (histogram.percentile(share) - 1) / 1000))
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
