/** Work that is done again and again, each time some milliseconds after it was last done. */
export class Repeating {
  readonly #running = new Map<string, { timer: NodeJS.Timeout | undefined }>()
  #isStopped = false

  /** Begins, or goes on with another work and pause under the same name; a round under way is the old work's last. `work` must not reject. */
  set(name: string, ms: number, work: () => Promise<unknown>): void {
    if (this.#isStopped) return
    clearTimeout(this.#running.get(name)?.timer)
    const turn: { timer: NodeJS.Timeout | undefined } = { timer: undefined }
    this.#running.set(name, turn)
    const isCurrent = () => this.#running.get(name) === turn
    const again = () => {
      if (isCurrent()) turn.timer = setTimeout(() => void work().finally(again), ms)
    }
    again()
  }

  /** Ends all for good; a round under way goes on to its end. */
  stop(): void {
    this.#isStopped = true
    for (const { timer } of this.#running.values()) clearTimeout(timer)
    this.#running.clear()
  }
}
