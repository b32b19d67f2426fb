/**
 * Where runs that are due wait while too many are under way. Servers that hang hold their place until the deadline, so
 * they must not hold all of them: runs whose last one timed out get at most half of the places, and at least an eighth,
 * so that their recovery is seen. Within its lane, who came first goes first.
 */

export interface Queued {
  /** Its last run ended with a timeout. Does not change while it waits or runs. */
  isSlow: boolean
  /** It is in a lane; the queue's own. */
  isWaiting: boolean
  /** The lane from which it began; the queue's own. */
  lane: 'quick' | 'slow'
}

export class FairQueue<T extends Queued> {
  readonly #cap: number
  readonly #lanes = { quick: new Lane<T>(), slow: new Lane<T>() }
  #lastWasSlow = false

  constructor(cap: number) {
    this.#cap = Math.max(1, cap)
  }

  enqueue(item: T): void {
    item.lane = item.isSlow ? 'slow' : 'quick'
    item.isWaiting = true
    this.#lanes[item.lane].push(item)
  }

  /** It goes without having been called. */
  withdraw(item: T): void {
    item.isWaiting = false
    this.#lanes[item.lane].waiting--
  }

  /** True where `next` would call one. */
  get hasNext(): boolean {
    return this.#lane() !== null
  }

  /** Calls the next one that may begin now, or nobody; `done` says when it has ended. */
  next(): T | null {
    const lane = this.#lane()
    if (!lane) return null
    this.#lastWasSlow = lane === this.#lanes.slow
    lane.underway++
    const item = lane.shift()
    item.isWaiting = false
    return item
  }

  release(item: T): void {
    this.#lanes[item.lane].underway--
  }

  #lane(): Lane<T> | null {
    const { quick, slow } = this.#lanes
    if (quick.underway + slow.underway >= this.#cap) return null
    if (slow.waiting > 0 && this.#isSlowTurn(quick, slow)) return slow
    return quick.waiting > 0 ? quick : null
  }

  #isSlowTurn(quick: Lane<T>, slow: Lane<T>): boolean {
    if (quick.waiting > 0) return slow.underway < Math.ceil(this.#cap / 8) && !this.#lastWasSlow
    return slow.underway < Math.ceil(this.#cap / 2)
  }
}

class Lane<T extends Queued> {
  waiting = 0
  underway = 0
  readonly #line: T[] = []
  #head = 0

  push(item: T): void {
    this.#line.push(item)
    this.waiting++
  }

  /** The first that is still waiting; only while `waiting` is not 0. */
  shift(): T {
    let item: T
    do item = this.#line[this.#head++] as T
    while (!item.isWaiting)
    this.waiting--
    // Forgets those gone by in large pieces, so that each costs next to nothing.
    if (this.#head >= 1024 || this.waiting === 0) {
      this.#line.splice(0, this.waiting === 0 ? this.#line.length : this.#head)
      this.#head = 0
    }
    return item
  }
}
