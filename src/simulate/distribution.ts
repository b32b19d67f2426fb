/** A distribution of times in bounded memory: percentiles to three digits, the greatest exactly. */
import { createHistogram } from 'node:perf_hooks'

/** Milliseconds. */
export interface Summary {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** In microseconds; the highest is ten days. */
const RANGE = { lowest: 1, highest: 864_000_000_000, figures: 3 }

export class Distribution {
  #histogram = createHistogram(RANGE)
  #max = 0

  /** Milliseconds, 0 or more; a longer time than ten days counts as ten days. */
  add(ms: number): void {
    this.#histogram.record(Math.min(RANGE.highest, 1 + Math.round(Math.max(0, ms) * 1000)))
    this.#max = Math.max(this.#max, ms)
  }

  clear(): void {
    this.#histogram = createHistogram(RANGE)
    this.#max = 0
  }

  /** All 0 without a sample. */
  summary(): Summary {
    const { count } = this.#histogram
    const at = (share: number) =>
      count === 0 ? 0 : round(Math.min(this.#max, (this.#histogram.percentile(share) - 1) / 1000))
    return { count, p50: at(50), p90: at(90), p99: at(99), max: round(this.#max) }
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
