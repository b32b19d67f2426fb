/** A buffer for received bytes that are not consumed yet. */

const LF = 10
const CR = 13

/**
 * The buffer grows by doubling, and bytes that were returned never move. A server that sends single bytes thus causes
 * no repeated copying, and each line is searched only once.
 */
export class Heard {
  #bytes: Buffer = Buffer.alloc(0)
  #start = 0
  #end = 0
  /** There is no line feed before this offset. */
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

  /** Returns the received bytes without consuming them. */
  peek(most = this.length): Buffer {
    return this.#bytes.subarray(this.#start, Math.min(this.#end, this.#start + most))
  }

  /** Consumes and returns the first `count` bytes, or returns null if they have not all arrived. */
  take(count: number): Buffer | null {
    if (count > this.length) return null
    this.#start += count
    this.#searched = Math.max(this.#searched, this.#start)
    return this.#bytes.subarray(this.#start - count, this.#start)
  }

  /** Consumes and returns the next line without its end, or returns null if it is incomplete. */
  line(): Buffer | null {
    const line = this.#upTo([LF])
    return line?.at(-1) === CR ? line.subarray(0, -1) : line
  }

  /** Consumes and returns the bytes before the next LF or CR. A second one after it remains. */
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
