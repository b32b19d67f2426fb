/** Stops the parts of a daemon in the reverse order of their start. */
import type { Log } from '../system/log.js'

export class Lifecycle {
  readonly #log: Pick<Log, 'error'>
  readonly #stops: { readonly name: string; readonly stop: () => unknown }[] = []

  constructor(log: Pick<Log, 'error'>) {
    this.#log = log
  }

  /** Adds a part. It is stopped before all parts that were added earlier. `name` appears in the log. */
  add(name: string, stop: () => unknown): void {
    this.#stops.push({ name, stop })
  }

  /**
   * Stops one part after another, each once. A failure is logged, and the remaining parts are stopped. Never rejects.
   */
  async stop(): Promise<void> {
    for (let part = this.#stops.pop(); part; part = this.#stops.pop())
      try {
        await part.stop()
      } catch (error) {
        this.#log.error('stop.failed', { error: (error as Error).message }, `stopping: ${part.name}`)
      }
  }
}
