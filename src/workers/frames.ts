/**
 * Values on a stream of bytes between lvsd and its workers: the length in four bytes, then the value, as JSON or, where that
 * cannot hold all of it, as V8 writes it. JSON costs a third.
 */
import { deserialize, serialize } from 'node:v8'

/** How the process finds what it shares with lvsd. Its standard descriptors lead nowhere. */
export const DESCRIPTORS = { orders: 3, reports: 4, shared: 5 } as const

const HEAD = 4

/** What the stream holds cannot be one of the values. */
export class Garbled extends Error {}

/** The first byte of what V8 writes; no text in JSON begins with it. */
const OF_V8 = 0xff

/** `isJson`: there is nothing in the value that JSON does not have, such as `undefined`. */
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

  /** `most`: bytes of one value. */
  constructor(most: number) {
    this.#most = most
  }

  /** The values that are complete now. Throws `Garbled` where they are none, and is of no use from then on. */
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
