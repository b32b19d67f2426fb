/**
 * Keeps the kernel's table equal to the desired table. Each round reads the table (if a resync is due), computes the
 * difference and applies it; rounds never overlap. The reconciler has no access to health or configuration: `desired`
 * computes the desired table afresh in every round.
 */

import { setImmediate } from 'node:timers/promises'
import { diff, pick } from '../core/diff.js'
import { type Change, type Dump, keyOfService, type Table, type TableService } from '../core/model.js'
import type { TableMode } from '../core/role.js'
import { isDueToOthers } from '../ipvs/errors.js'
import { KernelError } from '../ipvs/kernel.js'
import { type Clock, steadyNow, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { ownTurn, runSliced } from '../util/time-slice.js'
import { changeFields, DriftReport } from './drift-report.js'
import { JournalKeeper } from './journal-keeper.js'
import { KnownTable } from './known-table.js'
import type { Desired, ReconcilerParts, ReconcileSnapshot, ReconcileStats } from './reconciler-types.js'
import { Refusals } from './refusals.js'
import { NO_PAUSE, type Pause, pauseAfter } from './round-pause.js'
import { TableLooks } from './table-looks.js'
import { WrittenEntries } from './written.js'

interface Refused {
  readonly change: Change
  readonly error: KernelError
}

/** Changes after which other work of lvsd gets a turn. */
const MOST_CHANGES = 512
/** Changes that are written in the turn in which they were found. */
const FEW_CHANGES = 64
/** Real servers from which on to compute what is wanted takes one turn, and to compare it with what is there another one. */
const MANY = 1000

/** With `auto`, the desired table is computed afresh, and compared, at least once within these milliseconds. */
const WHOLE_WITHIN = 60_000

export class Reconciler {
  readonly stats: ReconcileStats = {
    lastResync: null,
    reading: null,
    readingCost: 0,
    changesApplied: 0,
    driftRepaired: 0,
    disputes: [],
    errors: [],
  }
  /** What lvsd last wrote for each real server. */
  readonly written = new WrittenEntries()
  readonly #parts: ReconcilerParts
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #known: KnownTable
  readonly #resyncs: Poller
  readonly #looks: TableLooks
  readonly #journal: JournalKeeper
  readonly #refusals: Refusals
  readonly #drift: DriftReport
  readonly #dirty = new Set<string>()
  /** The desired table of the last rounds. */
  #wanted = new Map<string, TableService>()
  #isLookDue = false
  #isResyncDue = false
  #hasCorrected = false
  #isStopped = false
  #running: Promise<void> | null = null
  #pause: Pause = NO_PAUSE
  /** True if the next round does not wait for the pause. */
  #isUrgent = false
  /** What `resyncEvery` was called with. */
  #every: number | 'auto' | null = null

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    this.#known = new KnownTable(parts)
    this.#drift = new DriftReport(parts)
    this.#journal = new JournalKeeper(parts)
    const { kernel, journal, log } = parts
    const { stats } = this
    this.#refusals = new Refusals({ log, stats, resync: () => this.resync() })
    const own = { log, clock: this.#clock }
    this.#resyncs = new Poller('resync', () => this.resync(), own)
    this.#looks = new TableLooks({ ...own, kernel, journal, stats, onDue: () => this.#lookNow() })
  }

  /** The last table that was read, with all changes applied since; null before the first read. */
  get table(): Table | null {
    return this.#known.table
  }

  /** True as soon as the first correction of the whole table has ended, whether or not the kernel took each change. */
  get hasCorrected(): boolean {
    return this.#hasCorrected
  }

  /** The desired table as the last rounds computed it, for statistics. */
  get wanted(): Table {
    return this.#wanted
  }

  /**
   * Marks services (names) whose desired table may have changed, and schedules a round. Several calls share one round.
   */
  markDirty(names: Iterable<string>): void {
    for (const name of names) this.#dirty.add(name)
    if (!this.#isStopped) void this.#run()
  }

  /**
   * Writes what is wanted of these services (names) before anything is read: their entries and no others. Resolves when
   * this is done; never rejects. While it is uncertain what the table holds, it corrects all differences instead, and also
   * after a refusal: another program may have deleted what was to be changed.
   */
  async write(names: Iterable<string>): Promise<void> {
    if (this.table === null || !this.#known.isCertain) return this.resync()
    if (this.#isStopped) return
    for (const name of names) this.#dirty.add(name)
    this.#isUrgent = true
    this.#pause.end()
    await this.#run()
    if (!this.#known.isCertain) await this.resync()
  }

  /** Looks at the whole table soon. Where another program has changed it, a resync follows. */
  lookSoon(): void {
    if (this.#isStopped) return
    this.#isLookDue = true
    this.#looks.wholeNext()
    void this.#run()
  }

  /** Reads the kernel's table and corrects all differences. Resolves when this is done; never rejects. */
  async resync(): Promise<void> {
    if (this.#isStopped) return
    this.#isResyncDue = true
    await this.#run()
  }

  /**
   * Repeats the resync with pauses of `interval` milliseconds, until `stop`. With `auto` lvsd looks at the table as often
   * as that is cheap (`core/table-pace.ts`), and a resync follows where something has changed. The same interval as before
   * changes nothing.
   */
  resyncEvery(interval: number | 'auto'): void {
    if (interval === this.#every) return
    this.#every = interval
    this.#resyncs.every(interval === 'auto' ? WHOLE_WITHIN : interval)
    this.#looks.follow(interval)
  }

  /** Resolves when no round is running or due. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Returns a dump at most `maxAge` milliseconds old, for its counters. Null if the kernel's table cannot be read. */
  counters(maxAge: number): Promise<Dump | null> {
    return this.#known.counters(maxAge)
  }

  /** Returns the statistics, with a dump that is at most `maxAge` milliseconds old. */
  async snapshot(maxAge: number): Promise<ReconcileSnapshot> {
    const dump = await this.counters(maxAge)
    return { ...this.stats, dump, dumpAt: dump && this.#known.dumpAt }
  }

  /** Ends all rounds. Resolves when the current round is finished. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#refusals.stop()
    await Promise.all([this.#resyncs.stop(), this.#looks.stop()])
    await this.#running
  }

  // -------------------------------------------------------------- rounds

  get #mode(): TableMode {
    return this.#parts.mode?.() ?? 'reconcile'
  }

  #run(): Promise<void> {
    this.#running ??= this.#loop()
    return this.#running
  }

  async #loop(): Promise<void> {
    await setImmediate()
    try {
      while (this.#isDue) await this.#nextRound()
    } finally {
      // At once: what becomes due before the promise is settled needs a loop of its own.
      this.#running = null
    }
  }

  get #isDue(): boolean {
    return !this.#isStopped && (this.#isResyncDue || this.#isLookDue || this.#dirty.size > 0)
  }

  async #nextRound(): Promise<void> {
    if (this.#isLookDue) await this.#lookRound()
    if (!this.#isResyncDue) {
      if (this.#dirty.size === 0) return
      if (!this.#isUrgent) await this.#pause.over
    }
    if (this.#isStopped) return
    this.#isUrgent = false
    const began = this.#clock.now()
    const names = new Set(this.#dirty)
    const isWhole = this.#isResyncDue || this.table === null
    this.#dirty.clear()
    this.#isResyncDue = false
    await this.#round(isWhole ? null : names)
    // Without a table that could be read, nothing has been compared.
    if (isWhole && this.table !== null) this.#hasCorrected = true
    const ms = this.#clock.now() - began
    this.#parts.onRound?.({ isWhole, ms })
    this.#pause = isWhole ? NO_PAUSE : pauseAfter(ms, this.#clock)
  }

  async #round(names: ReadonlySet<string> | null): Promise<void> {
    try {
      if (names === null) {
        await this.#read()
        await this.#write(null)
      } else await this.#writeInParts(names)
    } catch (error) {
      this.#onRefusal([error instanceof KernelError ? error.message : String(error)], names === null, error)
    }
  }

  /** What becomes dirty meanwhile is the next round's. */
  async #writeInParts(names: ReadonlySet<string>): Promise<void> {
    for (const part of this.#parts.parts?.(names) ?? [names]) {
      await ownTurn()
      await this.#write(part)
    }
  }

  async #read(): Promise<void> {
    const known = this.#known
    const { table: before, isCertain } = known
    const { table } = await known.read()
    if (before === null) this.written.settle(table)
    // While nothing is written, every program may change the table.
    else if (isCertain && this.#mode !== 'keep') this.#onDrift(before, table)
    this.stats.lastResync = steadyNow()
  }

  async #write(names: ReadonlySet<string> | null): Promise<void> {
    const { journal } = this.#parts
    const isWhole = names === null
    const held: Table = this.table ?? new Map()
    const computed = isWhole ? await this.#desiredOfAll(held) : this.#parts.desired(held, names)
    if (!isWhole && areMany(computed.table)) await ownTurn()
    // The role may have changed between the slices or turns.
    const mode = this.#mode
    const { internal = new Map<string, never>(), marks } = computed
    const desired = mode === 'empty' ? { ...computed, table: internal } : computed
    const actual = isWhole ? held : pick(held, desired.ids)
    this.#keepWanted(desired, isWhole)
    if (mode === 'keep') {
      if (isWhole) this.#refusals.clear()
      return
    }
    const add = desired.ids.filter(id => desired.table.has(keyOfService(id)))
    this.#journal.record({ add, ...(marks && { marks }) })
    if (isWhole) this.#journal.forgetOrphaned(desired.table, held)
    const { untouched } = desired
    const owned = untouched?.size ? without(journal.owned, untouched) : journal.owned
    const changes = diff(desired.table, actual, owned)
    if (changes.length === 0) {
      if (isWhole) this.#refusals.clear()
      return
    }
    await this.#applyAll(changes, desired.table, isWhole)
  }

  async #applyAll(changes: readonly Change[], wanted: Table, isWhole: boolean): Promise<void> {
    const refusals: Refused[] = []
    for (let at = 0; at < changes.length; at += MOST_CHANGES) {
      // To compare the whole table takes a turn, too, and so does a service with thousands of servers.
      if (at > 0 || isWhole || changes.length > FEW_CHANGES) await ownTurn()
      refusals.push(...(await this.#apply(changes.slice(at, at + MOST_CHANGES), changes, wanted)))
    }
    const refused = new Set(refusals.map(({ change }) => change))
    const deleted = changes.filter(change => change.op === 'delete-service' && !refused.has(change))
    this.#journal.record({ remove: deleted.map(({ id }) => id) })
    const isDrift = ({ change, error }: Refused) => !isWhole && isDueToOthers(change, error.code)
    // The table is not as it was last read. The reading that follows tells what another program has changed.
    if (refusals.some(isDrift)) this.#isResyncDue = true
    const errors = refusals.filter(one => !isDrift(one)).map(({ error }) => error.message)
    if (errors.length > 0) this.#onRefusal(errors, isWhole)
    else if (isWhole) this.#refusals.clear()
  }

  /** Applies a part of all changes, which lead to `wanted`. Returns what the kernel has refused. */
  async #apply(
    changes: readonly Change[],
    all: readonly Change[],
    wanted: Table,
  ): Promise<readonly Refused[]> {
    const { kernel, log, onApplied, isInternal = () => false } = this.#parts
    const outcomes = await kernel.apply(changes)
    const done = changes.filter((_, i) => !outcomes[i])
    if (done.length === all.length) this.#known.reach(wanted, done)
    else this.#known.apply(done)
    this.stats.changesApplied += done.filter(({ id }) => !isInternal(id)).length
    this.written.note(done, steadyNow())
    if (log.isLevelEnabled('debug'))
      for (const change of done) log.debug('table.changed', changeFields(change), change.op)
    onApplied?.(done)
    return changes.flatMap((change, i) => (outcomes[i] ? [{ change, error: outcomes[i] }] : []))
  }

  /** Services that become dirty between the slices are computed once more, so that all are of the same moment. */
  async #desiredOfAll(held: Table): Promise<Desired> {
    const { desired, desiring } = this.#parts
    if (!desiring) return desired(held, null)
    const all = await runSliced(desiring(held))
    return this.#dirty.size === 0 ? all : replaced(all, desired(held, new Set(this.#dirty)))
  }

  #keepWanted({ table, ids }: Desired, isWhole: boolean): void {
    if (isWhole) this.#wanted.clear()
    else for (const id of ids) this.#wanted.delete(keyOfService(id))
    for (const [key, service] of table) this.#wanted.set(key, service)
  }

  #onDrift(expected: Table, found: Table): void {
    this.stats.driftRepaired += this.#drift.report(expected, found, steadyNow())
    this.stats.disputes = this.#drift.disputes
  }

  #onRefusal(sentences: readonly string[], isWhole: boolean, cause?: unknown): void {
    this.#known.doubt()
    this.#refusals.add(sentences, isWhole, cause)
  }

  // -------------------------------------------------------------- looks

  async #lookNow(): Promise<void> {
    if (this.#isStopped) return
    this.#isLookDue = true
    await this.#run()
  }

  /** Looks at the table, which makes a resync due if another program has changed it; that says, too, why it cannot be read. */
  async #lookRound(): Promise<void> {
    this.#isLookDue = false
    const known = this.#known
    // After a refusal a resync follows anyway.
    if (this.#isStopped || known.table === null || !known.isCertain) return
    const found = await this.#looks.look(known.table)
    if (found === 'changed') this.#isResyncDue = true
    if (found === 'changed' || found === null) return
    known.seen(found)
    this.stats.lastResync = steadyNow()
    this.#drift.quiet(steadyNow())
    this.stats.disputes = this.#drift.disputes
  }
}

function replaced(all: Desired, part: Desired): Desired {
  const table = new Map(all.table)
  for (const id of part.ids) table.delete(keyOfService(id))
  for (const [key, service] of part.table) table.set(key, service)
  return { ...all, table }
}

function without(keys: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...keys].filter(key => !others.has(key)))
}

function areMany(table: Table): boolean {
  let reals = 0
  for (const service of table.values()) reals += service.reals.size
  return reals >= MANY
}
