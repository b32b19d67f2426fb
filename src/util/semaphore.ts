/** Places for so many at once; whoever comes later waits in line, first come, first served. */

export class Semaphore {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(places: number) {
    this.#free = places
  }

  /** Waits for a place, for at most `patience` milliseconds and until `signal`; false when none came free. Give it back with `release`. */
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

  /** Gives a place back: to the one who has waited longest. */
  release(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}
