/** The overrides of a site in memory: several directors, each of which may be cut off, or may not hear an answer. */
import type { EntryWrite, OverrideStore } from '../../src/cluster/overrides/override-store.js'
import type { OverrideEntry } from '../../src/cluster/overrides/shared-value.js'

export type Reach = 'there' | 'away' | 'answer lost'

export class MemoryOverrideStore {
  entries = new Map<string, OverrideEntry>()
  #revision = ''
  #writes = 0
  readonly #listeners = new Set<() => void>()

  /** The view of one director. */
  view(reach: () => Reach): OverrideStore {
    const asked = async <T>(work: () => T): Promise<T> => {
      if (reach() === 'away') throw new Error('refused')
      const answer = work()
      if (reach() === 'answer lost') throw new Error('silent')
      return answer
    }
    return {
      revision: () => asked(() => this.#revision),
      read: () => asked(() => ({ revision: this.#revision, entries: new Map(this.entries) })),
      write: writes => asked(() => this.#write(writes)),
      onNews: listener => {
        this.#listeners.add(listener)
        return () => this.#listeners.delete(listener)
      },
    }
  }

  /** As FLUSHALL. */
  flush(): void {
    this.entries.clear()
    this.#revision = ''
  }

  #write(writes: readonly EntryWrite[]): readonly string[] {
    const changed = writes.filter(({ id, expected }) => (this.entries.get(id)?.change ?? '') !== expected)
    if (changed.length > 0) return changed.map(({ id }) => id)
    for (const { id, entry } of writes)
      if (entry) this.entries.set(id, entry)
      else this.entries.delete(id)
    this.#revision = `${++this.#writes}`
    for (const listener of this.#listeners) listener()
    return []
  }
}
