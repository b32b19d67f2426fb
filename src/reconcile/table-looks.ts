/**
 * Looks at the kernel's table, which costs less than reading it, as often as that is cheap (`core/read-pace.ts`), and finds whether
 * another program has changed a service of lvsd.
 */
import { diff } from '../core/diff.js'
import type { Table } from '../core/model.js'
import { costOf, FIRST_PACE, nextPace, type ReadPace, TABLE_PACE } from '../core/read-pace.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import type { ReconcileStats } from './reconciler-types.js'

interface TableLooksParts {
  readonly kernel: Pick<Kernel, 'look'>
  readonly journal: Pick<Journal, 'owned'>
  readonly log: Log
  readonly clock: Pick<Clock, 'alarm'>
  /** Its `reading` and `readingCost` are kept here. */
  readonly stats: Pick<ReconcileStats, 'reading' | 'readingCost'>
  /** A look is due by time. Resolves when it has been made. */
  onDue(): Promise<void>
}

export class TableLooks {
  readonly #parts: TableLooksParts
  readonly #poller: Poller
  #pace: ReadPace = FIRST_PACE
  #isAuto = false

  constructor(parts: TableLooksParts) {
    this.#parts = parts
    this.#poller = new Poller('look at the table', () => this.#due(), parts)
  }

  /** With `auto` the looks are repeated; with an interval in milliseconds whole readings are, which others see to. */
  follow(interval: number | 'auto'): void {
    this.#isAuto = interval === 'auto'
    this.#poller.every(interval === 'auto' ? this.#pace.interval : null)
    this.#parts.stats.reading = interval === 'auto' ? readingOf(this.#pace) : { interval, cost: null }
  }

  stop(): Promise<void> {
    return this.#poller.stop()
  }

  async #due(): Promise<void> {
    await this.#parts.onDue()
    if (this.#isAuto) this.#poller.every(this.#pace.interval)
  }

  /** Returns the table, or null if lvsd's services in it are not those of `expected`, or it cannot be read. Never rejects. */
  async look(expected: Table): Promise<Table | null> {
    const { kernel, stats } = this.#parts
    try {
      const { table, cost } = await kernel.look()
      stats.readingCost += cost
      this.#pace = nextPace(this.#pace, cost, TABLE_PACE)
      if (this.#isAuto) stats.reading = readingOf(this.#pace)
      return this.#isAsExpected(table, expected) ? table : null
    } catch {
      return null
    }
  }

  /** Compares the services of lvsd. The same object has the same bytes as at the last look, and was compared then. */
  #isAsExpected(found: Table, expected: Table): boolean {
    const { owned } = this.#parts.journal
    for (const key of owned) {
      const [was, is] = [expected.get(key), found.get(key)]
      if (was === is) continue
      if (!was || !is || diff(new Map([[key, was]]), new Map([[key, is]]), owned).length > 0) return false
    }
    return true
  }
}

function readingOf(pace: ReadPace): NonNullable<ReconcileStats['reading']> {
  return { interval: pace.interval, cost: costOf(pace) }
}
