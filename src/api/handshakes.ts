/** Limits the connections whose TLS handshake is not complete: each uses a descriptor that checks may need. */
import type { Socket } from 'node:net'
import { steadyNow } from '../util/clock.js'

/** Maximum number of handshakes in progress; the oldest is ended. */
const MOST = 128
/** Milliseconds that a client has for its handshake before it is ended in favour of another one. */
const GRACE = 1000
/** Maximum number even if none has had its time. */
const MOST_AT_ONCE = 512

interface Handshake {
  readonly socket: Socket
  /** Milliseconds of the steady clock. */
  readonly since: number
}

export class Handshakes {
  /** By the address and the port of the client, which the connection with TLS has as well. The oldest first. */
  readonly #all = new Map<string, Handshake>()
  readonly #now: () => number

  /** `now`: milliseconds of the steady clock. */
  constructor(now = steadyNow) {
    this.#now = now
  }

  get size(): number {
    return this.#all.size
  }

  /** Adds a connection before its handshake. */
  add(socket: Socket): void {
    const client = clientOf(socket)
    const mine = { socket, since: this.#now() }
    this.#all.set(client, mine)
    socket.once('close', () => {
      if (this.#all.get(client) === mine) this.#all.delete(client)
    })
    if (this.#all.size <= MOST) return
    const [[oldest, first] = []] = this.#all
    if (oldest !== undefined && first && this.#now() - first.since > GRACE) this.#end(oldest)
    else if (this.#all.size > MOST_AT_ONCE) this.#end(client)
  }

  /** The handshake of this connection is complete. */
  done(socket: Socket): void {
    this.#all.delete(clientOf(socket))
  }

  close(): void {
    for (const client of [...this.#all.keys()]) this.#end(client)
  }

  #end(client: string): void {
    const handshake = this.#all.get(client)
    this.#all.delete(client)
    handshake?.socket.destroy()
  }
}

function clientOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
