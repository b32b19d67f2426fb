import { type Clock, systemClock } from './clock.js'

/** Named periodic work. The pause between two executions starts when the first one ends. */
export class IntervalTimers {
  readonly #alarm: Clock['alarm']
  readonly #running = new Map<string, { cancel(): void }>()
  #isStopped = false

  constructor({ alarm }: Pick<Clock, 'alarm'> = systemClock) {
    this.#alarm = alarm
  }

  /**
   * Starts the work `name`, or replaces its function and pause (milliseconds). If the old function is being executed,
   * it finishes and is not repeated. `work` must not reject.
   */
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

  /** Stops all timers permanently. Work that is being executed finishes. */
  stop(): void {
    this.#isStopped = true
    for (const turn of this.#running.values()) turn.cancel()
    this.#running.clear()
  }
}
