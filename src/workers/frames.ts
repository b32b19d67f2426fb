/**
 * Values on a stream of bytes between lvsd and a process in which a user's file runs: the length in four bytes, then the value
 * as V8 writes it.
 */
import { deserialize, serialize } from 'node:v8'

/** How the process finds what it shares with lvsd. Its standard descriptors lead nowhere. */
export const DESCRIPTORS = { orders: 3, reports: 4, shared: 5 } as const

const HEAD = 4

/** What the stream holds cannot be one of the values. */
export class Garbled extends Error {}

export function frameOf(value: unknown): Buffer {
  const body = serialize(value)
  const head = Buffer.alloc(HEAD)
  head.writeUInt32LE(body.length)
  return Buffer.concat([head, body])
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
    return deserialize(body)
  } catch (cause) {
    throw new Garbled('no value', { cause })
  }
}
