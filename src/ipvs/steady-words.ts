/**
 * What a dump says of the entries of one level, without their counters: comparable as bytes, and decodable. The kernel
 * aligns attributes to four bytes and sets the bytes between them to 0, so they are copied and compared as words.
 */
import { type Layout, nested, type Values } from '../netlink/attribute.js'
import type { Visitor } from '../netlink/connection.js'
import { malformed } from '../netlink/error.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'

/** Which attributes are kept, by number. */
export interface Level<L extends Layout> {
  readonly kept: readonly boolean[]
  decode(from: Buffer, start: number, end: number): Values<L>
}

/** Returns the level without the attributes that are named in `left`. Attributes that the layout lacks are left out too. */
export function levelWithout<L extends Layout>(layout: L, left: readonly string[]): Level<L> {
  const kept: boolean[] = []
  for (const [name, [number]] of Object.entries(layout)) kept[number] = !left.includes(name)
  const kind = nested(layout)
  return { kept, decode: (from, start, end) => kind.read(from, start, end) }
}

/** Bytes of an attribute before its value: u16 length and u16 type. The host is little-endian (libc.ts). */
export const HEADER = 4
const TYPE_MASK = 0x3fff

export class SteadyWords<L extends Layout> {
  readonly #level: Level<L>
  #words = new Int32Array(256)
  #length = 0
  /** For each entry, the end of its words. */
  #ends: number[] = []
  #source: Int32Array = new Int32Array(0)

  constructor(level: Level<L>) {
    this.#level = level
  }

  get count(): number {
    return this.#ends.length
  }

  clear(): void {
    this.#length = 0
    this.#ends = []
  }

  /**
   * Adds one entry: the attribute at `start` contains its attributes. `data` begins at the begin of its memory. Throws a
   * NetlinkError if it is malformed.
   */
  add(data: Buffer, start: number, end: number): void {
    if (this.#source.buffer !== data.buffer)
      this.#source = new Int32Array(data.buffer, 0, data.byteLength >> 2)
    const size = (end - start) >> 2
    if (this.#length + size > this.#words.length) this.#grow(size)
    const from = this.#source
    const to = this.#words
    const last = outerEnd(from, start, end)
    let length = this.#length
    for (let at = start + HEADER; at < last; ) {
      const header = from[at >> 2] as number
      const next = endOf(header, at, last)
      if (this.#level.kept[typeOf(header)])
        for (let i = at >> 2; i < next >> 2; i++) to[length++] = from[i] as number
      at = next
    }
    this.#length = length
    this.#ends.push(length)
  }

  equals(other: SteadyWords<L>): boolean {
    if (this.#length !== other.#length || this.count !== other.count) return false
    return this.#bytes().equals(other.#bytes())
  }

  /** Decodes all entries; attributes that the level does not keep are absent. */
  decode(): Values<L>[] {
    return runSync(this.decoding())
  }

  /** Same as `decode`, in time slices. Nothing may be added meanwhile. */
  *decoding(): Sliced<Values<L>[]> {
    const bytes = this.#bytes()
    const all: Values<L>[] = []
    yield* eachInSteps(this.#ends, (end, i) => {
      all.push(this.#level.decode(bytes, 4 * (this.#ends[i - 1] ?? 0), 4 * end))
    })
    return all
  }

  /** Takes the entries of a dump in place of those that it has. */
  visitor(): Visitor {
    return {
      begin: () => this.clear(),
      visit: (data, start, end) => this.add(data, start, end),
    }
  }

  /** A copy of its own that takes no more memory than its words. */
  kept(): SteadyWords<L> {
    const copy = new SteadyWords(this.#level)
    copy.#words = this.#words.slice(0, this.#length)
    copy.#length = this.#length
    copy.#ends = this.#ends
    return copy
  }

  #bytes(): Buffer {
    return Buffer.from(this.#words.buffer, 0, 4 * this.#length)
  }

  #grow(by: number): void {
    const wider = new Int32Array(2 * (this.#length + by))
    wider.set(this.#words.subarray(0, this.#length))
    this.#words = wider
  }
}

/** Returns the end of the attribute at `start`, which contains all others. Throws a NetlinkError if it is malformed. */
export function outerEnd(from: Int32Array, start: number, end: number): number {
  const size = end - start < HEADER ? 0 : (from[start >> 2] as number) & 0xffff
  if (size < HEADER || start + size > end || start % 4 !== 0) throw malformed(`an entry of ${size} bytes`)
  return start + size
}

/** Returns the end of the attribute with this header, aligned to four bytes. Throws a NetlinkError if it is malformed. */
export function endOf(header: number, start: number, last: number): number {
  const bytes = header & 0xffff
  if (bytes < HEADER || start + bytes > last) throw malformed(`an attribute of length ${bytes}`)
  return start + ((bytes + 3) & ~3)
}

/** Returns the number of the attribute with this header. */
export function typeOf(header: number): number {
  return (header >>> 16) & TYPE_MASK
}
