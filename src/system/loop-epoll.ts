/** Descriptors that Node does not know, in Node's event loop: an epoll instance (epoll(7)) that wakes it. */
import { createSocket, type Socket } from 'node:dgram'
import { openUdpSocket } from './datagram-sockets.js'
import { Epoll } from './epoll.js'
import { copyDescriptor } from './libc.js'

/** `flags` are those of epoll. `tag` and `generation` were given with the descriptor. */
export type OnReady = (tag: number, generation: number, flags: number) => void

/** Maximum number of events that are taken in one turn of the event loop; the rest follows in the next. */
const MOST_EVENTS = 256

export class LoopEpoll {
  readonly #epoll: Epoll
  readonly #socket: Socket
  readonly #onReady: OnReady

  /**
   * Node waits for sockets alone, so a UDP socket of Node gets the descriptor of the epoll instance, which is readable
   * while it has events. It cannot be received from: each wake-up is an error of that socket. It does not keep the
   * process alive. Throws a SystemError.
   */
  constructor(onReady: OnReady) {
    this.#onReady = onReady
    this.#epoll = new Epoll(MOST_EVENTS)
    this.#socket = createSocket('udp4')
    try {
      const standIn = openUdpSocket('ipv4')
      this.#socket.bind({ fd: standIn })
      copyDescriptor(this.#epoll.fd, standIn)
    } catch (error) {
      this.close()
      throw error
    }
    this.#socket.on('error', () => this.#take())
    this.#socket.unref()
  }

  /** Returns a negative errno if the kernel refuses. A descriptor that is closed leaves by itself. */
  add(fd: number, events: number, tag: number, generation: number): number {
    return this.#epoll.add(fd, events, tag, generation)
  }

  close(): void {
    this.#socket.close()
    this.#epoll.close()
  }

  #take(): void {
    const count = this.#epoll.wait(0)
    for (let i = 0; i < count; i++)
      this.#onReady(this.#epoll.tag(i), this.#epoll.generation(i), this.#epoll.flags(i))
  }
}
