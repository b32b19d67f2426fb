/**
 * Where runs that are due wait while too many are under way. Servers that hang hold their place until the deadline, so
 * they must not hold all of them: runs whose last one timed out get at most half of the places, and at least an eighth,
 * so that their recovery is seen. Within its lane, who came first goes first.
 */

export interface Guest {
  /** Its last run ended with a timeout. Does not change while it waits or runs. */
  isSlow: boolean
  /** It is in a lane; the lobby's own. */
  isWaiting: boolean
  /** The lane from which it began; the lobby's own. */
  lane: 'quick' | 'slow'
}

export class Lobby<T extends Guest> {
  readonly #cap: number
  readonly #lanes = { quick: new Lane<T>(), slow: new Lane<T>() }
  #lastWasSlow = false

  constructor(cap: number) {
    this.#cap = Math.max(1, cap)
  }

  enter(guest: T): void {
    guest.lane = guest.isSlow ? 'slow' : 'quick'
    guest.isWaiting = true
    this.#lanes[guest.lane].push(guest)
  }

  /** It goes without having been called. */
  leave(guest: T): void {
    guest.isWaiting = false
    this.#lanes[guest.lane].waiting--
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
    const guest = lane.shift()
    guest.isWaiting = false
    return guest
  }

  done(guest: T): void {
    this.#lanes[guest.lane].underway--
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

class Lane<T extends Guest> {
  waiting = 0
  underway = 0
  readonly #line: T[] = []
  #head = 0

  push(guest: T): void {
    this.#line.push(guest)
    this.waiting++
  }

  /** The first that is still waiting; only while `waiting` is not 0. */
  shift(): T {
    let guest: T
    do guest = this.#line[this.#head++] as T
    while (!guest.isWaiting)
    this.waiting--
    // Forgets those gone by in large pieces, so that each costs next to nothing.
    if (this.#head >= 1024 || this.waiting === 0) {
      this.#line.splice(0, this.waiting === 0 ? this.#line.length : this.#head)
      this.#head = 0
    }
    return guest
  }
}
