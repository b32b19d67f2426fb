/**
 * Bounds what a server may answer in the protocol of Redis (RESP2), before a parser sees it. Follows the frames of the
 * answers byte by byte, keeps nothing of them, and needs the same time for each byte.
 *
 *   state   byte                            next
 *   begin   one of $ + * : -                line, of this type
 *   begin   any other                       PROTOCOL
 *   line    any but LF                      line; TOO_MUCH after `line` bytes
 *   line    LF, of $ with a length          bulk: this many bytes and CR LF
 *   line    LF, of * with a length > 0      begin, one level deeper
 *   line    LF, any other                   begin: one element is complete
 *   bulk    the last of its bytes           begin: one element is complete
 *
 * An answer is complete when an element is complete and no level is open. Pure.
 */

export interface ReplyLimits {
  /** Bytes of one answer. */
  readonly bytes: number
  /** Elements of one answer, those of all its arrays together. */
  readonly elements: number
  /** Arrays within arrays. */
  readonly depth: number
  /** Bytes of one line: an error text, a status, a length. */
  readonly line: number
}

export const REPLY_LIMITS: ReplyLimits = { bytes: 8 << 20, elements: 50_000, depth: 8, line: 65_536 }

/** `size`: an answer exceeds a limit. `protocol`: it is no answer of Redis. */
export interface ReplyFault {
  readonly reason: 'size' | 'protocol'
  readonly detail: string
}

const LF = 10
const [BULK, ARRAY] = [36, 42]
const TYPES: readonly number[] = [BULK, 43, ARRAY, 58, 45]
/** A length has at most this many bytes, with its sign and CR. */
const LENGTH_BYTES = 12

export class ReplyBounds {
  readonly #limits: ReplyLimits
  /** Elements that are still to come, by level. */
  readonly #open: number[] = []
  /** Of the present line; 0: no line has begun. */
  #type = 0
  #line = 0
  #digits = ''
  /** Bytes of the present bulk string that are still to come. */
  #bulk = 0
  #bytes = 0
  #elements = 0
  #fault: ReplyFault | null = null

  constructor(limits: ReplyLimits = REPLY_LIMITS) {
    this.#limits = limits
  }

  /** Takes the next bytes of the connection. Returns what is wrong with them; then the connection must be ended. */
  take(bytes: Uint8Array): ReplyFault | null {
    for (let at = 0; at < bytes.length && !this.#fault; ) {
      if (this.#bulk > 0) at = this.#passBulk(bytes, at)
      else if (this.#type === 0) this.#begin(bytes[at++] ?? 0)
      else at = this.#passLine(bytes, at)
      if (this.#bytes > this.#limits.bytes) this.#refuse('size', `more than ${this.#limits.bytes} bytes`)
    }
    return this.#fault
  }

  #passBulk(bytes: Uint8Array, at: number): number {
    const passed = Math.min(this.#bulk, bytes.length - at)
    this.#bytes += passed
    this.#bulk -= passed
    if (this.#bulk === 0) this.#complete()
    return at + passed
  }

  #begin(type: number): void {
    this.#bytes++
    if (!TYPES.includes(type)) {
      this.#refuse('protocol', `an answer begins with the byte ${type}`)
      return
    }
    this.#type = type
    this.#line = 0
    this.#digits = ''
    const { elements } = this.#limits
    if (++this.#elements > elements) this.#refuse('size', `more than ${elements} elements`)
  }

  #passLine(bytes: Uint8Array, at: number): number {
    const end = bytes.indexOf(LF, at)
    const next = end < 0 ? bytes.length : end + 1
    this.#line += next - at
    this.#bytes += next - at
    if (this.#line > this.#limits.line) this.#refuse('size', `a line of more than ${this.#limits.line} bytes`)
    else if (this.#type === BULK || this.#type === ARRAY) this.#readLength(bytes, at, next)
    if (end >= 0 && !this.#fault) this.#endLine()
    return next
  }

  #readLength(bytes: Uint8Array, at: number, next: number): void {
    if (this.#line > LENGTH_BYTES) this.#refuse('protocol', 'a length has too many digits')
    else this.#digits += String.fromCharCode(...bytes.subarray(at, next))
  }

  #endLine(): void {
    const type = this.#type
    this.#type = 0
    const isLength = type === BULK || type === ARRAY
    const length = Number(this.#digits)
    if (isLength && !/^(-1|\d+)\r\n$/.test(this.#digits))
      this.#refuse('protocol', `a length of ${JSON.stringify(this.#digits)}`)
    else if (!isLength || length < 0 || (type === ARRAY && length === 0)) this.#complete()
    else if (type === BULK) this.#beginBulk(length)
    else this.#beginArray(length)
  }

  #beginBulk(length: number): void {
    const { bytes } = this.#limits
    // Before the first of its bytes has come: the parser would reserve memory for all of them.
    if (this.#bytes + length > bytes) this.#refuse('size', `more than ${bytes} bytes`)
    this.#bulk = length + 2
  }

  #beginArray(length: number): void {
    const { depth, elements } = this.#limits
    if (this.#elements + length > elements) this.#refuse('size', `more than ${elements} elements`)
    else if (this.#open.length >= depth) this.#refuse('size', `arrays more than ${depth} deep`)
    this.#open.push(length)
  }

  #complete(): void {
    for (let last = this.#open.length - 1; last >= 0; last--) {
      const left = (this.#open[last] ?? 0) - 1
      this.#open[last] = left
      if (left > 0) return
      this.#open.pop()
    }
    this.#bytes = 0
    this.#elements = 0
  }

  #refuse(reason: ReplyFault['reason'], detail: string): void {
    this.#fault ??= { reason, detail }
  }
}
