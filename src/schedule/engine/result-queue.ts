/**
 * Results from the engine's thread on their way to the core, in their order. Each that is news may change a state, which is
 * logged and told; a message may have hundreds of them, so they are taken a few at a turn of the event loop. So are those without news,
 * of which a busy core gets thousands at once.
 */
import type { Repeats, Report } from './protocol.js'

export type Results = Pick<Report & { readonly kind: 'results' }, 'repeats' | 'full' | 'deferred'>

/** Results that may be news which are taken in one turn: some five milliseconds, if all of them are. */
export const MOST_IN_A_TURN = 64
/** Results without news that count as one that may be news. */
export const REPEATS_FOR_ONE = 16

export class ResultQueue {
  readonly #take: (results: Results) => void
  /** What is not taken yet. */
  readonly #waiting: Results[] = []
  /** How many may be taken in this turn. */
  #room = MOST_IN_A_TURN
  /** True while the end of a turn is awaited. */
  #isCounting = false

  constructor(take: (results: Results) => void) {
    this.#take = take
  }

  add(results: Results): void {
    this.#waiting.push(results)
    this.#takeSome()
    this.#count()
  }

  clear(): void {
    this.#waiting.length = 0
  }

  #count(): void {
    if (this.#isCounting || (this.#waiting.length === 0 && this.#room === MOST_IN_A_TURN)) return
    this.#isCounting = true
    setImmediate(() => this.#endTurn())
  }

  /** A turn in which messages have come ends with the immediates, so these have what is left of it. */
  #endTurn(): void {
    this.#isCounting = false
    this.#takeSome()
    this.#room = MOST_IN_A_TURN
    this.#count()
  }

  #takeSome(): void {
    for (let first = this.#waiting[0]; first && this.#room > 0; first = this.#waiting[0]) {
      const { repeats, full, deferred } = first
      const end = repeats ? this.#endOf(repeats) : 0
      if (repeats && end < repeats.length) {
        this.#waiting[0] = { repeats: repeats.subarray(end), full, deferred }
        this.#take({ repeats: repeats.subarray(0, end), full: [], deferred: [] })
        return
      }
      const some = full.slice(0, Math.max(0, this.#room))
      const left = full.slice(some.length)
      this.#room -= some.length
      if (left.length === 0) this.#waiting.shift()
      else this.#waiting[0] = { repeats: null, full: left, deferred }
      this.#take({ repeats, full: some, deferred: left.length === 0 ? deferred : [] })
      if (repeats) giveUp(repeats)
    }
  }

  /** Returns where those end that there is room for, and takes this room. */
  #endOf(repeats: Repeats): number {
    let end = 0
    let count = 0
    const most = this.#room * REPEATS_FOR_ONE
    for (; end < repeats.length && count < most; count++) end += 4 + (repeats[end + 3] as number)
    this.#room -= Math.ceil(count / REPEATS_FOR_ONE)
    return end
  }
}

/**
 * Leaves the memory of a message that has been read to an object that is garbage at once. That of the message itself may have got into V8's
 * old generation while it was read, and its memory would be held until V8 collects that: 140 kB each time, with 5,000 checks a second.
 */
function giveUp({ buffer }: Repeats): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
}
