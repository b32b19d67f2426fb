/**
 * Reads the kernel's list of connections, /proc/net/ip_vs_conn, a piece at a time: it may have a million lines. The kernel
 * lists them by hash, so each piece is a sample of all services and servers.
 */
import { closeSync, openSync, readSync } from 'node:fs'
import type { ListedConnection } from '../core/half-open.js'
import { ConnectionLine } from './connection-line.js'

const FILE = '/proc/net/ip_vs_conn'
/** Bytes. The kernel writes no more than a page at once. */
const PAGE = 4096
const NEWLINE = 0x0a

export interface Piece {
  /** Those over TCP. */
  readonly connections: readonly ListedConnection[]
  /** False: the list goes on, and the next piece continues there. */
  readonly isEnd: boolean
}

export class ConnectionList {
  readonly #path: string
  readonly #now: () => number
  /** A page, after the begin of a line whose end is in it. */
  readonly #bytes = Buffer.allocUnsafeSlow(2 * PAGE)
  readonly #line = new ConnectionLine(this.#bytes)
  #file: number | null = null
  /** Bytes of the line that has begun. */
  #rest = 0

  /** `path` and `now` are replaced in tests. */
  constructor(path = FILE, now = () => performance.now()) {
    this.#path = path
    this.#now = now
  }

  /**
   * Reads a page, and on until the end or until `most` milliseconds have passed. Connections that are not over TCP are left
   * out. Throws the error of the file system.
   */
  read(most: number): Piece {
    const connections: ListedConnection[] = []
    const until = this.#now() + most
    this.#file ??= openSync(this.#path, 'r')
    do {
      const length = readSync(this.#file, this.#bytes, this.#rest, PAGE, null)
      if (length === 0) {
        this.close()
        return { connections, isEnd: true }
      }
      this.#take(this.#rest + length, connections)
    } while (this.#now() < until)
    return { connections, isEnd: false }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file)
    this.#file = null
    this.#rest = 0
  }

  #take(end: number, to: ListedConnection[]): void {
    const bytes = this.#bytes
    let start = 0
    for (let at = 0; at < end; at++) {
      if (bytes[at] !== NEWLINE) continue
      const connection = this.#line.parse(start, at)
      if (connection) to.push(connection)
      start = at + 1
    }
    // What is longer than any line of the kernel is none.
    this.#rest = end - start > PAGE ? 0 : end - start
    bytes.copyWithin(0, start, start + this.#rest)
  }
}
