/** How often new workers may start: some at once, then at a pace that costs little, whatever brings them down. */
import type { Clock } from '../util/clock.js'

/** Milliseconds from start to start in the long run; so many may come at once. */
const EVERY = 500
const AT_ONCE = 6

export class Starts {
  readonly #clock: Clock
  #paidUntil = Number.NEGATIVE_INFINITY
  #disarm: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** True where one may start now, which is counted; else `again` is called when it may. */
  mayStart(again: () => void): boolean {
    const now = this.#clock.now()
    const wait = this.#paidUntil - now - (AT_ONCE - 1) * EVERY
    if (wait <= 0) {
      this.#paidUntil = Math.max(now, this.#paidUntil) + EVERY
      return true
    }
    this.#disarm ??= this.#clock.alarm(wait, () => {
      this.#disarm = null
      again()
    })
    return false
  }

  close(): void {
    this.#disarm?.()
  }
}
