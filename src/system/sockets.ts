/** Sockets without Node's event loop: open, connect, send, receive, options. See `numeric-calls.ts` for what the calls return. */
import { type Address, bytesOf, type Family } from '../core/address.js'
import { opened } from './noted-descriptors.js'
import { calls, closeDescriptor, type FixedMemory, fixedMemory, outcome, scratch } from './numeric-calls.js'

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
const SO_MARK = 36
const MSG_DONTWAIT = 0x40
const MSG_NOSIGNAL = 0x4000
const SHUT_WR = 1

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
  return opened(outcome(c, c.socket(domain, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)))
}

/** Opens a UDP socket that does not block. */
export function openDatagram(family: Family): number {
  const c = calls()
  const domain = family === 'ipv6' ? AF_INET6 : AF_INET
  return opened(outcome(c, c.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)))
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

/** Gives the packets of a socket a firewall mark (SO_MARK, socket(7)). EPERM without CAP_NET_ADMIN. */
export function markSocket(fd: number, mark: number): number {
  const c = calls()
  const { value } = scratch()
  value.bytes.writeUInt32LE(mark, 0)
  return outcome(c, c.setsockopt(fd, SOL_SOCKET, SO_MARK, value.address, 4))
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
