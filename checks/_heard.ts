/** Bytes that have come and are not read yet. */

const LF = 10

/**
 * One buffer that doubles and never moves what it has handed out. So a server that sends single bytes costs no copy of
 * all the bytes before each of them, and a line is searched once, not from its beginning with every piece.
 */
export class Heard {
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** Up to here there is no line feed. */
  #searched = 0

  get length(): number {
    return this.#end - this.#start
  }

  push(chunk: Uint8Array): void {
    const length = this.length + chunk.length
    if (this.#end + chunk.length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(2 * length, 512))
      this.#bytes.copy(larger, 0, this.#start, this.#end)
      this.#searched = Math.max(0, this.#searched - this.#start)
      this.#start = 0
      this.#end = length - chunk.length
      this.#bytes = larger
    }
    this.#bytes.set(chunk, this.#end)
    this.#end += chunk.length
  }

  /** The bytes as far as they have come, still unread. */
  peek(most = this.length): Buffer {
    return this.#bytes.subarray(this.#start, Math.min(this.#end, this.#start + most))
  }

  /** The first `count` bytes, or null while they have not all come. */
  take(count: number): Buffer | null {
    if (count > this.length) return null
    this.#start += count
    this.#searched = Math.max(this.#searched, this.#start)
    return this.#bytes.subarray(this.#start - count, this.#start)
  }

  /** The next line without its end, or null while it has not come whole. */
  line(): Buffer | null {
    const from = Math.max(this.#searched, this.#start)
    const found = this.#bytes.subarray(from, this.#end).indexOf(LF)
    if (found < 0) {
      this.#searched = this.#end
      return null
    }
    const line = this.take(from + found + 1 - this.#start) ?? Buffer.alloc(0)
    return line.subarray(0, line.at(-2) === 13 ? -2 : -1)
  }
}
