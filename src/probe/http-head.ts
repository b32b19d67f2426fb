/** Collects the head of an HTTP response up to the blank line that ends it. Each byte is examined once. */
import { type Answer, down } from '../check/check.js'
import { HEAD_LIMIT } from './chunked.js'
import { showBytes } from './match-text.js'

const LF = 10
const CR = 13
const START = Buffer.from('HTTP/')
const NOTHING = Buffer.alloc(0)

export class HttpHead {
  /** The part of the head from earlier chunks; grows by doubling. */
  #bytes: Buffer = NOTHING
  #length = 0
  /** Bytes of all heads of this response, including interim responses. */
  #total = 0
  /** Parser position: within a line, after LF, or after LF CR. */
  #at: 'line' | 'line end' | 'blank line' = 'line'

  /** True if no byte of a head has arrived. */
  get isEmpty(): boolean {
    return this.#length === 0
  }

  /** The received part of an incomplete head, for people. */
  get shown(): string {
    return showBytes(this.#bytes.subarray(0, this.#length))
  }

  /** Parses from `from`. Returns the head and the offset of the body, null if more data is needed, or the answer. */
  push(bytes: Buffer, from: number): { readonly head: string; readonly next: number } | Answer | null {
    const end = this.#endIn(bytes, from)
    const to = end < 0 ? bytes.length : end
    this.#total += to - from
    if (end < 0 || this.#length > 0) this.#append(bytes, from, to)
    // Most heads come in one piece, which is not copied.
    return this.#length > 0
      ? this.#judge(this.#bytes, 0, this.#length, end)
      : this.#judge(bytes, from, to, end)
  }

  /** The head so far is from `from` to `to`. */
  #judge(bytes: Buffer, from: number, to: number, end: number): ReturnType<HttpHead['push']> {
    if (!startsLikeHttp(bytes, from, to))
      return down('garbage', `no HTTP: ${showBytes(bytes.subarray(from, to))}`)
    if (this.#total > HEAD_LIMIT) return down('too-big', `more than ${HEAD_LIMIT} bytes of headers`)
    if (end < 0) return null
    this.#length = 0
    this.#at = 'line'
    return { head: bytes.toString('latin1', from, to), next: end }
  }

  /** Returns the offset after the blank line, or -1. The line ends may lack carriage returns. */
  #endIn(bytes: Buffer, from: number): number {
    let where = this.#at
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]
      if (byte === LF) {
        if (where !== 'line') return at + 1
        where = 'line end'
      } else where = byte === CR && where === 'line end' ? 'blank line' : 'line'
    }
    this.#at = where
    return -1
  }

  #append(bytes: Buffer, from: number, to: number): void {
    const length = this.#length + to - from
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length, 512))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    bytes.copy(this.#bytes, this.#length, from, to)
    this.#length = length
  }
}

function startsLikeHttp(bytes: Buffer, from: number, to: number): boolean {
  const length = Math.min(START.length, to - from)
  for (let i = 0; i < length; i++) if (bytes[from + i] !== START[i]) return false
  return true
}
