/**
 * A time for each of many keys, with one timer for the earliest. The work at an expiry is proportional to the keys that
 * are due, not to all keys.
 */
import type { Clock } from './clock.js'
import { DueHeap, type HeapItem } from './due-heap.js'

export interface DeadlinesParts<K> {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  /** Called with the keys that are due, the earliest first. Their times are removed; the callback may set new ones. */
  onDue(keys: readonly K[]): void
  /**
   * Longest alarm in milliseconds. After it the clock is read again. For a wall clock, which can be set, a minute is
   * sensible.
   */
  readonly longest?: number
}

interface Deadline<K> extends HeapItem {
  readonly key: K
}

/** One day. A timer of Node.js above 24.8 days would fire at once. */
const LONGEST = 86_400_000

export class Deadlines<K> {
  readonly #parts: DeadlinesParts<K>
  readonly #longest: number
  readonly #heap = new DueHeap<Deadline<K>>()
  readonly #byKey = new Map<K, Deadline<K>>()
  #cancel = () => {}
  /** Time of the alarm; infinity without one. */
  #alarmAt = Number.POSITIVE_INFINITY
  #isClosed = false

  constructor(parts: DeadlinesParts<K>) {
    this.#parts = parts
    this.#longest = parts.longest ?? LONGEST
  }

  /** Number of keys with a time. */
  get size(): number {
    return this.#byKey.size
  }

  /** Returns the time of the key, or null. */
  at(key: K): number | null {
    return this.#byKey.get(key)?.due ?? null
  }

  /** Sets the time of the key, in milliseconds of the clock, or removes it (null). A past time is due at once. */
  set(key: K, at: number | null): void {
    const known = this.#byKey.get(key)
    if (at === null) {
      // The case of most keys, as thousands of servers that have no time.
      if (!known) return
      this.#remove(known)
    } else if (known?.due !== at) {
      const deadline = known ?? { key, due: at, heapIndex: -1 }
      this.#byKey.set(key, deadline)
      this.#heap.put(deadline, at)
    }
    this.#setAlarm()
  }

  /** Removes all keys. */
  clear(): void {
    for (const deadline of [...this.#byKey.values()]) this.#remove(deadline)
    this.#setAlarm()
  }

  /** Cancels the alarm permanently. */
  close(): void {
    this.#isClosed = true
    this.#disarm()
  }

  #remove(deadline: Deadline<K>): void {
    this.#heap.remove(deadline)
    this.#byKey.delete(deadline.key)
  }

  /** An alarm that is too early stays: it costs one look at the clock, a new timer for each `set` costs more. */
  #setAlarm(): void {
    const { first } = this.#heap
    if (first && this.#alarmAt <= first.due) return
    this.#disarm()
    if (this.#isClosed || !first) return
    const { now, alarm } = this.#parts.clock
    const at = now()
    const wait = Math.min(Math.max(0, first.due - at), this.#longest)
    this.#alarmAt = at + wait
    this.#cancel = alarm(wait, () => this.#ring())
  }

  #disarm(): void {
    this.#cancel()
    this.#alarmAt = Number.POSITIVE_INFINITY
  }

  #ring(): void {
    this.#disarm()
    const now = this.#parts.clock.now()
    const due: K[] = []
    for (let { first } = this.#heap; first && first.due <= now; { first } = this.#heap) {
      this.#remove(first)
      due.push(first.key)
    }
    // The alarm comes first: an exception in `onDue` must not stop the other keys.
    this.#setAlarm()
    if (due.length > 0) this.#parts.onDue(due)
  }
}
