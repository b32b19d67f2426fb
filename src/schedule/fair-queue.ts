/**
 * Queue for due runs while too many are in progress. Hanging servers occupy their places until the deadline, so they
 * must not occupy all: jobs whose last run timed out get at most half of the places. They get at least an eighth, so
 * that their recovery is noticed. Within a lane, the order is first in, first out.
 */

export interface Queued {
  /** True if the last run timed out. It does not change while the job waits or runs. */
  isSlow: boolean
  /** True while the item is in a lane. Managed by the queue. */
  isWaiting: boolean
  /** The lane of the current run. Managed by the queue. */
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

  /** Removes a waiting item. */
  withdraw(item: T): void {
    item.isWaiting = false
    this.#lanes[item.lane].waiting--
  }

  /** Number of items that wait. */
  get waiting(): number {
    return this.#lanes.quick.waiting + this.#lanes.slow.waiting
  }

  /** True if `next` would return an item. */
  get hasNext(): boolean {
    return this.#lane() !== null
  }

  /** Removes and returns the next item that may start now, or null. The caller must call `release` when its run ends. */
  next(): T | null {
    const lane = this.#lane()
    if (!lane) return null
    this.#lastWasSlow = lane === this.#lanes.slow
    lane.underway++
    const item = lane.shift()
    item.isWaiting = false
    return item
  }

  /** Puts an item back to the head that `next` has returned; it is no longer underway. */
  putBack(item: T): void {
    this.release(item)
    item.isWaiting = true
    this.#lanes[item.lane].unshift(item)
  }

  /** Counts a run that starts without having waited, as one of the quick lane. `release` must be called when it ends. */
  begin(item: T): void {
    item.lane = 'quick'
    this.#lanes.quick.underway++
  }

  /** Number of further runs that may be in progress. */
  get room(): number {
    const { quick, slow } = this.#lanes
    return this.#cap - quick.underway - slow.underway
  }

  /** True if slow items wait, which take turns with the quick ones. */
  get hasSlow(): boolean {
    return this.#lanes.slow.waiting > 0
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

  unshift(item: T): void {
    if (this.#head === 0) this.#line.unshift(item)
    else this.#line[--this.#head] = item
    this.waiting++
  }

  /** Removes and returns the first item that is still waiting. `waiting` must not be 0. */
  shift(): T {
    let item: T
    do item = this.#line[this.#head++] as T
    while (!item.isWaiting)
    this.waiting--
    // Removed items are deleted in large blocks, so that the cost per item is low.
    if (this.#head >= 1024 || this.waiting === 0) {
      this.#line.splice(0, this.waiting === 0 ? this.#line.length : this.#head)
      this.#head = 0
    }
    return item
  }
}
