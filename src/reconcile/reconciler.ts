/**
 * Keeps the kernel's table equal to the desired table. Each round reads the table (if a resync is due), computes the
 * difference and applies it; rounds never overlap. The reconciler has no access to health or configuration: `desired`
 * computes the desired table afresh in every round.
 */

import { setImmediate } from 'node:timers/promises'
import { applied, diff, pick } from '../core/diff.js'
import type { Dispute } from '../core/disputes.js'
import {
  type Change,
  type Dump,
  keyOfService,
  type ServiceId,
  type Table,
  type TableService,
} from '../core/model.js'
import { costOf, FIRST_PACE, nextPace, type ReadPace, TABLE_PACE } from '../core/read-pace.js'
import type { TableMode } from '../core/role.js'
import { isDueToOthers } from '../ipvs/errors.js'
import { type Expected, type Kernel, KernelError } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { type Clock, steadyNow, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { ownTurn, runSliced, type Sliced } from '../util/time-slice.js'
import { changeFields, DriftReport } from './drift-report.js'
import { WrittenEntries } from './written.js'

export interface ReconcileStats {
  /** When the whole table was last compared, in milliseconds of the steady clock, or null. */
  lastResync: number | null
  /** How often the table is read back, and what a reading costs, in milliseconds; null before the first `resyncEvery`. */
  reading: { readonly interval: number; readonly cost: number | null } | null
  /** What all looks have cost, in milliseconds of one processor. */
  readingCost: number
  changesApplied: number
  driftRepaired: number
  /** Services that another program changes repeatedly. */
  disputes: readonly Dispute[]
  /** Sentences about refusals by the kernel that have not been resolved. */
  errors: readonly string[]
}

export interface ReconcileSnapshot extends Readonly<ReconcileStats> {
  /** The kernel's table with counters; null if it cannot be read. */
  readonly dump: Dump | null
  /** When the dump was read, in milliseconds of the steady clock; null without one. */
  readonly dumpAt: number | null
}

interface Refused {
  readonly change: Change
  readonly error: KernelError
}

interface Pause {
  readonly over: Promise<void>
  /** Ends it before its time. */
  end(): void
}

const NO_PAUSE: Pause = { over: Promise.resolve(), end: () => {} }

export interface Desired {
  readonly table: Table
  /** Ids of the services that were requested, desired or not. A partial round compares only these. */
  readonly ids: readonly ServiceId[]
  /**
   * Keys of services that stay unchanged although they are not desired, because they may belong to a service in doubt.
   */
  readonly untouched?: ReadonlySet<string>
  /** The part of `table` that stays where the table is otherwise emptied: services of lvsd's own. */
  readonly internal?: Table
  /** The marks of these services, for the journal. */
  readonly marks?: ReadonlyMap<string, number>
}

export interface Round {
  /** False if only some services were compared. */
  readonly isWhole: boolean
  /** Duration in milliseconds. */
  readonly ms: number
}

export interface ReconcilerParts {
  readonly kernel: Kernel
  readonly journal: Journal
  readonly log: Log
  /** Returns the desired table of the named services (null: all). `actual` is the actual table. Pure. */
  desired(actual: Table, names: ReadonlySet<string> | null): Desired
  /** As `desired` for all, in time slices; absent: in one turn. What changes meanwhile is marked dirty. */
  desiring?(actual: Table): Sliced<Desired>
  /**
   * Divides dirty services (names) into parts, each of which is compared and written in a turn of the event loop; absent: in
   * one turn.
   */
  parts?(names: ReadonlySet<string>): Iterable<ReadonlySet<string>>
  /** What is done to the table at present; absent: it is reconciled. After a change `resync` has to be called. */
  mode?(): TableMode
  /** True for a service of lvsd's own, which is not of the configuration. Its repairs are neither told nor counted. */
  isInternal?(id: ServiceId): boolean
  /** Called with the changes that the kernel has accepted. */
  onApplied?(changes: readonly Change[]): void
  /** Called after each round. */
  onRound?(round: Round): void
  /** Clock for the pauses between rounds and between resyncs. */
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}

/**
 * The pause after a round lasts this many times as long as the round. A round over a service with thousands of servers
 * is long; the pause lets checks run, and combines their results into fewer rounds.
 */
const PAUSE_SHARE = 3
/** Milliseconds. A shorter pause is skipped; a longer one would delay changes noticeably. */
const PAUSE_FROM = 10
const PAUSE_UP_TO = 200

/** Changes after which other work of lvsd gets a turn. */
const MOST_CHANGES = 512
/** Changes that are written in the turn in which they were found. */
const FEW_CHANGES = 64

/** With `auto`, the desired table is computed afresh, and compared, at least once within these milliseconds. */
const WHOLE_WITHIN = 60_000

/** Milliseconds between a refusal and the next resync, by number of failures in a row. The last value repeats. */
const RETRY_AFTER = [0, 200, 1000, 5000, 15_000]

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
  readonly #resyncs: Poller
  readonly #looks: Poller
  #pace: ReadPace = FIRST_PACE
  #isLookDue = false
  #isAuto = false
  readonly #drift: DriftReport
  readonly #dirty = new Set<string>()
  /** The last table that was read, with all changes applied since; null before the first read. */
  #lastTable: Table | null = null
  /** The desired table of the last rounds. */
  #wanted = new Map<string, TableService>()
  /** False after a refusal: the content of the kernel's table is then uncertain until the next read. */
  #isCertain = true
  #lastDump: { readonly dump: Dump; readonly at: number } | null = null
  #counting: Promise<Dump | null> | null = null
  #isResyncDue = false
  #hasCorrected = false
  #isStopped = false
  #hasJournalFailed = false
  #failures = 0
  #retry: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #pause: Pause = NO_PAUSE
  /** True if the next round does not wait for the pause. */
  #isUrgent = false
  /** What `resyncEvery` was called with. */
  #every: number | 'auto' | null = null

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    this.#drift = new DriftReport(parts)
    this.#resyncs = new Poller('resync', () => this.resync(), { log: parts.log, clock: this.#clock })
    this.#looks = new Poller('look at the table', () => this.#look(), { log: parts.log, clock: this.#clock })
  }

  /** The last table that was read, with all changes applied since; null before the first read. */
  get table(): Table | null {
    return this.#lastTable
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
    if (this.#lastTable === null || !this.#isCertain) return this.resync()
    if (this.#isStopped) return
    for (const name of names) this.#dirty.add(name)
    this.#isUrgent = true
    this.#pause.end()
    await this.#run()
    if (!this.#isCertain) await this.resync()
  }

  /** Looks at the table soon. Where another program has changed it, a resync follows. */
  lookSoon(): void {
    if (this.#isStopped) return
    this.#isLookDue = true
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
   * as that is cheap (`core/read-pace.ts`), and a resync follows where something has changed. The same interval as before
   * changes nothing.
   */
  resyncEvery(interval: number | 'auto'): void {
    if (interval === this.#every) return
    this.#every = interval
    this.#isAuto = interval === 'auto'
    this.#resyncs.every(interval === 'auto' ? WHOLE_WITHIN : interval)
    this.#looks.every(interval === 'auto' ? this.#pace.interval : null)
    this.stats.reading = interval === 'auto' ? readingOf(this.#pace) : { interval, cost: null }
  }

  /** Resolves when no round is running or due. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running
  }

  /** Returns a dump at most `maxAge` milliseconds old, for its counters. Null if the kernel's table cannot be read. */
  async counters(maxAge: number): Promise<Dump | null> {
    if (this.#lastDump && steadyNow() - this.#lastDump.at <= maxAge) return this.#lastDump.dump
    this.#counting ??= this.#count().finally(() => {
      this.#counting = null
    })
    return this.#counting
  }

  /** Returns the statistics, with a dump that is at most `maxAge` milliseconds old. */
  async snapshot(maxAge: number): Promise<ReconcileSnapshot> {
    const dump = await this.counters(maxAge)
    return { ...this.stats, dump, dumpAt: dump && (this.#lastDump?.at ?? null) }
  }

  /** Ends all rounds. Resolves when the current round is finished. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancelRetry()
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
    const isWhole = this.#isResyncDue || this.#lastTable === null
    this.#dirty.clear()
    this.#isResyncDue = false
    await this.#round(isWhole ? null : names)
    // Without a table that could be read, nothing has been compared.
    if (isWhole && this.#lastTable !== null) this.#hasCorrected = true
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
    const dump = await this.#parts.kernel.dump(this.#expected())
    if (this.#lastTable === null) this.written.settle(dump.table)
    // While nothing is written, every program may change the table.
    else if (this.#isCertain && this.#mode !== 'keep') this.#onDrift(this.#lastTable, dump.table)
    this.#lastTable = dump.table
    this.#isCertain = true
    this.#lastDump = { dump, at: steadyNow() }
    this.stats.lastResync = steadyNow()
  }

  /**
   * Returns the owned services (from the journal) with their known entries. If one is absent from a dump, it was
   * deleted.
   */
  #expected(): Expected {
    const ours = [...this.#parts.journal.services].map(id => {
      const key = keyOfService(id)
      return [key, { id, reals: this.#lastTable?.get(key)?.reals ?? new Map<string, never>() }] as const
    })
    return new Map(ours)
  }

  async #write(names: ReadonlySet<string> | null): Promise<void> {
    const { journal } = this.#parts
    const isWhole = names === null
    const held: Table = this.#lastTable ?? new Map()
    const computed = isWhole ? await this.#desiredOfAll(held) : this.#parts.desired(held, names)
    // The role may have changed between the slices.
    const mode = this.#mode
    const { internal = new Map<string, never>(), marks } = computed
    const desired = mode === 'empty' ? { ...computed, table: internal } : computed
    const actual = isWhole ? held : pick(held, desired.ids)
    this.#keepWanted(desired, isWhole)
    if (mode === 'keep') {
      if (isWhole) this.#onSuccess()
      return
    }
    const add = desired.ids.filter(id => desired.table.has(keyOfService(id)))
    this.#remember({ add, ...(marks && { marks }) })
    if (isWhole) this.#remember({ remove: this.#orphanedServices(desired.table, held) })
    const { untouched } = desired
    const owned = untouched?.size ? without(journal.owned, untouched) : journal.owned
    const changes = diff(desired.table, actual, owned)
    if (changes.length === 0) {
      if (isWhole) this.#onSuccess()
      return
    }
    await this.#applyAll(changes, isWhole)
  }

  async #applyAll(changes: readonly Change[], isWhole: boolean): Promise<void> {
    const refusals: Refused[] = []
    for (let at = 0; at < changes.length; at += MOST_CHANGES) {
      // To compare the whole table takes a turn, too, and so does a service with thousands of servers.
      if (at > 0 || isWhole || changes.length > FEW_CHANGES) await ownTurn()
      refusals.push(...(await this.#apply(changes.slice(at, at + MOST_CHANGES))))
    }
    const refused = new Set(refusals.map(({ change }) => change))
    const deleted = changes.filter(change => change.op === 'delete-service' && !refused.has(change))
    this.#remember({ remove: deleted.map(({ id }) => id) })
    const isDrift = ({ change, error }: Refused) => !isWhole && isDueToOthers(change, error.code)
    // The table is not as it was last read. The reading that follows tells what another program has changed.
    if (refusals.some(isDrift)) this.#isResyncDue = true
    const errors = refusals.filter(one => !isDrift(one)).map(({ error }) => error.message)
    if (errors.length > 0) this.#onRefusal(errors, isWhole)
    else if (isWhole) this.#onSuccess()
  }

  /** Returns what the kernel has refused. */
  async #apply(changes: readonly Change[]): Promise<readonly Refused[]> {
    const { kernel, log, onApplied, isInternal = () => false } = this.#parts
    const outcomes = await kernel.apply(changes)
    const done = changes.filter((_, i) => !outcomes[i])
    this.#lastTable = applied(this.#lastTable ?? new Map(), done)
    this.#lastDump = null
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

  // -------------------------------------------------------------- looks

  async #look(): Promise<void> {
    if (this.#isStopped) return
    this.#isLookDue = true
    await this.#run()
    if (this.#isAuto) this.#looks.every(this.#pace.interval)
  }

  /** Looks at the table, which makes a resync due if another program has changed it. */
  async #lookRound(): Promise<void> {
    this.#isLookDue = false
    // After a refusal a resync follows anyway.
    if (this.#isStopped || this.#lastTable === null || !this.#isCertain) return
    try {
      const { table, cost } = await this.#parts.kernel.look()
      this.stats.readingCost += cost
      this.#pace = nextPace(this.#pace, cost, TABLE_PACE)
      if (this.#isAuto) this.stats.reading = readingOf(this.#pace)
      if (this.#isAsExpected(table)) this.#onQuietLook(table)
      else this.#isResyncDue = true
    } catch {
      // The resync says why the table cannot be read.
      this.#isResyncDue = true
    }
  }

  /** Compares the services of lvsd. The same object has the same bytes as at the last look, and was compared then. */
  #isAsExpected(found: Table): boolean {
    const { owned } = this.#parts.journal
    const expected = this.#lastTable ?? new Map<string, never>()
    for (const key of owned) {
      const [was, is] = [expected.get(key), found.get(key)]
      if (was === is) continue
      if (!was || !is || diff(new Map([[key, was]]), new Map([[key, is]]), owned).length > 0) return false
    }
    return true
  }

  #onQuietLook(table: Table): void {
    this.#lastTable = table
    this.stats.lastResync = steadyNow()
    this.#drift.quiet(steadyNow())
    this.stats.disputes = this.#drift.disputes
  }

  // -------------------------------------------------------------- the journal

  /**
   * Returns owned services that are neither desired nor in the table: another program has removed them. They leave the
   * journal, so that lvsd does not remove such a service if another program creates it later.
   */
  #orphanedServices(desired: Table, held: Table): ServiceId[] {
    return this.#parts.journal.services.filter(id => {
      const key = keyOfService(id)
      return !desired.has(key) && !held.has(key)
    })
  }

  /** Writes to the journal. An error, such as a full disk, is logged once and does not stop the round. */
  #remember(change: Parameters<Journal['record']>[0]): void {
    const { journal, log } = this.#parts
    try {
      journal.record(change)
      if (this.#hasJournalFailed) log.info('journal.works', {}, 'the ownership journal can be written again')
      this.#hasJournalFailed = false
    } catch (error) {
      const fields = { error: (error as Error).message }
      if (!this.#hasJournalFailed)
        log.error(
          'journal.failed',
          fields,
          'the ownership journal cannot be written; lvsd continues without it',
        )
      this.#hasJournalFailed = true
    }
  }

  // -------------------------------------------------------------- refusals

  /**
   * Records and logs refusals, and schedules a resync, for a new refusal at once, even if older ones have reached the longest wait. A
   * partial round does not clear the refusals of other services.
   */
  #onRefusal(sentences: readonly string[], isWhole: boolean, cause?: unknown): void {
    const { log } = this.#parts
    const { stats } = this
    this.#isCertain = false
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
      void this.resync()
    }, wait)
  }

  #cancelRetry(): void {
    if (this.#retry) clearTimeout(this.#retry)
    this.#retry = null
  }

  #onSuccess(): void {
    if (this.stats.errors.length > 0)
      this.#parts.log.info('kernel.accepts', {}, 'the kernel accepts all changes again')
    this.stats.errors = []
    this.#failures = 0
  }

  /** Reads the table for its counters. Concurrent callers of `counters` share one read. */
  async #count(): Promise<Dump | null> {
    const at = steadyNow()
    const dump = await this.#parts.kernel.dump(this.#expected()).catch(() => null)
    if (dump) this.#lastDump = { dump, at }
    return dump
  }
}

function readingOf(pace: ReadPace): NonNullable<ReconcileStats['reading']> {
  return { interval: pace.interval, cost: costOf(pace) }
}

function replaced(all: Desired, part: Desired): Desired {
  const table = new Map(all.table)
  for (const id of part.ids) table.delete(keyOfService(id))
  for (const [key, service] of part.table) table.set(key, service)
  return { ...all, table }
}

function pauseAfter(took: number, { alarm }: Pick<Clock, 'alarm'>): Pause {
  const ms = Math.min(PAUSE_SHARE * took, PAUSE_UP_TO)
  if (ms < PAUSE_FROM) return NO_PAUSE
  let end = () => {}
  const over = new Promise<void>(resolve => {
    const cancel = alarm(ms, resolve)
    end = () => {
      cancel()
      resolve()
    }
  })
  return { over, end }
}

function without(keys: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...keys].filter(key => !others.has(key)))
}
