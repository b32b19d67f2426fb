/** Writes to the journal which services of the kernel are lvsd's. */
import { keyOfService, type Table } from '../core/model.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'

export class JournalKeeper {
  readonly #journal: Journal
  readonly #log: Log
  #hasFailed = false

  constructor({ journal, log }: { readonly journal: Journal; readonly log: Log }) {
    this.#journal = journal
    this.#log = log
  }

  /**
   * Removes owned services that are neither desired nor in the table: another program has removed them. They leave the
   * journal, so that lvsd does not remove such a service if another program creates it later.
   */
  forgetOrphaned(desired: Table, held: Table): void {
    const remove = this.#journal.services.filter(id => {
      const key = keyOfService(id)
      return !desired.has(key) && !held.has(key)
    })
    this.record({ remove })
  }

  /** Writes to the journal. An error, such as a full disk, is logged once and stops nothing. */
  record(change: Parameters<Journal['record']>[0]): void {
    const log = this.#log
    try {
      this.#journal.record(change)
      if (this.#hasFailed) log.info('journal.works', {}, 'the ownership journal can be written again')
      this.#hasFailed = false
    } catch (error) {
      const fields = { error: (error as Error).message }
      if (!this.#hasFailed)
        log.error(
          'journal.failed',
          fields,
          'the ownership journal cannot be written; lvsd continues without it',
        )
      this.#hasFailed = true
    }
  }
}
