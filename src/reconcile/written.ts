/** What lvsd last wrote to the kernel's table for each real server, and when. For people; does not survive a restart. */
import { type Change, keyOfReal, keyOfService } from '../core/model.js'

export interface Written {
  /** Milliseconds of the steady clock. */
  readonly at: number
  /** Null: lvsd removed the entry. */
  readonly weight: number | null
}

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

  /** Returns the last write for an entry; null if this process wrote none. */
  of(service: string, real: string): Written | null {
    const entries = this.#byService.get(service)
    return entries?.held.get(real) ?? entries?.removed.get(real) ?? null
  }

  #note(change: Change, at: number): void {
    const service = keyOfService(change.id)
    if (change.op === 'delete-service') this.#byService.delete(service)
    if (!('real' in change) && change.op !== 'delete-real') return
    const entries = this.#byService.get(service) ?? { held: new Map(), removed: new Map() }
    this.#byService.set(service, entries)
    if ('real' in change) noteHeld(entries, keyOfReal(change.real), { at, weight: change.real.weight })
    else noteRemoved(entries, keyOfReal(change.was), { at, weight: null })
  }
}

function noteHeld({ held, removed }: Entries, key: string, written: Written): void {
  removed.delete(key)
  held.set(key, written)
}

/** The number is limited, because a name may resolve to new addresses again and again. */
function noteRemoved({ held, removed }: Entries, key: string, written: Written): void {
  held.delete(key)
  removed.set(key, written)
  const [oldest] = removed.keys()
  if (removed.size > MOST_REMOVED && oldest !== undefined) removed.delete(oldest)
}
