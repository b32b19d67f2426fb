/**
 * Reads the kernel's list of connections, /proc/net/ip_vs_conn, a piece at a time: it may have a million lines. The kernel
 * lists them by hash, so each piece is a sample of all services and servers.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { type Address, addressFromBytes, endpoint } from '../core/address.js'
import type { ListedConnection } from '../core/half-open.js'
import { CostMeter } from '../util/cost-meter.js'

const FILE = '/proc/net/ip_vs_conn'
/** Bytes. The kernel writes no more than a page at once. */
const PAGE = 4096

export interface Piece {
  readonly connections: readonly ListedConnection[]
  /** False: the list goes on, and the next piece continues there. */
  readonly isEnd: boolean
}

export class ConnectionList {
  readonly #path: string
  readonly #page = Buffer.allocUnsafeSlow(PAGE)
  #file: number | null = null
  /** The begin of a line whose end is in the next page. */
  #rest = ''

  /** `path` is replaced in tests. */
  constructor(path = FILE) {
    this.#path = path
  }

  /**
   * Reads on, until the end or until this costs `most` milliseconds of one processor. Takes only lines that `isWanted`
   * accepts, before they are parsed. Throws the error of the file system.
   */
  read(most: number, isWanted: (line: string) => boolean): Piece {
    const meter = new CostMeter()
    const connections: ListedConnection[] = []
    this.#file ??= openSync(this.#path, 'r')
    while (meter.total < most) {
      meter.start()
      const length = readSync(this.#file, this.#page)
      if (length === 0) {
        this.close()
        return { connections, isEnd: true }
      }
      for (const line of this.#lines(length)) {
        const parsed = isWanted(line) ? parseConnection(line) : null
        if (parsed) connections.push(parsed)
      }
      meter.stop()
    }
    return { connections, isEnd: false }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
    this.#rest = ''
  }

  #lines(length: number): string[] {
    const lines = (this.#rest + this.#page.toString('latin1', 0, length)).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }
}

/** Returns null for the line of titles, and for what is not understood. Keys are as `keyOfService` and `keyOfReal`. */
export function parseConnection(line: string): ListedConnection | null {
  const [protocol, , , to, port, dest, destPort, state, expires] = line.trim().split(/\s+/)
  if (!protocol || !to || !port || !dest || !destPort || !state || !/^\d+$/.test(expires ?? '')) return null
  const [service, real] = [parseHex(to), parseHex(dest)]
  if (!service || !real) return null
  return {
    service: `${protocol.toLowerCase()} ${endpoint(service, Number.parseInt(port, 16))}`,
    real: endpoint(real, Number.parseInt(destPort, 16)),
    state,
    expires: Number(expires),
  }
}

/** `C0000201`, or eight groups of four digits. */
function parseHex(text: string): Address | null {
  const digits = text.replaceAll(':', '')
  if (!/^([\dA-F]{8}|[\dA-F]{32})$/i.test(digits)) return null
  return addressFromBytes(Buffer.from(digits, 'hex'))
}
