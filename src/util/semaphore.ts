/** A counting semaphore. Waiters are served in the order of arrival. */

export class Semaphore {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /**
   * Waits for a place, at most `patience` milliseconds, and until `signal` aborts. Returns false if it got no place.
   * Otherwise the caller must call `release` afterwards.
   */
  async acquire(patience = Number.POSITIVE_INFINITY, signal?: AbortSignal): Promise<boolean> {
    if (this.#free > 0) {
      this.#free--
      return true
    }
    return new Promise(resolve => {
      const settle = (isAcquired: boolean) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
        resolve(isAcquired)
      }
      const turn = () => settle(true)
      const giveUp = () => {
        const place = this.#waiting.indexOf(turn)
        if (place >= 0) this.#waiting.splice(place, 1)
        settle(false)
      }
      const timer = patience < Number.POSITIVE_INFINITY ? setTimeout(giveUp, patience) : undefined
      signal?.addEventListener('abort', giveUp, { once: true })
      this.#waiting.push(turn)
    })
  }

  /** Returns a place. The longest-waiting caller gets it. */
  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
