/** What a worker has to tell the core: one message for all that comes up in one turn of its loop. */
import type { Report } from './messages.js'

export class Outbox {
  readonly #post: (reports: readonly Report[]) => void
  #reports: Report[] = []

  constructor(post: (reports: readonly Report[]) => void) {
    this.#post = post
  }

  say(report: Report): void {
    if (this.#reports.push(report) === 1) setImmediate(() => this.flush())
  }

  /** At once: for the last words of a worker. */
  flush(): void {
    if (this.#reports.length === 0) return
    const reports = this.#reports
    this.#reports = []
    this.#post(reports)
  }
}
