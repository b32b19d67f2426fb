/**
 * Searches for plain bytes. Node's own search is the fastest, but not across pieces, and with needles of some hundred
 * bytes it may look at each byte of the text as often; there the algorithm of Knuth, Morris and Pratt takes over.
 */
import type { Scan } from './scan.js'

/** Up to this length Node's search is linear: V8 looks at the last 250 bytes of a needle for what it may skip. */
const SHORT = 200

/** A needle and, for each length of a matching beginning, the next shorter one that may match too. */
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

/** How much of the needle's beginning matches up to this byte. Never called with the whole of it matched. */
function advance({ bytes, shorter }: Needle, matched: number, byte: number): number {
  let length = matched
  while (length > 0 && bytes[length] !== byte) length = shorter[length] as number
  return bytes[length] === byte ? length + 1 : 0
}

export class TextScan implements Scan {
  readonly #needle: Needle
  /** So much of the needle's beginning stands at the end of what has come. */
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

  /** Looks at what began before, then at what stands within, then at what may go on afterwards. */
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
