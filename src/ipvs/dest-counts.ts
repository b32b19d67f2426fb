/** What a dump says of the connections of real servers, read without decoding the rest: it is asked for many times a second. */
import type { Flow } from '../core/refusals.js'
import { levels } from './attributes.js'
import { endOf, HEADER, outerEnd, typeOf } from './steady-words.js'

/** Values of one real server: active connections, and those of a `Flow`. */
const WIDTH = 4
const ACTIVE = levels.dest.ACTIVE_CONNS[0]
const STATS64 = levels.dest.STATS64[0]
const { CONNS, INPKTS, OUTPKTS } = levels.stats

export class DestCounts {
  #values = new Int32Array(64 * WIDTH)
  #count = 0
  #source: Int32Array = new Int32Array(0)

  clear(): void {
    this.#count = 0
  }

  /**
   * Adds one real server: the attribute at `start` contains its attributes, each aligned to four bytes. `data` begins at the
   * begin of its memory. Throws a NetlinkError if it is malformed.
   */
  add(data: Buffer, start: number, end: number): void {
    if (this.#source.buffer !== data.buffer)
      this.#source = new Int32Array(data.buffer, 0, data.byteLength >> 2)
    const at = this.#count * WIDTH
    if (at + WIDTH > this.#values.length) this.#grow()
    this.#values.fill(0, at, at + WIDTH)
    const from = this.#source
    const last = outerEnd(from, start, end)
    for (let here = start + HEADER, next = here; here < last; here = next) {
      const header = from[here >> 2] as number
      next = endOf(header, here, last)
      const type = typeOf(header)
      if (type === ACTIVE) this.#values[at] = from[(here >> 2) + 1] as number
      else if (type === STATS64) this.#addCounters(at, here, next)
    }
    this.#count++
  }

  equals(other: DestCounts): boolean {
    if (other.#count !== this.#count) return false
    const [mine, others] = [this.#values, other.#values]
    for (let i = 0; i < this.#count * WIDTH; i++) if (mine[i] !== others[i]) return false
    return true
  }

  /** A copy of its own. */
  kept(): DestCounts {
    const copy = new DestCounts()
    copy.#values = this.#values.slice(0, this.#count * WIDTH)
    copy.#count = this.#count
    return copy
  }

  get active(): readonly number[] {
    return Array.from({ length: this.#count }, (_, i) => this.#values[i * WIDTH] as number)
  }

  flowOf(place: number): Flow {
    const at = place * WIDTH
    const [connections = 0, received = 0, sent = 0] = [
      this.#values[at + 1],
      this.#values[at + 2],
      this.#values[at + 3],
    ]
    return { connections, received, sent }
  }

  /** The lower half of each 64 bits. */
  #addCounters(at: number, start: number, last: number): void {
    const from = this.#source
    for (let here = start + HEADER, next = here; here < last; here = next) {
      const header = from[here >> 2] as number
      next = endOf(header, here, last)
      const type = typeOf(header)
      const place = type === CONNS[0] ? 1 : type === INPKTS[0] ? 2 : type === OUTPKTS[0] ? 3 : 0
      if (place > 0) this.#values[at + place] = from[(here >> 2) + 1] as number
    }
  }

  #grow(): void {
    const wider = new Int32Array(2 * this.#values.length)
    wider.set(this.#values)
    this.#values = wider
  }
}
