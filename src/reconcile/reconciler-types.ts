/** What the reconciler needs of its owner, and what it tells. */
import type { Dispute } from '../core/disputes.js'
import type { Change, Dump, ResolvedService, ServiceId, Table } from '../core/model.js'
import type { TableMode } from '../core/role.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import type { Sliced } from '../util/time-slice.js'

export interface ReconcileStats {
  /** When the whole table was last compared, in milliseconds of the steady clock, or null. */
  lastResync: number | null
  /**
   * In milliseconds, how often the whole table is read back, how often its services are, with or without the rest, and what a reading
   * of the whole costs; null before the first `resyncEvery`.
   */
  reading: { readonly interval: number; readonly services: number; readonly cost: number | null } | null
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
  /** The services of the configuration, by whose names changes of other programs are told. */
  services?(): readonly ResolvedService[]
  /** Called with the changes that the kernel has accepted. */
  onApplied?(changes: readonly Change[]): void
  /** Called after each round. */
  onRound?(round: Round): void
  /** Clock for the pauses between rounds and between resyncs. */
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}
