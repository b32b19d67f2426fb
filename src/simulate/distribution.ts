/** A distribution of times in bounded memory: percentiles to three digits, the greatest exactly. */

/** Milliseconds. */
export interface Summary {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Microseconds: ten days. */
const HIGHEST = 864_000_000_000
/** Microseconds below this have a bucket each; above, each power of two has half as many, so each is at most 0.1 % wide. */
const SINGLE = 2048
const HALF = SINGLE / 2
/** Powers of two from `SINGLE` to more than `HIGHEST`. */
const POWERS = 30
const LOG_SINGLE = 11
const LOG_LONG = 30
const LONG = 2 ** LOG_LONG

export class Distribution {
  readonly #counts = new Float64Array(SINGLE + POWERS * HALF)
  #count = 0
  #max = 0

  /** Milliseconds, 0 or more; a longer time than ten days counts as ten days. */
  add(ms: number): void {
    const bucket = bucketOf(Math.min(HIGHEST, Math.round(Math.max(0, ms) * 1000)))
    this.#counts[bucket] = (this.#counts[bucket] as number) + 1
    this.#count++
    if (ms > this.#max) this.#max = ms
  }

  clear(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#max = 0
  }

  /** All 0 without a sample. */
  summary(): Summary {
    const at = (share: number) => round(Math.min(this.#max, this.#percentile(share) / 1000))
    return { count: this.#count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: round(this.#max) }
  }

  /** Returns microseconds: at least this share of the samples is not longer. */
  #percentile(share: number): number {
    let left = Math.ceil(share * this.#count)
    for (let bucket = 0; left > 0; bucket++) {
      left -= this.#counts[bucket] as number
      if (left <= 0) return highestOf(bucket)
    }
    return 0
  }
}

function bucketOf(us: number): number {
  if (us < SINGLE) return us
  // Numbers of more than 32 bits are shifted first: `clz32` and `>>` take 32.
  const isLong = us >= LONG
  const high = isLong ? Math.floor(us / LONG) : us
  const power = 31 - Math.clz32(high) - LOG_SINGLE + (isLong ? LOG_LONG : 0)
  return SINGLE + power * HALF + Math.floor(us / 2 ** (power + 1)) - HALF
}

/** Returns the highest number of microseconds of a bucket. */
function highestOf(bucket: number): number {
  if (bucket < SINGLE) return bucket
  const power = Math.floor((bucket - SINGLE) / HALF)
  const width = 2 ** (power + 1)
  return (((bucket - SINGLE) % HALF) + HALF + 1) * width - 1
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
