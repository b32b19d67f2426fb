/** epoll(7), and eventfd(2) to wake who waits in it. See `numeric-calls.ts` for what the calls return. */

import { opened } from './noted-descriptors.js'
import {
  callError,
  calls,
  closeDescriptor,
  type FixedMemory,
  fixedMemory,
  outcome,
  scratch,
} from './numeric-calls.js'

// <sys/epoll.h>
export const EPOLLIN = 0x001
export const EPOLLOUT = 0x004
export const EPOLLERR = 0x008
export const EPOLLHUP = 0x010
export const EPOLLRDHUP = 0x2000
/** Reports each change once (edge-triggered): what is ready has to be read or written until EAGAIN. */
export const EPOLLET = 0x8000_0000
const EPOLL_CTL_ADD = 1
const EPOLL_CTL_DEL = 2
const EPOLL_CLOEXEC = 0x80000

// <sys/eventfd.h>
const EFD_NONBLOCK = 0x800
const EFD_CLOEXEC = 0x80000

const IS_PACKED = process.arch === 'x64'
/** Bytes of struct epoll_event, and where its data is: packed on x86-64 only. */
const EVENT_SIZE = IS_PACKED ? 12 : 16
const DATA_AT = IS_PACKED ? 4 : 8

/** One epoll instance. An event has the two numbers that were given with its descriptor, 32 bits each. */
export class Epoll {
  readonly fd: number
  readonly #most: number
  readonly #events: FixedMemory
  readonly #asked = fixedMemory(EVENT_SIZE)

  /** `most`: events of one wait. Throws a SystemError. */
  constructor(most = 256) {
    const c = calls()
    const fd = opened(outcome(c, c.epoll_create1(EPOLL_CLOEXEC)))
    if (fd < 0) throw callError(fd, 'epoll_create1')
    this.fd = fd
    this.#most = most
    this.#events = fixedMemory(EVENT_SIZE * most)
  }

  add(fd: number, events: number, tag: number, generation = 0): number {
    const { bytes, address } = this.#asked
    bytes.writeUInt32LE(events >>> 0, 0)
    bytes.writeUInt32LE(tag >>> 0, DATA_AT)
    bytes.writeUInt32LE(generation >>> 0, DATA_AT + 4)
    const c = calls()
    return outcome(c, c.epoll_ctl(this.fd, EPOLL_CTL_ADD, fd, address))
  }

  /** A descriptor that is closed leaves by itself. */
  remove(fd: number): number {
    const c = calls()
    return outcome(c, c.epoll_ctl(this.fd, EPOLL_CTL_DEL, fd, this.#asked.address))
  }

  /** Waits at most `ms` milliseconds (-1: without a limit). Returns the number of events, or EINTR. */
  wait(ms: number): number {
    const c = calls()
    return outcome(c, c.epoll_wait(this.fd, this.#events.address, this.#most, ms))
  }

  /** The flags of event `i` of the last wait. */
  flags(i: number): number {
    return this.#events.bytes.readUInt32LE(i * EVENT_SIZE)
  }

  tag(i: number): number {
    return this.#events.bytes.readUInt32LE(i * EVENT_SIZE + DATA_AT)
  }

  generation(i: number): number {
    return this.#events.bytes.readUInt32LE(i * EVENT_SIZE + DATA_AT + 4)
  }

  close(): void {
    closeDescriptor(this.fd)
  }
}

/** Blocks this thread for microseconds. */
export function pauseThread(us: number): void {
  calls().usleep(us)
}

// ---------------------------------------------------------------- waking

/** Opens an eventfd(2), by which one thread wakes another that waits in `Epoll.wait`. Throws a SystemError. */
export function openWaker(): number {
  const c = calls()
  const fd = opened(outcome(c, c.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)))
  if (fd < 0) throw callError(fd, 'eventfd')
  return fd
}

/** Wakes who waits. Many calls before it wakes count as one. */
export function wake(waker: number): number {
  const c = calls()
  const { value } = scratch()
  value.bytes.writeBigUInt64LE(1n)
  return outcome(c, c.write(waker, value.address, 8))
}

/** Takes the wake-ups so far. EAGAIN: there was none. */
export function takeWakes(waker: number): number {
  const c = calls()
  return outcome(c, c.read(waker, scratch().value.address, 8))
}
