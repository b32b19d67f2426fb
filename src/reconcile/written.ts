/** What lvsd last wrote to the kernel's table for each real server, and when. For people: no rule uses it. */
import { type Change, keyOfReal, keyOfService, type Table } from '../core/model.js'

export interface Written {
  /** Milliseconds of the steady clock. */
  readonly at: number
  /** Null: lvsd removed the entry. */
  readonly weight: number | null
  /** True: an earlier run of lvsd wrote it, and the kernel still holds it. */
  readonly isEarlier: boolean
}

/** A write as it is stored for the next run. */
type Saved = readonly [service: string, real: string, age: number, weight: number | null]

/** Maximum number of removed entries that are kept for each service. */
const MOST_REMOVED = 1000

interface Entries {
  readonly held: Map<string, Written>
  /** The oldest first. */
  readonly removed: Map<string, Written>
}

export class WrittenEntries {
  readonly #byService = new Map<string, Entries>()

  /** Records changes that the kernel has accepted. */
  note(changes: readonly Change[], now: number): void {
    for (const change of changes) this.#note(change, now)
  }

  /** Returns the last write for an entry; null if it is not known. */
  of(service: string, real: string): Written | null {
    const entries = this.#byService.get(service)
    return entries?.held.get(real) ?? entries?.removed.get(real) ?? null
  }

  /**
   * Takes the table that a start finds, and forgets the writes of earlier runs that it contradicts: another program has
   * changed the table since, the machine has booted, or the last write was lost in a crash.
   *
   *   write          table                      afterwards
   *   a weight       the same weight            kept
   *   a weight       another weight, no entry   forgotten
   *   removed it     no entry                   kept
   *   removed it     an entry                   forgotten
   *   any            no such service            forgotten
   */
  settle(table: Table): void {
    for (const [service, { held, removed }] of this.#byService) {
      const found = table.get(service)?.reals
      if (!found) {
        this.#byService.delete(service)
        continue
      }
      for (const [key, { weight }] of held) if (found.get(key)?.weight !== weight) held.delete(key)
      for (const key of removed.keys()) if (found.has(key)) removed.delete(key)
    }
  }

  /** The section of these writes in what a restart remembers (`health/health-memory.ts`). */
  memory(now: () => number) {
    return {
      name: 'written',
      snapshot: () => this.#saved(now()),
      restore: (value: unknown, ageMs: number) => this.#restore(value, now() - ageMs),
    }
  }

  *#saved(now: number): Generator<Saved> {
    for (const [service, { held, removed }] of this.#byService)
      for (const entries of [removed, held])
        for (const [real, { at, weight }] of entries) yield [service, real, Math.round(now - at), weight]
  }

  /** Throws if the value is not a write. */
  #restore(value: unknown, savedAt: number): void {
    const [service, real, age, weight] = value as Saved
    if (typeof service !== 'string' || typeof real !== 'string' || !Number.isFinite(age))
      throw new Error('no write')
    const written = { at: savedAt - age, weight: weight === null ? null : Number(weight), isEarlier: true }
    this.#enter(service, real, written)
  }

  #note(change: Change, at: number): void {
    const service = keyOfService(change.id)
    if (change.op === 'delete-service') this.#byService.delete(service)
    if ('real' in change)
      this.#enter(service, keyOfReal(change.real), { at, weight: change.real.weight, isEarlier: false })
    else if (change.op === 'delete-real')
      this.#enter(service, keyOfReal(change.was), { at, weight: null, isEarlier: false })
  }

  #enter(service: string, key: string, written: Written): void {
    const entries = this.#byService.get(service) ?? { held: new Map(), removed: new Map() }
    this.#byService.set(service, entries)
    if (written.weight === null) enterRemoved(entries, key, written)
    else enterHeld(entries, key, written)
  }
}

function enterHeld({ held, removed }: Entries, key: string, written: Written): void {
  removed.delete(key)
  held.set(key, written)
}

/** The number is limited, because a name may resolve to new addresses again and again. */
function enterRemoved({ held, removed }: Entries, key: string, written: Written): void {
  held.delete(key)
  removed.set(key, written)
  const [oldest] = removed.keys()
  if (removed.size > MOST_REMOVED && oldest !== undefined) removed.delete(oldest)
}
