import { type Clock, systemClock } from './clock.js'

export interface PollerParts {
  readonly log: {
    error(
      event: 'poll.failed',
      fields: { readonly what: string; readonly err: unknown },
      message: string,
    ): void
  }
  readonly clock?: Pick<Clock, 'alarm'>
}

/**
 * Executes one piece of work again and again. The pause between two executions starts when the first one ends, so there
 * is never more than one at a time. An execution that fails is logged, and does not prevent the next one.
 */
export class Poller {
  readonly #what: string
  readonly #work: () => unknown
  readonly #log: PollerParts['log']
  readonly #alarm: Clock['alarm']
  #pause: number | null = null
  #cancel = () => {}
  #running: Promise<void> | null = null
  #isStopped = false

  /** `what` names the work in the log. The work is not executed before `every` or `now` is called. */
  constructor(what: string, work: () => unknown, { log, clock = systemClock }: PollerParts) {
    this.#what = what
    this.#work = work
    this.#log = log
    this.#alarm = clock.alarm
  }

  /** Sets the pause in milliseconds, and starts one unless the work is being executed. With null the work is not repeated. */
  every(ms: number | null): void {
    this.#pause = ms
    if (!this.#running) this.#wait()
  }

  /** Executes the work at once. If it is being executed, waits for the end of that execution. Never rejects. */
  now(): Promise<void> {
    if (this.#isStopped) return this.#running ?? Promise.resolve()
    this.#cancel()
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      this.#wait()
    })
    return this.#running
  }

  /** Stops permanently. Resolves when the execution under way has ended: the work itself must not wait for that. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#work()
    } catch (err) {
      this.#log.error('poll.failed', { what: this.#what, err }, 'periodic work failed')
    }
  }

  #wait(): void {
    this.#cancel()
    if (this.#pause !== null && !this.#isStopped)
      this.#cancel = this.#alarm(this.#pause, () => void this.now())
  }
}
