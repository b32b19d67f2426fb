/** One line of the kernel's list of connections. Most lines name a service and a server that have been read before. */
import { type Address, addressFromBytes, endpoint } from '../core/address.js'
import type { ListedConnection } from '../core/half-open.js'

/** Endpoints that are remembered as they were read, so that those of changed configurations take no more and more memory. */
const MOST_KNOWN = 16_384
/** The kernel has eleven states of TCP. */
const MOST_STATES = 16
const SPACE = 0x20
/** `TCP FROM PORT TO PORT DEST PORT STATE EXPIRES` (ip_vs_conn.c); more may follow. */
const FIELDS = 9
const [TO, DEST_PORT, STATE, EXPIRES] = [3, 6, 7, 8] as const
const TCP = Buffer.from('TCP ')
const DIGITS = { first: 0x30, last: 0x39 } as const

interface Known extends Pick<ListedConnection, 'service' | 'real'> {
  /** `TO PORT DEST PORT` */
  readonly text: Buffer
}

export class ConnectionLine {
  readonly #bytes: Buffer
  readonly #starts = new Int32Array(FIELDS)
  readonly #ends = new Int32Array(FIELDS)
  /** By the hash of their text. */
  #known = new Map<number, Known>()
  readonly #states: { readonly text: Buffer; readonly name: string }[] = []

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /**
   * Returns null for a connection that is not over TCP, for the line of titles, and for what is not understood. Keys are as
   * `keyOfService` and `keyOfReal`.
   */
  parse(start: number, end: number): ListedConnection | null {
    if (!this.#isAt(TCP, start, end) || !this.#split(start, end)) return null
    const expires = this.#number(EXPIRES)
    const known = expires === null ? null : this.#endpoints()
    return known && { service: known.service, real: known.real, state: this.#state(), expires: expires ?? 0 }
  }

  #isAt(text: Uint8Array, start: number, end: number): boolean {
    if (start + text.length > end) return false
    for (let i = 0; i < text.length; i++) if (this.#bytes[start + i] !== text[i]) return false
    return true
  }

  /** Finds the fields of a line. Returns false if there are too few. */
  #split(start: number, end: number): boolean {
    const bytes = this.#bytes
    let at = start
    for (let field = 0; field < FIELDS; field++) {
      while (at < end && bytes[at] === SPACE) at++
      if (at >= end) return false
      this.#starts[field] = at
      while (at < end && bytes[at] !== SPACE) at++
      this.#ends[field] = at
    }
    return true
  }

  #number(field: number): number | null {
    let value = 0
    for (let at = this.#starts[field] as number; at < (this.#ends[field] as number); at++) {
      const digit = this.#bytes[at] as number
      if (digit < DIGITS.first || digit > DIGITS.last) return null
      value = 10 * value + digit - DIGITS.first
    }
    return value
  }

  #state(): string {
    const start = this.#starts[STATE] as number
    const end = this.#ends[STATE] as number
    for (const { text, name } of this.#states)
      if (text.length === end - start && this.#isAt(text, start, end)) return name
    const name = this.#bytes.toString('latin1', start, end)
    if (this.#states.length < MOST_STATES) this.#states.push({ text: Buffer.from(name), name })
    return name
  }

  #endpoints(): Known | null {
    const [start, end] = [this.#starts[TO] as number, this.#ends[DEST_PORT] as number]
    const hash = this.#hash(start, end)
    const known = this.#known.get(hash)
    if (known && known.text.length === end - start && this.#isAt(known.text, start, end)) return known
    const parsed = parseEndpoints(Buffer.from(this.#bytes.subarray(start, end)))
    if (!parsed) return null
    if (this.#known.size >= MOST_KNOWN) this.#known.clear()
    this.#known.set(hash, parsed)
    return parsed
  }

  #hash(start: number, end: number): number {
    let hash = 0
    for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + (this.#bytes[at] as number)) | 0
    return hash
  }
}

function parseEndpoints(text: Buffer): Known | null {
  const [to = '', port = '', dest = '', destPort = ''] = text.toString('latin1').split(/ +/)
  const [service, real] = [parseHex(to), parseHex(dest)]
  if (!service || !real) return null
  return {
    text,
    service: `tcp ${endpoint(service, Number.parseInt(port, 16))}`,
    real: endpoint(real, Number.parseInt(destPort, 16)),
  }
}

/** `C0000201`, or eight groups of four digits. */
function parseHex(text: string): Address | null {
  const digits = text.replaceAll(':', '')
  if (!/^([\dA-F]{8}|[\dA-F]{32})$/i.test(digits)) return null
  return addressFromBytes(Buffer.from(digits, 'hex'))
}
