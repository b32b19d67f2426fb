/** What the kernel has refused: told once, and tried again with longer and longer waits. */
import { KernelError } from '../ipvs/kernel.js'
import type { Log } from '../system/log.js'
import type { ReconcileStats } from './reconciler-types.js'

/** Milliseconds between a refusal and the next resync, by number of failures in a row. The last value repeats. */
const RETRY_AFTER = [0, 200, 1000, 5000, 15_000]

interface RefusalsParts {
  readonly log: Log
  /** Its `errors` are kept here. */
  readonly stats: Pick<ReconcileStats, 'errors'>
  resync(): Promise<void>
}

export class Refusals {
  readonly #parts: RefusalsParts
  #failures = 0
  #retry: NodeJS.Timeout | null = null
  #isStopped = false

  constructor(parts: RefusalsParts) {
    this.#parts = parts
  }

  /** No resync follows any more. */
  stop(): void {
    this.#isStopped = true
    this.#cancelRetry()
  }

  /**
   * Logs refusals, and schedules a resync, for a new refusal at once, even if older ones have reached the longest wait. A
   * partial round does not clear the refusals of other services.
   */
  add(sentences: readonly string[], isWhole: boolean, cause?: unknown): void {
    const { log, stats } = this.#parts
    const fresh = [...new Set(sentences)].filter(sentence => !stats.errors.includes(sentence))
    for (const sentence of fresh)
      log.error('kernel.refused', { kernel: sentence }, 'the kernel refused a change')
    if (cause !== undefined && !(cause instanceof KernelError))
      log.error('reconcile.failed', { err: cause }, 'reconciling failed')
    stats.errors = [...new Set(isWhole ? sentences : [...stats.errors, ...sentences])]
    if (fresh.length > 0) {
      this.#failures = 0
      this.#cancelRetry()
    }
    if (this.#isStopped) return
    const wait = RETRY_AFTER[Math.min(this.#failures, RETRY_AFTER.length - 1)]
    // The same refusals in further parts of the table do not put it off.
    this.#retry ??= setTimeout(() => {
      this.#retry = null
      this.#failures++
      void this.#parts.resync()
    }, wait)
  }

  /** The kernel has taken all changes of the whole table. */
  clear(): void {
    const { log, stats } = this.#parts
    if (stats.errors.length > 0) log.info('kernel.accepts', {}, 'the kernel accepts all changes again')
    stats.errors = []
    this.#failures = 0
  }

  #cancelRetry(): void {
    if (this.#retry) clearTimeout(this.#retry)
    this.#retry = null
  }
}
