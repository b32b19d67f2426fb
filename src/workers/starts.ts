/** Limits how often new workers start: a burst, then a low constant rate, whatever ends them. */
import type { Clock } from '../util/clock.js'

/** Milliseconds between starts in the long run, and the size of the burst. */
const EVERY = 500
const AT_ONCE = 6

export class Starts {
  readonly #clock: Clock
  #paidUntil = Number.NEGATIVE_INFINITY
  #disarm: (() => void) | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Returns true, and counts a start, if a worker may start now. Otherwise `again` is called when it may. */
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
