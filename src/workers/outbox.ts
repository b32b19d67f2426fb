/** Collects a worker's reports and sends one message per turn of the event loop. */
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

  /** Sends immediately, for the last reports of a worker. */
  flush(): void {
    if (this.#reports.length === 0) return
    const reports = this.#reports
    this.#reports = []
    this.#post(reports)
  }
}
