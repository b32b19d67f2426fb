/** The end of the parts of a daemon: in the reverse order of their start, each on its own. */
import type { Log } from '../system/log.js'

export class Lifecycle {
  readonly #log: Pick<Log, 'error'>
  readonly #stops: { readonly name: string; readonly stop: () => unknown }[] = []

  constructor(log: Pick<Log, 'error'>) {
    this.#log = log
  }

  /** A part that is to be stopped before all that were added before it. `name` is for people. */
  add(name: string, stop: () => unknown): void {
    this.#stops.push({ name, stop })
  }

  /** Stops one part after the other, once; whatever fails, the rest is stopped, too. Never rejects. */
  async stop(): Promise<void> {
    for (let part = this.#stops.pop(); part; part = this.#stops.pop())
      try {
        await part.stop()
      } catch (error) {
        this.#log.error('stop.failed', { error: (error as Error).message }, `stopping: ${part.name}`)
      }
  }
}
