/**
 * Encodes values for the byte stream between lvsd and its workers: a length in four bytes, then the value as JSON, or
 * in V8's format if JSON cannot represent it. JSON costs a third of V8's format.
 */
import { deserialize, serialize } from 'node:v8'

/** Descriptors that the process shares with lvsd. Its standard descriptors lead to /dev/null. */
export const DESCRIPTORS = { orders: 3, reports: 4, shared: 5 } as const

const HEAD = 4

/** The stream contains data that is not a value. */
export class Garbled extends Error {}

/** First byte of V8's format. JSON text never starts with it. */
const OF_V8 = 0xff

/** Encodes a value. `isJson`: the value contains only what JSON can represent, so for example no `undefined`. */
export function frameOf(value: unknown, isJson = false): Buffer {
  const body = isJson ? JSON.stringify(value) : serialize(value)
  const length = Buffer.byteLength(body)
  const frame = Buffer.allocUnsafe(HEAD + length)
  frame.writeUInt32LE(length)
  if (typeof body === 'string') frame.write(body, HEAD)
  else frame.set(body, HEAD)
  return frame
}

export class FrameReader {
  readonly #most: number
  #chunks: Buffer[] = []
  #held = 0

  /** `most` is the maximum size of a value in bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** Returns the values that are complete. Throws `Garbled` for invalid data; the reader is then unusable. */
  read(chunk: Buffer): unknown[] {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    const values: unknown[] = []
    for (let body = this.#next(); body; body = this.#next()) values.push(parsed(body))
    return values
  }

  #next(): Buffer | null {
    if (this.#held < HEAD) return null
    if ((this.#chunks[0]?.length ?? 0) < HEAD) this.#chunks = [Buffer.concat(this.#chunks)]
    const length = this.#chunks[0]?.readUInt32LE() ?? 0
    if (length > this.#most) throw new Garbled(`a value of ${length} bytes`)
    if (this.#held < HEAD + length) return null
    const all = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks)
    const rest = all.subarray(HEAD + length)
    this.#chunks = [rest]
    this.#held = rest.length
    return all.subarray(HEAD, HEAD + length)
  }
}

function parsed(body: Buffer): unknown {
  try {
    return body[0] === OF_V8 ? deserialize(body) : JSON.parse(body.toString())
  } catch (cause) {
    throw new Garbled('no value', { cause })
  }
}
