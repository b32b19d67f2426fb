/** Connections of the control socket: none of them can keep others out, and none can ask for much at once. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Connections that wait for their client: each costs a descriptor that checks may need. */
const MOST_WAITING = 64
/** All together, those whose answer is being made included. */
const MOST = 256
/** Requests of one connection that wait behind the one that is being answered. */
const MOST_PIPELINED = 8

interface State {
  /** An answer is being made. */
  isAnswering: boolean
  /** Requests that are not answered yet. */
  pending: number
  last: Promise<void>
}

export class Connections {
  readonly #states = new Map<Socket, State>()

  /** A new one takes the place of the oldest that has said nothing whole, or does not read. */
  add(socket: Socket): void {
    this.#states.set(socket, { isAnswering: false, pending: 0, last: Promise.resolve() })
    socket.once('close', () => this.#states.delete(socket))
    const waiting = [...this.#states].filter(([, state]) => !state.isAnswering)
    if (waiting.length > MOST_WAITING || this.#states.size > MOST) waiting[0]?.[0].destroy()
  }

  /** Requests of one connection are answered one after the other, each when the client has taken the one before. */
  inTurn({ socket }: IncomingMessage, response: ServerResponse, answer: () => Promise<void>): void {
    const state = this.#states.get(socket)
    if (!state) return
    if (++state.pending > MOST_PIPELINED) return void socket.destroy()
    const taken = new Promise<void>(resolve => response.once('close', resolve))
    state.last = state.last.then(async () => {
      if (!socket.destroyed) await answer()
      if (!socket.destroyed) await taken
      state.pending--
    })
  }

  /** While `work` goes on the connection is not given up for another. */
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
