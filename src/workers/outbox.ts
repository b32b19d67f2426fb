/** What a worker has to tell the core: one message for all that comes up in one turn of its loop. */
import type { MessagePort } from 'node:worker_threads'
import type { Report } from './messages.js'

export class Outbox {
  readonly #port: MessagePort
  #reports: Report[] = []

  constructor(port: MessagePort) {
    this.#port = port
  }

  say(report: Report): void {
    if (this.#reports.push(report) === 1) setImmediate(() => this.flush())
  }

  /** At once: for the last words of a thread. */
  flush(): void {
    if (this.#reports.length === 0) return
    const reports = this.#reports
    this.#reports = []
    this.#port.postMessage(reports)
  }
}
