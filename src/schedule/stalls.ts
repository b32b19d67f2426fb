/** Stalls: lvsd was stopped or starved. Their time is subtracted from the clock that deadlines go by. */
export class Stalls {
  #count = 0
  /** A fraction from the start: V8 would throw away all that it has optimized when the first one comes. */
  #total = Number.MIN_VALUE
  #last: number | null = null

  /** `late`: milliseconds. */
  note(late: number, now: number): void {
    this.#count++
    this.#total += late
    this.#last = now
  }

  /** Returns `now` by a clock without stalls. */
  awake(now: number): number {
    return now - this.#total
  }

  stats(now: number): {
    readonly stalls: number
    readonly stalledFor: number
    readonly sinceStall: number | null
  } {
    return {
      stalls: this.#count,
      stalledFor: Math.round(this.#total),
      sinceStall: this.#last === null ? null : Math.round(now - this.#last),
    }
  }
}
