/** What a worker has to tell the core: one message for all that comes up in one turn of its loop. */
import type { MessagePort } from 'node:worker_threads'
import type { Report } from './messages.js'

export class Outbox {
  /** Bound here, before any check is loaded: what a check changes of ports does not change this. */
  readonly #post: (reports: readonly Report[]) => void
  #reports: Report[] = []

  constructor(port: MessagePort) {
    this.#post = port.postMessage.bind(port)
  }

  say(report: Report): void {
    if (this.#reports.push(report) === 1) setImmediate(() => this.flush())
  }

  /** At once: for the last words of a thread. */
  flush(): void {
    if (this.#reports.length === 0) return
    const reports = this.#reports
    this.#reports = []
    this.#post(reports)
  }
}
