/** Parses a chunked body (RFC 9112, section 7.1) byte by byte, because servers may send chunks of one byte. Pure. */
import { type Answer, down } from '../check/check.js'
import { showBytes } from './match-text.js'

/** Maximum bytes of a head (status line and headers, including interim responses), and of a trailer. */
export const HEAD_LIMIT = 64 * 1024
/** Framing bytes allowed per byte of content, in addition to `HEAD_LIMIT`. A chunk of one byte has five. */
const FRAMING = 16
/** Maximum number of digits of a chunk size. */
const MOST_DIGITS = 12

const TAB = 9
const LF = 10
const CR = 13
const SPACE = 32
const SEMICOLON = 59

/** Receives bytes of the body. A returned answer ends the reading. */
export type Keep = (bytes: Buffer, from: number, to: number) => Answer | null

type State = 'size' | 'blank' | 'extension' | 'size end' | 'data' | 'data end' | 'data line end' | 'trailer'

export class ChunkedBody {
  #state: State = 'size'
  #digits = 0
  /** The chunk size while it is read, then the number of missing bytes of the chunk. */
  #missing = 0
  #dataBytes = 0
  #framingBytes = 0
  #trailerBytes = 0
  /** Bytes of the current trailer line, without its carriage return. */
  #lineBytes = 0
  readonly #limit: number
  readonly #keep: Keep

  /** `limit` is the maximum size of the body in bytes. */
  constructor(limit: number, keep: Keep) {
    this.#limit = limit
    this.#keep = keep
  }

  /** Parses from `from` to the end. Returns null if more data is needed, 'complete', or the answer. */
  push(bytes: Buffer, from: number): Answer | 'complete' | null {
    let at = from
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const to = Math.min(bytes.length, at + this.#missing)
        const answer = this.#data(bytes, at, to)
        if (answer) return answer
        at = to
        continue
      }
      if (this.#state !== 'trailer' && ++this.#framingBytes > HEAD_LIMIT + FRAMING * this.#dataBytes)
        return down('garbage', `more than ${FRAMING} bytes of chunk framing for each byte of data`)
      const answer = this.#frame(bytes[at] as number)
      if (answer === 'no size') return down('garbage', `invalid chunk size: ${showBytes(bytes.subarray(at))}`)
      if (answer !== null) return answer
      at++
    }
    return null
  }

  #data(bytes: Buffer, from: number, to: number): Answer | null {
    this.#missing -= to - from
    this.#dataBytes += to - from
    if (this.#missing === 0) this.#state = 'data end'
    return this.#keep(bytes, from, to)
  }

  #frame(byte: number): Answer | 'complete' | 'no size' | null {
    switch (this.#state) {
      case 'size':
        return this.#size(byte)
      case 'blank':
        return byte === SPACE || byte === TAB ? null : this.#sizeEnd(byte)
      case 'extension':
        return byte === LF || byte === CR ? this.#sizeEnd(byte) : null
      case 'size end':
        return byte === LF ? this.#sized() : 'no size'
      case 'trailer':
        return this.#trailer(byte)
      default:
        return this.#dataEnd(byte)
    }
  }

  #size(byte: number): Answer | 'no size' | null {
    const digit = digitOf(byte)
    if (digit < 0) {
      if (this.#digits === 0) return 'no size'
      this.#state = 'blank'
      return this.#frame(byte) as Answer | 'no size' | null
    }
    this.#missing = this.#missing * 16 + digit
    return ++this.#digits > MOST_DIGITS ? 'no size' : null
  }

  #sizeEnd(byte: number): Answer | 'no size' | null {
    if (byte === LF) return this.#sized()
    if (byte === CR) this.#state = 'size end'
    else if (byte === SEMICOLON) this.#state = 'extension'
    else return 'no size'
    return null
  }

  #sized(): Answer | null {
    this.#digits = 0
    this.#state = this.#missing === 0 ? 'trailer' : 'data'
    const length = this.#dataBytes + this.#missing
    return length > this.#limit ? tooBig(length, this.#limit) : null
  }

  #dataEnd(byte: number): Answer | null {
    if (byte === CR && this.#state === 'data end') this.#state = 'data line end'
    else if (byte === LF) this.#state = 'size'
    else return down('garbage', 'a chunk is longer than its size')
    return null
  }

  #trailer(byte: number): Answer | 'complete' | null {
    if (++this.#trailerBytes > HEAD_LIMIT) return down('too-big', `more than ${HEAD_LIMIT} bytes of trailers`)
    if (byte === LF) {
      if (this.#lineBytes === 0) return 'complete'
      this.#lineBytes = 0
    } else if (byte !== CR) this.#lineBytes++
    return null
  }
}

/** `length`: what the server declares. Without that, one more than the limit: how much has been read is chance. */
export function tooBig(length: number, limit: number): Answer {
  return down('too-big', `the body has ${length} bytes or more; the limit is ${limit}`)
}

/** Returns the value of a hexadecimal digit, or -1. */
function digitOf(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}
