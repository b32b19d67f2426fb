/** Start delays of the recent past: two windows of one minute. Internally in microseconds, else milliseconds. */
import type { ScheduleStats } from './stats.js'

/** Milliseconds. */
const WINDOW = 60_000
/** Microseconds. A longer delay counts as one hour. */
const LONGEST = 3_600_000_000
/**
 * Delays below 128 µs have a bucket for each microsecond; each further power of two, up to 2^32, has 64 buckets. So a
 * bucket is at most 1.6 % wide.
 */
const SINGLE = 128
const PARTS = 64
const BUCKETS = SINGLE + 25 * PARTS

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
    const windows = [this.#before, this.#current]
    const max = Math.max(...windows.map(window => window.max))
    const percentile = (share: number) => round(Math.min(max, percentileOf(windows, share)))
    return { p50: percentile(0.5), p99: percentile(0.99), max: round(max) }
  }

  #turn(now: number): void {
    this.#before = now >= this.#turnAt + WINDOW ? new Window() : this.#current
    this.#current = new Window()
    this.#turnAt = now + WINDOW
  }
}

class Window {
  readonly counts = new Uint32Array(BUCKETS)
  count = 0
  /** The exact maximum; that of a bucket is rounded. */
  max = 0

  add(ms: number): void {
    const bucket = bucketOf(Math.min(LONGEST, Math.round(1000 * ms)))
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.count++
    if (ms > this.max) this.max = ms
  }
}

function bucketOf(us: number): number {
  if (us < SINGLE) return us
  // The power of two, at least 7. The highest seven bits of the number are 64 to 127.
  const power = 31 - Math.clz32(us)
  return SINGLE + (power - 7) * PARTS + (us >>> (power - 6)) - PARTS
}

/** The middle of a bucket, in microseconds. */
function middleOf(bucket: number): number {
  if (bucket < SINGLE) return bucket
  const above = bucket - SINGLE
  const width = 2 ** (1 + Math.floor(above / PARTS))
  return (PARTS + (above % PARTS)) * width + width / 2
}

/** Returns milliseconds: at most this share of the delays is longer than they are. 0: there was none. */
function percentileOf(windows: readonly Window[], share: number): number {
  let left = Math.ceil(share * windows.reduce((sum, { count }) => sum + count, 0))
  for (let bucket = 0; bucket < BUCKETS && left > 0; bucket++) {
    for (const { counts } of windows) left -= counts[bucket] as number
    if (left <= 0) return middleOf(bucket) / 1000
  }
  return 0
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
