/** The interface to an IPVS table, implemented by the kernel's table and the memory table. */
import type {
  Change,
  Dump,
  RealCounters,
  ServiceAttributes,
  ServiceId,
  Table,
  TableReal,
  Timeouts,
} from '../core/model.js'
import type { Flow } from '../core/refusals.js'
import type { SyncDaemon, SyncState } from '../core/sync-daemon.js'

/** A change or request that the kernel refused. The message says what to do. `code` is the errno name (EPERM, ENOENT …). */
export class KernelError extends Error {
  override readonly name = 'KernelError'
  readonly code: string

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The entries that a dump should find, keyed by `keyOfService` and `keyOfReal`. A `Table` has this type. */
export type Expected = ReadonlyMap<
  string,
  { readonly id: ServiceId; readonly reals: { keys(): Iterable<string> } }
>

/** A real server of the kernel's table with its counters. */
export interface CountedReal {
  readonly real: TableReal
  readonly counters: RealCounters
}

/** The table without counters, and what reading it has cost. */
export interface Look {
  /** A service whose bytes are those of the last look is the same object as there. */
  readonly table: Table
  /** Milliseconds of one processor, for the kernel and lvsd together, with waking up. */
  readonly cost: number
}

/** The services by `keyOfService`, without their real servers, and what reading them has cost, as of a `Look`. */
export interface ServicesLook {
  readonly services: ReadonlyMap<string, ServiceAttributes>
  readonly cost: number
}

/** Active connections and counters by real server, in the order of the kernel. */
export interface ActiveConnections {
  /** Keys (`keyOfReal`). The same object as before while the real servers are the same, in the same order. */
  readonly reals: readonly string[]
  readonly counts: readonly number[]
  /** Returns what has passed between clients and the real server at this place. */
  flowOf(place: number): Flow
}

export interface Kernel {
  /**
   * Reads the table at a fraction of the cost of `dump`, since only what has changed is decoded. An entry may be missing
   * that exists (see `dump`), so what has changed has to be read with `dump`. Throws a KernelError.
   */
  look(): Promise<Look>
  /** Reads the services alone, in a single dump. Waits for nothing. As with `look`, an entry may be missing. Throws a KernelError. */
  lookAtServices(): ServicesLook
  /**
   * Reads the whole table with its counters (a resync). The kernel dumps the table in pages and counts entries, so a
   * deletion by another program during the dump makes it skip an entry. Entries that are in `expected` but missing in
   * the dump are therefore requested individually. Throws a KernelError.
   */
  dump(expected?: Expected): Promise<Dump>
  /**
   * Reads the real servers of one service, by `keyOfReal`; none if the service does not exist. Reads again if a key of
   * `expected` is missing (see `dump`). Throws a KernelError.
   */
  reals(id: ServiceId, expected?: Iterable<string>): Promise<ReadonlyMap<string, CountedReal>>
  /**
   * Applies the changes in order, in batches, and continues after a refused one. Returns one entry per change: null if
   * it succeeded. Throws a KernelError only if nothing can be sent.
   */
  apply(changes: readonly Change[]): Promise<readonly (KernelError | null)[]>
  /** Returns the active connections and counters of the real servers of one service. Waits for nothing. Throws a KernelError. */
  active(id: ServiceId): ActiveConnections
  timeouts(): Promise<Timeouts>
  /** Sets the timeouts in seconds; 0 leaves a timeout unchanged. Throws a KernelError. */
  setTimeouts(timeouts: Timeouts): Promise<void>
  /** Absent where there is none. */
  readonly sync?: SyncControl
  close(): void
}

/** The kernel's sync daemons. Each method throws a KernelError. */
export interface SyncControl {
  daemons(): Promise<readonly SyncDaemon[]>
  start(daemon: SyncDaemon): Promise<void>
  /** Does nothing if none of this state runs. */
  stop(state: SyncState): Promise<void>
}
