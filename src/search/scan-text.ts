/**
 * Searches for plain bytes. Node's search is the fastest, but it does not work across chunks, and with a needle of some
 * hundred bytes it may compare each byte of the text that many times. In these cases the algorithm of Knuth, Morris and
 * Pratt is used.
 */
import type { Scan } from './scan.js'

/**
 * Maximum needle length for Node's search, in bytes. V8 uses only the last 250 bytes of a needle to compute how far it
 * may skip; up to there the search is linear.
 */
const SHORT = 200

/** A needle with its failure table: for each length of a matching prefix, the next shorter prefix that may match. */
export interface Needle {
  readonly bytes: Buffer
  readonly shorter: Int32Array
}

export function needleOf(bytes: Buffer): Needle {
  const shorter = new Int32Array(bytes.length + 1)
  for (let i = 1, matched = 0; i < bytes.length; i++) {
    matched = advance({ bytes, shorter }, matched, bytes[i] as number)
    shorter[i + 1] = matched
  }
  return { bytes, shorter }
}

/** Returns the length of the matching prefix up to this byte. `matched` must be less than the needle's length. */
function advance({ bytes, shorter }: Needle, matched: number, byte: number): number {
  let length = matched
  while (length > 0 && bytes[length] !== byte) length = shorter[length] as number
  return bytes[length] === byte ? length + 1 : 0
}

export class TextScan implements Scan {
  readonly #needle: Needle
  /** Length of the needle's prefix at the end of the data so far. */
  #matched = 0
  #isFound: boolean

  constructor(needle: Needle) {
    this.#needle = needle
    this.#isFound = needle.bytes.length === 0
  }

  push(bytes: Buffer, from: number, to: number): void {
    const { length } = this.#needle.bytes
    if (length > SHORT || to - from < 2 * length) this.#advance(bytes, from, to)
    else this.#jump(bytes, from, to)
  }

  /** Searches for a match from an earlier chunk, then within this chunk, then for one that may continue. */
  #jump(bytes: Buffer, from: number, to: number): void {
    const { length } = this.#needle.bytes
    if (this.#matched > 0) this.#advance(bytes, from, from + length - 1)
    this.#isFound ||= bytes.subarray(from, to).includes(this.#needle.bytes)
    this.#matched = 0
    this.#advance(bytes, to - length + 1, to)
  }

  occurs(): boolean {
    return this.#isFound
  }

  end(): boolean {
    return this.#isFound
  }

  #advance(bytes: Buffer, from: number, to: number): void {
    const { length } = this.#needle.bytes
    let matched = this.#matched
    for (let at = from; at < to && !this.#isFound; at++) {
      matched = advance(this.#needle, matched, bytes[at] as number)
      this.#isFound = matched === length
    }
    this.#matched = matched
  }
}
