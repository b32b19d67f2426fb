/** What is known of the kernel's table: what was read last, with all changes applied since. */
import { applied } from '../core/diff.js'
import { type Change, type Dump, keyOfService, type Table } from '../core/model.js'
import type { Expected, Kernel } from '../ipvs/kernel.js'
import type { Journal } from '../storage/journal.js'
import { steadyNow } from '../util/clock.js'

interface KnownTableParts {
  readonly kernel: Pick<Kernel, 'dump'>
  readonly journal: Pick<Journal, 'services'>
}

export class KnownTable {
  readonly #parts: KnownTableParts
  #table: Table | null = null
  #isCertain = true
  #lastDump: { readonly dump: Dump; readonly at: number } | null = null
  #counting: Promise<Dump | null> | null = null

  constructor(parts: KnownTableParts) {
    this.#parts = parts
  }

  /** Null before the first read. */
  get table(): Table | null {
    return this.#table
  }

  /** False after a refusal: the content of the kernel's table is then uncertain until the next read. */
  get isCertain(): boolean {
    return this.#isCertain
  }

  /** When the last dump was read, in milliseconds of the steady clock; null if changes were applied since. */
  get dumpAt(): number | null {
    return this.#lastDump?.at ?? null
  }

  /** Reads the table. */
  async read(): Promise<Dump> {
    const dump = await this.#parts.kernel.dump(this.#expected())
    this.#table = dump.table
    this.#isCertain = true
    this.#lastDump = { dump, at: steadyNow() }
    return dump
  }

  /** A look has found this, which is what was known. */
  seen(table: Table): void {
    this.#table = table
  }

  /** The kernel has taken these changes. */
  apply(changes: readonly Change[]): void {
    this.#table = applied(this.#table ?? new Map(), changes)
    this.#lastDump = null
  }

  /** The kernel has taken all changes that lead to these services: no copies of them are made. */
  reach(wanted: Table, changes: readonly Change[]): void {
    const next = new Map(this.#table ?? [])
    for (const { id } of changes) {
      const key = keyOfService(id)
      const service = wanted.get(key)
      if (service) next.set(key, service)
      else next.delete(key)
    }
    this.#table = next
    this.#lastDump = null
  }

  /** The kernel has refused a change. */
  doubt(): void {
    this.#isCertain = false
  }

  /**
   * Returns a dump at most `maxAge` milliseconds old, for its counters. Null if the kernel's table cannot be read. Concurrent callers
   * share one read.
   */
  async counters(maxAge: number): Promise<Dump | null> {
    if (this.#lastDump && steadyNow() - this.#lastDump.at <= maxAge) return this.#lastDump.dump
    this.#counting ??= this.#count().finally(() => {
      this.#counting = null
    })
    return this.#counting
  }

  async #count(): Promise<Dump | null> {
    const at = steadyNow()
    const dump = await this.#parts.kernel.dump(this.#expected()).catch(() => null)
    if (dump) this.#lastDump = { dump, at }
    return dump
  }

  /**
   * Returns the owned services (from the journal) with their known entries. If one is absent from a dump, it was
   * deleted.
   */
  #expected(): Expected {
    const ours = [...this.#parts.journal.services].map(id => {
      const key = keyOfService(id)
      return [key, { id, reals: this.#table?.get(key)?.reals ?? new Map<string, never>() }] as const
    })
    return new Map(ours)
  }
}
