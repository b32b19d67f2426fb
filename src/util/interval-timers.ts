import { type Clock, systemClock } from './clock.js'

/** Work that is done again and again, each time some milliseconds after it was last done. */
export class IntervalTimers {
  readonly #alarm: Clock['alarm']
  readonly #running = new Map<string, { cancel(): void }>()
  #isStopped = false

  constructor({ alarm }: Pick<Clock, 'alarm'> = systemClock) {
    this.#alarm = alarm
  }

  /** Begins, or goes on with another work and pause under the same name; a round under way is the old work's last. `work` must not reject. */
  set(name: string, ms: number, work: () => Promise<unknown>): void {
    if (this.#isStopped) return
    this.#running.get(name)?.cancel()
    const turn = { cancel: () => {} }
    this.#running.set(name, turn)
    const isCurrent = () => this.#running.get(name) === turn
    const again = () => {
      if (isCurrent()) turn.cancel = this.#alarm(ms, () => void work().finally(again))
    }
    again()
  }

  /** Ends all for good; a round under way goes on to its end. */
  stop(): void {
    this.#isStopped = true
    for (const turn of this.#running.values()) turn.cancel()
    this.#running.clear()
  }
}
