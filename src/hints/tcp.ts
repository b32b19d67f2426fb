/**
 * TCP connections on which nothing is sent and nothing is read: a sentinel is one that stays, a knock one that is reset
 * as soon as it is established. What the server sends stays in a small buffer of the kernel.
 */
import type { Address } from '../core/address.js'
import { EPOLLERR, EPOLLET, EPOLLHUP, EPOLLOUT, EPOLLRDHUP } from '../system/epoll.js'
import { errorName } from '../system/libc.js'
import { LoopEpoll } from '../system/loop-epoll.js'
import { closeDescriptor, EINPROGRESS } from '../system/numeric-calls.js'
import {
  bindSocket,
  connectSocket,
  endByIcmp,
  isConnectedToItself,
  keepAlive,
  limitConnect,
  limitReceived,
  openStream,
  pendingError,
  resetSocket,
  setKeepAliveTimes,
  socketAddress,
} from '../system/sockets.js'

export interface Endpoint {
  readonly address: Address
  readonly port: number
}

export interface TcpEvents {
  opened(): void
  /** The connection has ended or could not be made, and its descriptor is closed. Null: the server closed it (FIN). */
  ended(code: string | null): void
}

export interface TcpConnection {
  /** Closes it; no event follows. `isReset`: with a reset, not with a FIN. */
  drop(isReset?: boolean): void
}

export interface Tcp {
  /** Begins to connect from `source` (null: the kernel chooses). Returns an errno name if that fails at once. */
  connect(to: Endpoint, source: Address | null, on: TcpEvents): TcpConnection | string
  close(): void
}

/** Seconds. With these a host that has vanished is noticed within 13 seconds, by one segment each 10 seconds. */
const KEEP_ALIVE = { idle: 10, every: 1, most: 3 }
/** The first segment is sent twice in all: connect gives up after 3 seconds. */
const CONNECT_REPEATS = 1
/** Bytes; the kernel doubles it. A greeting is shorter. */
const RECEIVED = 4096
const EVENTS = EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP | EPOLLET

interface Slot {
  readonly fd: number
  readonly generation: number
  readonly on: TcpEvents
  isOpen: boolean
}

/** Opens the connections in Node's event loop. Throws a SystemError, or an Error where the machine has no such calls. */
export function openTcp(): Tcp {
  const slots: (Slot | null)[] = []
  const free: number[] = []
  let generations = 0
  const epoll = new LoopEpoll((tag, generation, flags) => {
    const slot = slots[tag]
    if (slot?.generation === generation) take(tag, slot, flags)
  })

  function take(tag: number, slot: Slot, flags: number): void {
    const error = flags & (EPOLLERR | EPOLLHUP) ? pendingError(slot.fd) : 0
    const isMade = error === 0 && !slot.isOpen && (flags & EPOLLOUT) !== 0
    if (error < 0) end(tag, errorName(-error))
    else if (isMade && isConnectedToItself(slot.fd)) end(tag, 'ECONNREFUSED')
    else {
      if (isMade) {
        slot.isOpen = true
        slot.on.opened()
      }
      // `opened` may have dropped it.
      if (slots[tag] === slot && flags & (EPOLLRDHUP | EPOLLHUP)) end(tag, null)
    }
  }

  function end(tag: number, code: string | null): void {
    release(tag, false)?.on.ended(code)
  }

  function release(tag: number, isReset: boolean): Slot | null {
    const slot = slots[tag] ?? null
    if (!slot) return null
    slots[tag] = null
    free.push(tag)
    if (isReset) resetSocket(slot.fd)
    else closeDescriptor(slot.fd)
    return slot
  }

  return {
    connect(to, source, on) {
      const fd = openStream(to.address.family)
      if (fd < 0) return errorName(-fd)
      const failure = begin(fd, to, source)
      const tag = free.pop() ?? slots.length
      generations = (generations + 1) >>> 0
      const generation = generations
      const refused = failure < 0 ? failure : epoll.add(fd, EVENTS, tag, generation)
      if (refused < 0) {
        free.push(tag)
        closeDescriptor(fd)
        return errorName(-refused)
      }
      slots[tag] = { fd, generation, on, isOpen: false }
      return {
        drop: (isReset = false) => {
          if (slots[tag]?.generation === generation) release(tag, isReset)
        },
      }
    },

    close() {
      for (const tag of slots.keys()) release(tag, false)
      epoll.close()
    },
  }
}

/** Returns a negative errno, or 0 while the connection is made. */
function begin(fd: number, { address, port }: Endpoint, source: Address | null): number {
  keepAlive(fd)
  setKeepAliveTimes(fd, KEEP_ALIVE)
  limitConnect(fd, CONNECT_REPEATS)
  limitReceived(fd, RECEIVED)
  endByIcmp(fd, address.family)
  const bound = source ? bindSocket(fd, socketAddress(source, 0)) : 0
  if (bound < 0) return bound
  const connected = connectSocket(fd, socketAddress(address, port))
  return connected === EINPROGRESS ? 0 : connected
}
