/** How late starts were in the recent past: two halves of a minute each, counted in buckets that grow by a tenth. */
import type { ScheduleStats } from './stats.js'

const WINDOW = 60_000
const BUCKETS = 160
const GROWTH = Math.log(1.1)

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
    const halves = [this.#before, this.#current]
    return {
      p50: quantile(halves, 0.5),
      p99: quantile(halves, 0.99),
      max: round(Math.max(this.#before.max, this.#current.max)),
    }
  }

  #turn(now: number): void {
    this.#before = now >= this.#turnAt + WINDOW ? new Window() : this.#current
    this.#current = new Window()
    this.#turnAt = now + WINDOW
  }
}

class Window {
  readonly buckets = new Uint32Array(BUCKETS)
  total = 0
  max = 0

  add(ms: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.round(Math.log(1 + ms) / GROWTH))
    this.buckets[bucket] = (this.buckets[bucket] as number) + 1
    this.total++
    if (ms > this.max) this.max = ms
  }
}

/** The middle of the bucket in which the quantile lies, never more than the largest value met. */
function quantile(halves: readonly Window[], share: number): number {
  const max = Math.max(...halves.map(half => half.max))
  let left = share * halves.reduce((sum, half) => sum + half.total, 0)
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    left -= halves.reduce((sum, half) => sum + (half.buckets[bucket] as number), 0)
    if (left <= 0) return round(Math.min(max, Math.exp(bucket * GROWTH) - 1))
  }
  return round(max)
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
