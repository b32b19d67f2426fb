/**
 * Sockets without Node's event loop: the calls of a check, and epoll(7), with numbers only. A call through koffi with
 * numbers costs 50 ns, and one with a Buffer twice as much.
 *
 * Each call returns what the C function returns, or the negative errno; none throws. Memory whose address is passed is
 * made by `fixedMemory`, is held by its owner as long as the kernel may use it, and is never resized. The layout of
 * `struct epoll_event` and the constants are those of x86-64 and arm64; see `isEpollSupported`.
 */
import { type Address, bytesOf, type Family } from '../core/address.js'
import { errorName, type NumericLibrary, openNumericLibrary, SystemError } from './libc.js'

/** Memory that does not move, with its address. */
export interface FixedMemory {
  readonly bytes: Buffer
  readonly address: number
}

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

// <sys/socket.h>, <netinet/in.h>
const AF_INET = 2
const AF_INET6 = 10
const SOCK_STREAM = 1
const SOCK_DGRAM = 2
const SOCK_NONBLOCK = 0x800
const SOCK_CLOEXEC = 0x80000
const SOL_SOCKET = 1
const SO_ERROR = 4
const SO_KEEPALIVE = 9
const SO_LINGER = 13
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const SHUT_WR = 1
// <sys/eventfd.h>
const EFD_NONBLOCK = 0x800
const EFD_CLOEXEC = 0x80000

/** errno numbers that a caller tells apart: <asm-generic/errno.h>. */
export const EINTR = -4
export const EAGAIN = -11
export const EPIPE = -32
export const ECONNRESET = -104
export const EINPROGRESS = -115

/** True if this file fits the machine. */
export function isEpollSupported(): boolean {
  return process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
}

interface Calls {
  readonly lib: NumericLibrary
  readonly socket: NumericCall
  readonly connect: NumericCall
  readonly listen: NumericCall
  readonly bind: NumericCall
  readonly send: NumericCall
  readonly sendto: NumericCall
  readonly recv: NumericCall
  readonly shutdown: NumericCall
  readonly close: NumericCall
  readonly setsockopt: NumericCall
  readonly getsockopt: NumericCall
  readonly getsockname: NumericCall
  readonly getpeername: NumericCall
  readonly epoll_create1: NumericCall
  readonly epoll_ctl: NumericCall
  readonly epoll_wait: NumericCall
  readonly eventfd: NumericCall
  readonly read: NumericCall
  readonly write: NumericCall
  readonly usleep: NumericCall
  readonly if_nametoindex: NumericCall
}

type NumericCall = (...values: number[]) => number

let opened: Calls | undefined

function calls(): Calls {
  if (opened) return opened
  if (!isEpollSupported()) throw new Error(`epoll is not supported on ${process.platform} ${process.arch}`)
  const lib = openNumericLibrary()
  opened = {
    lib,
    socket: lib.func('int socket(int, int, int)'),
    connect: lib.func('int connect(int, int64_t, uint32_t)'),
    listen: lib.func('int listen(int, int)'),
    bind: lib.func('int bind(int, int64_t, uint32_t)'),
    send: lib.func('intptr_t send(int, int64_t, size_t, int)'),
    sendto: lib.func('intptr_t sendto(int, int64_t, size_t, int, int64_t, uint32_t)'),
    recv: lib.func('intptr_t recv(int, int64_t, size_t, int)'),
    shutdown: lib.func('int shutdown(int, int)'),
    close: lib.func('int close(int)'),
    setsockopt: lib.func('int setsockopt(int, int, int, int64_t, uint32_t)'),
    getsockopt: lib.func('int getsockopt(int, int, int, int64_t, int64_t)'),
    getsockname: lib.func('int getsockname(int, int64_t, int64_t)'),
    getpeername: lib.func('int getpeername(int, int64_t, int64_t)'),
    epoll_create1: lib.func('int epoll_create1(int)'),
    epoll_ctl: lib.func('int epoll_ctl(int, int, int, int64_t)'),
    epoll_wait: lib.func('int epoll_wait(int, int64_t, int, int)'),
    eventfd: lib.func('int eventfd(unsigned int, int)'),
    read: lib.func('intptr_t read(int, int64_t, size_t)'),
    write: lib.func('intptr_t write(int, int64_t, size_t)'),
    usleep: lib.func('int usleep(uint32_t)'),
    if_nametoindex: lib.func('unsigned int if_nametoindex(int64_t)'),
  }
  return opened
}

function outcome({ lib }: Calls, returned: number): number {
  return returned >= 0 ? returned : -lib.errno()
}

/** Returns the error of a call that returned a negative errno. */
export function epollError(negative: number, syscall: string): SystemError {
  return new SystemError(errorName(-negative), syscall)
}

/** Returns memory that is all 0. Small ones share a block, which lives as long as one of them. */
export function fixedMemory(bytes: number): FixedMemory {
  if (bytes > LARGEST_SHARE) return newBlock(bytes)
  const room = (bytes + 15) & ~15
  if (!block || taken + room > BLOCK) {
    block = newBlock(BLOCK)
    taken = 0
  }
  const from = taken
  taken += room
  return { bytes: block.bytes.subarray(from, from + bytes), address: block.address + from }
}

const BLOCK = 64 * 1024
const LARGEST_SHARE = 4096
let block: FixedMemory | undefined
let taken = 0

function newBlock(bytes: number): FixedMemory {
  const memory = Buffer.allocUnsafeSlow(bytes).fill(0)
  return { bytes: memory, address: calls().lib.address(memory) }
}

/** Returns a fixed copy; `null` for no bytes. */
export function fixedCopy(data: Uint8Array): FixedMemory | null {
  if (data.length === 0) return null
  const memory = fixedMemory(data.length)
  memory.bytes.set(data)
  return memory
}

// ---------------------------------------------------------------- addresses

/**
 * struct sockaddr_in: family, port, address, padding. struct sockaddr_in6: family, port, flow, address, scope. The scope
 * is 0 if the interface of the zone does not exist. `port` may be 0.
 */
export function socketAddress(address: Address, port: number): FixedMemory {
  const isIpv6 = address.family === 'ipv6'
  const memory = fixedMemory(isIpv6 ? 28 : 16)
  memory.bytes.writeUInt16LE(isIpv6 ? AF_INET6 : AF_INET, 0)
  memory.bytes.writeUInt16BE(port, 2)
  memory.bytes.set(bytesOf(address), isIpv6 ? 8 : 4)
  if (isIpv6 && address.zone !== null) memory.bytes.writeUInt32LE(interfaceIndex(address.zone), 24)
  return memory
}

/** Returns the index of an interface by its name or number; 0 if there is none of this name. */
export function interfaceIndex(zone: string): number {
  if (/^\d+$/.test(zone)) return Number(zone)
  const name = fixedMemory(64)
  name.bytes.write(zone.slice(0, 63), 'latin1')
  return calls().if_nametoindex(name.address)
}

// ---------------------------------------------------------------- sockets

/** Opens a TCP socket that does not block. */
export function openStream(family: Family): number {
  const c = calls()
  const domain = family === 'ipv6' ? AF_INET6 : AF_INET
  return outcome(c, c.socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
}

/** Opens a UDP socket that does not block. */
export function openDatagram(family: Family): number {
  const c = calls()
  const domain = family === 'ipv6' ? AF_INET6 : AF_INET
  return outcome(c, c.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0))
}

/** EINPROGRESS is the usual return of a TCP socket. */
export function connectSocket(fd: number, to: FixedMemory): number {
  const c = calls()
  return outcome(c, c.connect(fd, to.address, to.bytes.length))
}

export function bindSocket(fd: number, to: FixedMemory): number {
  const c = calls()
  return outcome(c, c.bind(fd, to.address, to.bytes.length))
}

/** Sends the bytes from `from` on. Returns their number, or EAGAIN. */
export function sendBytes(fd: number, data: FixedMemory, from = 0): number {
  const c = calls()
  const sent = c.send(fd, data.address + from, data.bytes.length - from, MSG_DONTWAIT | MSG_NOSIGNAL)
  return outcome(c, sent)
}

export function sendBytesTo(fd: number, data: FixedMemory, to: FixedMemory): number {
  const c = calls()
  const flags = MSG_DONTWAIT | MSG_NOSIGNAL
  return outcome(c, c.sendto(fd, data.address, data.bytes.length, flags, to.address, to.bytes.length))
}

/** Reads what has arrived, at most as much as `into` holds. 0: the peer has closed its side. */
export function receiveBytes(fd: number, into: FixedMemory): number {
  const c = calls()
  return outcome(c, c.recv(fd, into.address, into.bytes.length, MSG_DONTWAIT))
}

/** Listens, with a short queue. */
export function listenSocket(fd: number): number {
  const c = calls()
  return outcome(c, c.listen(fd, 16))
}

/** Returns the local port of a socket. */
export function localPort(fd: number): number {
  const { value, length } = scratch()
  length.bytes.writeUInt32LE(28)
  calls().getsockname(fd, value.address, length.address)
  return value.bytes.readUInt16BE(2)
}

/** No more bytes will be sent: the peer sees the end. */
export function endSending(fd: number): number {
  const c = calls()
  return outcome(c, c.shutdown(fd, SHUT_WR))
}

export function closeDescriptor(fd: number): number {
  const c = calls()
  return outcome(c, c.close(fd))
}

/** Closes a TCP socket with a reset, which leaves nothing in TIME_WAIT. */
export function resetSocket(fd: number): number {
  setLinger(fd)
  return closeDescriptor(fd)
}

function setLinger(fd: number): void {
  const { value } = scratch()
  // struct linger { int l_onoff; int l_linger; }
  value.bytes.writeInt32LE(1, 0)
  value.bytes.writeInt32LE(0, 4)
  calls().setsockopt(fd, SOL_SOCKET, SO_LINGER, value.address, 8)
}

/** Lets the kernel test an idle connection (TCP keepalive). */
export function keepAlive(fd: number): number {
  const c = calls()
  const { value } = scratch()
  value.bytes.writeInt32LE(1, 0)
  return outcome(c, c.setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, value.address, 4))
}

// <netinet/in.h>, <netinet/tcp.h>, <linux/in.h>, <linux/in6.h>
const IPPROTO_IP = 0
const IPPROTO_TCP = 6
const IPPROTO_IPV6 = 41
const IP_RECVERR = 11
const IPV6_RECVERR = 25
const TCP_KEEPIDLE = 4
const TCP_KEEPINTVL = 5
const TCP_KEEPCNT = 6
const TCP_SYNCNT = 7
const SO_RCVBUF = 8

/**
 * Sets what TCP keepalive waits for: seconds without data before the first test, seconds between two tests, and tests
 * without an answer until the connection counts as lost (tcp(7)).
 */
export function setKeepAliveTimes(fd: number, { idle, every, most }: KeepAliveTimes): void {
  setNumber(fd, IPPROTO_TCP, TCP_KEEPIDLE, idle)
  setNumber(fd, IPPROTO_TCP, TCP_KEEPINTVL, every)
  setNumber(fd, IPPROTO_TCP, TCP_KEEPCNT, most)
}

export interface KeepAliveTimes {
  readonly idle: number
  readonly every: number
  readonly most: number
}

/** Limits how often connect sends its first segment again: after 1, 2, 4 ... seconds. */
export function limitConnect(fd: number, repeats: number): void {
  setNumber(fd, IPPROTO_TCP, TCP_SYNCNT, repeats)
}

/** ICMP errors end the connection at once (IP_RECVERR, ip(7)); otherwise TCP only remembers them. */
export function endByIcmp(fd: number, family: Family): void {
  if (family === 'ipv6') setNumber(fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
  else setNumber(fd, IPPROTO_IP, IP_RECVERR, 1)
}

/** Bounds what the kernel keeps of data that nobody reads. */
export function limitReceived(fd: number, bytes: number): void {
  setNumber(fd, SOL_SOCKET, SO_RCVBUF, bytes)
}

function setNumber(fd: number, level: number, name: number, number: number): void {
  const { value } = scratch()
  value.bytes.writeInt32LE(number, 0)
  calls().setsockopt(fd, level, name, value.address, 4)
}

/** Returns the pending error of a socket as a negative errno, and clears it; 0: none. */
export function pendingError(fd: number): number {
  const c = calls()
  const { value, length } = scratch()
  length.bytes.writeUInt32LE(4)
  const failed = outcome(c, c.getsockopt(fd, SOL_SOCKET, SO_ERROR, value.address, length.address))
  // 0 - n, because -0 is not 0 for a strict comparison.
  return failed < 0 ? failed : 0 - value.bytes.readInt32LE(0)
}

/** True if the two ends of the connection are the same address and port (TCP self-connect). */
export function isConnectedToItself(fd: number): boolean {
  const { getsockname, getpeername } = calls()
  const { value, peer, length } = scratch()
  length.bytes.writeUInt32LE(28)
  if (getsockname(fd, value.address, length.address) < 0) return false
  length.bytes.writeUInt32LE(28)
  if (getpeername(fd, peer.address, length.address) < 0) return false
  const size = value.bytes.readUInt16LE(0) === AF_INET6 ? 28 : 8
  return value.bytes.subarray(0, size).equals(peer.bytes.subarray(0, size))
}

interface Scratch {
  readonly value: FixedMemory
  readonly peer: FixedMemory
  readonly length: FixedMemory
}

let made: Scratch | undefined

/** Memory that is used within one call. */
function scratch(): Scratch {
  made ??= { value: fixedMemory(32), peer: fixedMemory(32), length: fixedMemory(8) }
  return made
}

// ---------------------------------------------------------------- epoll

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
    const fd = outcome(c, c.epoll_create1(EPOLL_CLOEXEC))
    if (fd < 0) throw epollError(fd, 'epoll_create1')
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
  const fd = outcome(c, c.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))
  if (fd < 0) throw epollError(fd, 'eventfd')
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
