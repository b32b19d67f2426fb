/**
 * Whether a worker's loop still comes round. Judged by the core's own ticks: each counts for at most its nominal length,
 * so a process that was stopped or starved as a whole blames nobody; and what the thread has waited for a processor is
 * taken out, so that a thread that would run and cannot is not taken for one that blocks.
 */

/** Milliseconds of standstill after which a thread is said to block. */
export const BLOCKED = 500
/** A standstill up to this length is what work in pieces comes to. */
const FREE = 200
/** What one may stand still beyond that, again and again: this share of the time. */
const REGAINED = 0.2
/** From here on it is worth a look at how long the thread has waited for a processor. */
const SUSPICIOUS = 100

export class Pulse {
  #beats = -1
  #silent = 0
  #waitedBefore: number | null = null
  #debt = 0

  /** Milliseconds for which nothing has been heard, starvation included. */
  get silence(): number {
    return this.#silent
  }

  /** A tick of the core; `waited` gives the milliseconds that the thread has waited for a processor, in all. */
  tick(beats: number, ms: number, waited: () => number): void {
    this.#debt = Math.max(0, this.#debt - ms * REGAINED)
    if (beats !== this.#beats) {
      if (this.#silent > FREE) this.#debt += Math.max(0, this.#stood(waited) - FREE)
      this.#beats = beats
      this.#silent = 0
      this.#waitedBefore = null
      return
    }
    this.#silent += ms
    if (this.#silent >= SUSPICIOUS) this.#waitedBefore ??= waited()
  }

  /** True where it stands still for too long, or has done so for too much of the time. `limit`: milliseconds. */
  isBlocked(limit: number, waited: () => number): boolean {
    if (this.#debt > limit) return true
    return this.#silent >= limit && this.#stood(waited) >= limit
  }

  #stood(waited: () => number): number {
    return this.#waitedBefore === null ? this.#silent : this.#silent - (waited() - this.#waitedBefore)
  }
}
