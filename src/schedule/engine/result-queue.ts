/**
 * Results from the engine's thread on their way to the core, in their order. Each that is news may change a state, which is
 * logged and told; a message may have hundreds of them, so they are taken a few at a turn of the event loop.
 */
import type { Repeats, Report } from './protocol.js'

export type Results = Pick<Report & { readonly kind: 'results' }, 'repeats' | 'full' | 'deferred'>

/** Results that may be news which are taken in one turn: some five milliseconds, if all of them are. */
export const MOST_IN_A_TURN = 64

export class ResultQueue {
  readonly #take: (results: Results) => void
  /** What is not taken yet. */
  readonly #waiting: Results[] = []
  /** How many may be taken in this turn. */
  #room = MOST_IN_A_TURN

  constructor(take: (results: Results) => void) {
    this.#take = take
  }

  add(results: Results): void {
    this.#waiting.push(results)
    // The first ones of this turn.
    if (this.#room === MOST_IN_A_TURN && results.full.length > 0) setImmediate(() => this.#nextTurn())
    this.#takeSome()
  }

  clear(): void {
    this.#waiting.length = 0
  }

  #nextTurn(): void {
    this.#room = MOST_IN_A_TURN
    if (this.#waiting.length === 0) return
    setImmediate(() => this.#nextTurn())
    this.#takeSome()
  }

  #takeSome(): void {
    for (let first = this.#waiting[0]; first && this.#room > 0; first = this.#waiting[0]) {
      const { repeats, full, deferred } = first
      const some = full.slice(0, this.#room)
      const left = full.slice(this.#room)
      this.#room -= some.length
      if (left.length === 0) this.#waiting.shift()
      else this.#waiting[0] = { repeats: null, full: left, deferred }
      this.#take({ repeats, full: some, deferred: left.length === 0 ? deferred : [] })
      if (repeats) giveUp(repeats)
    }
  }
}

/**
 * Leaves the memory of a message that has been read to an object that is garbage at once. That of the message itself may have got into V8's
 * old generation while it was read, and its memory would be held until V8 collects that: 140 kB each time, with 5,000 checks a second.
 */
function giveUp({ buffer }: Repeats): void {
  structuredClone(buffer, { transfer: [buffer as ArrayBuffer] })
}
