/** The times of the last starts, to bound how many of those runs are in progress. */

/** Number of times that are kept. More runs than these are never in progress, as far as is known. */
const KEPT = 65_536

export class RecentStarts {
  readonly #times = new Float64Array(KEPT).fill(Number.NEGATIVE_INFINITY)
  readonly #longest: number
  #at = 0

  /** `longest`: milliseconds after which a run has ended. */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** True if fewer than `room` of the runs that were added can be in progress now. */
  fits(room: number, now: number): boolean {
    if (room <= 0) return false
    const place = (this.#at - Math.min(room, KEPT)) & (KEPT - 1)
    return (this.#times[place] as number) < now - this.#longest
  }

  add(now: number): void {
    this.#times[this.#at] = now
    this.#at = (this.#at + 1) & (KEPT - 1)
  }
}
