/**
 * TCP sockets for probes, used again where the connection has ended well. To open and close a socket costs the kernel 10 % of
 * what a check of a server on the network costs it.
 *
 * A socket is used again if the server has closed its side and everything has been read, so that lvsd's end is the last
 * step of the exchange: the same packets go out as when the socket is closed. Before its next use the association is dissolved
 * (connect(2), AF_UNSPEC), which forgets the state of the old connection and frees its local port.
 *
 * A socket is opened only if none is free, so lvsd has no more descriptors open than its runs once had at the same time.
 */
import type { Family } from '../../core/address.js'
import { descriptorLimit } from '../../system/descriptor-limit.js'
import { closeDescriptor } from '../../system/numeric-calls.js'
import { disconnectSocket, endSending, hasEnded, openStream, resetSocket } from '../../system/sockets.js'

/** Number of free sockets of each family, and their part of the descriptors: other runs need descriptors too. */
const MOST = 256
const SHARE = 1 / 32

export class SocketPool {
  readonly #free: Record<Family, number[]> = { ipv4: [], ipv6: [] }
  #most: number | null = null

  /** Returns a TCP socket that does not block and is not connected, or a negative errno. */
  take(family: Family): number {
    const fd = this.#free[family].pop()
    if (fd === undefined) return openStream(family)
    if (disconnectSocket(fd) >= 0) return fd
    closeDescriptor(fd)
    return openStream(family)
  }

  /** Ends a connection, and keeps its socket if the server has ended too. No other option may be set on the socket. */
  end(family: Family, fd: number): void {
    if (!this.#hasRoom(family) || !hasEnded(fd) || endSending(fd) < 0) closeDescriptor(fd)
    else this.#free[family].push(fd)
  }

  /** Resets a connection, which leaves nothing in TIME_WAIT, and keeps its socket. */
  reset(family: Family, fd: number): void {
    if (!this.#hasRoom(family) || disconnectSocket(fd) < 0) resetSocket(fd)
    else this.#free[family].push(fd)
  }

  #hasRoom(family: Family): boolean {
    this.#most ??= Math.min(MOST, Math.floor(descriptorLimit() * SHARE))
    return this.#free[family].length < this.#most
  }

  close(): void {
    for (const free of Object.values(this.#free)) for (const fd of free.splice(0)) closeDescriptor(fd)
  }
}
