/**
 * Looks at the kernel's table, which costs less than reading it, or at its services alone, which costs less still, as often as that is
 * cheap (`core/table-pace.ts`), and finds whether another program has changed a service of lvsd.
 */
import { diff, sameService } from '../core/diff.js'
import type { Table } from '../core/model.js'
import { costOf } from '../core/read-pace.js'
import { FIRST_TABLE_PACE, type LookAt, nextTablePace, type TablePace } from '../core/table-pace.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import type { ReconcileStats } from './reconciler-types.js'

interface TableLooksParts {
  readonly kernel: Pick<Kernel, 'look' | 'lookAtServices'>
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
  #pace: TablePace = FIRST_TABLE_PACE
  #isAuto = false
  /** Looks at the services since the last one at the whole table. */
  #since = 0

  constructor(parts: TableLooksParts) {
    this.#parts = parts
    this.#poller = new Poller('look at the table', () => this.#due(), parts)
  }

  /** With `auto` the looks are repeated; with an interval in milliseconds whole readings are, which others see to. */
  follow(interval: number | 'auto'): void {
    this.#isAuto = interval === 'auto'
    this.#poller.every(interval === 'auto' ? pauseOf(this.#pace) : null)
    this.#parts.stats.reading =
      interval === 'auto' ? readingOf(this.#pace) : { interval, services: interval, cost: null }
  }

  stop(): Promise<void> {
    return this.#poller.stop()
  }

  async #due(): Promise<void> {
    await this.#parts.onDue()
    if (this.#isAuto) this.#poller.every(pauseOf(this.#pace))
  }

  /** Makes the next look one at the whole table. */
  wholeNext(): void {
    this.#since = this.#pace.looks
  }

  /**
   * Looks at what is due. Returns 'changed' if lvsd's services are not those of `expected`, or cannot be read. Else the table; null
   * after a look at the services alone. Never rejects.
   */
  async look(expected: Table): Promise<Table | null | 'changed'> {
    try {
      if (this.#since + 1 < this.#pace.looks) return this.#lookAtServices(expected)
      return await this.#lookAtTable(expected)
    } catch {
      return 'changed'
    }
  }

  #lookAtServices(expected: Table): null | 'changed' {
    const { kernel, journal } = this.#parts
    const { services, cost } = kernel.lookAtServices()
    this.#since++
    this.#count('services', cost)
    for (const key of journal.owned) {
      const [was, is] = [expected.get(key), services.get(key)]
      if (was && is ? !sameService(was, is) : was !== is) return 'changed'
    }
    return null
  }

  async #lookAtTable(expected: Table): Promise<Table | 'changed'> {
    const { kernel, journal } = this.#parts
    this.#since = 0
    const { table, cost } = await kernel.look()
    this.#count('table', cost)
    for (const key of journal.owned) {
      const [was, is] = [expected.get(key), table.get(key)]
      // The same object has the same bytes as at the last look, and was compared then.
      if (was === is) continue
      if (!was || !is || diff(new Map([[key, was]]), new Map([[key, is]]), journal.owned).length > 0)
        return 'changed'
    }
    return table
  }

  #count(at: LookAt, cost: number): void {
    const { stats } = this.#parts
    stats.readingCost += cost
    this.#pace = nextTablePace(this.#pace, at, cost)
    if (this.#isAuto) stats.reading = readingOf(this.#pace)
  }
}

/** Milliseconds between two looks, whatever they look at. */
function pauseOf({ interval, looks }: TablePace): number {
  return interval / looks
}

function readingOf(pace: TablePace): NonNullable<ReconcileStats['reading']> {
  return { interval: pace.interval, services: pauseOf(pace), cost: costOf(pace.costs.table) }
}
