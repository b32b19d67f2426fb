/** Bytes that have come and are not read yet. */

const LF = 10
const CR = 13

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
    const line = this.#upTo([LF])
    return line?.at(-1) === CR ? line.subarray(0, -1) : line
  }

  /** What stands before the next line feed or carriage return, of which a second one behind it is left. */
  word(): Buffer | null {
    return this.#upTo([LF, CR])
  }

  #upTo(ends: readonly number[]): Buffer | null {
    const from = Math.max(this.#searched, this.#start)
    const places = ends.map(end => this.#bytes.subarray(from, this.#end).indexOf(end)).filter(at => at >= 0)
    if (places.length === 0) {
      this.#searched = this.#end
      return null
    }
    return this.take(from + Math.min(...places) + 1 - this.#start)?.subarray(0, -1) ?? null
  }
}
