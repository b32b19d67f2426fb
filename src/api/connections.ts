/** Limits the connections of the control socket, so that no client can block others or request much at once. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { steadyNow } from '../util/clock.js'

/** Maximum number of connections that wait for their client. Each uses a descriptor that checks may need. */
const MOST_WAITING = 64
/** Maximum number of all connections, including those whose request is being handled: a share of the descriptors. */
const MOST = { least: 256, share: 1 / 32, most: 2048 }
/** Milliseconds that a client has for its request before its connection is closed in favour of another one. */
const GRACE = 1000
/** Maximum number of requests of one connection that are not answered yet. */
const MOST_PIPELINED = 8

interface State {
  /** Milliseconds of the steady clock. */
  readonly since: number
  /** True while a request is being handled. */
  isAnswering: boolean
  /** Number of requests that are not answered yet. */
  pending: number
  last: Promise<void>
}

export class Connections {
  readonly #states = new Map<Socket, State>()
  readonly #most: number
  readonly #now: () => number

  /** `descriptors`: how many lvsd may have. `now`: milliseconds of the steady clock. */
  constructor(descriptors: number, now = steadyNow) {
    this.#now = now
    this.#most = Math.min(MOST.most, Math.max(MOST.least, Math.floor(descriptors * MOST.share)))
  }

  /**
   * Adds a connection. Above the limits, closes the oldest one that has no complete request or does not read its
   * answer. Many clients may connect at the same moment: if none has had time for its request, only the new connection
   * is closed, above the limit of all; its client tries again.
   */
  add(socket: Socket): void {
    const now = this.#now()
    this.#states.set(socket, { since: now, isAnswering: false, pending: 0, last: Promise.resolve() })
    socket.once('close', () => this.#states.delete(socket))
    const waiting = [...this.#states].filter(([, state]) => !state.isAnswering)
    const isFull = this.#states.size > this.#most
    if (waiting.length <= MOST_WAITING && !isFull) return
    const [oldest] = waiting
    if (oldest && now - oldest[1].since > GRACE) oldest[0].destroy()
    else if (isFull) socket.destroy()
  }

  /**
   * Handles the requests of one connection one after another, each after the client has received the previous answer.
   */
  inTurn({ socket }: IncomingMessage, response: ServerResponse, answer: () => void): void {
    const state = this.#states.get(socket)
    if (!state) return
    if (++state.pending > MOST_PIPELINED) return void socket.destroy()
    const taken = new Promise<void>(resolve => response.once('close', resolve))
    state.last = state.last.then(async () => {
      if (!socket.destroyed) answer()
      if (!socket.destroyed) await taken
      state.pending--
    })
  }

  /** Executes `work`. Meanwhile the connection is not closed in favour of another one. */
  async answering<T>(socket: Socket, work: () => Promise<T>): Promise<T> {
    const state = this.#states.get(socket)
    if (state) state.isAnswering = true
    try {
      return await work()
    } finally {
      if (state) state.isAnswering = false
    }
  }
}
