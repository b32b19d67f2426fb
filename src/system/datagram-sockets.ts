/**
 * Datagram sockets that Node does not open: netlink, ICMP, UDP that is not bound yet, and Unix. The constants are those of x86, ARM,
 * RISC-V and POWER.
 */
import { type Address, bytesOf, type Family } from '../core/address.js'
import { bindSocket, close, openSocket, SystemError, sendTo, setOption } from './libc.js'

const AF_UNIX = 1
const AF_INET = 2
const AF_INET6 = 10
const AF_NETLINK = 16

const SOCK_DGRAM = 2
const SOCK_RAW = 3
const SOCK_NONBLOCK = 0x800

const NETLINK_ROUTE = 0
const NETLINK_GENERIC = 16
const IPPROTO_ICMP = 1
const IPPROTO_ICMPV6 = 58

const SOL_SOCKET = 1
const SO_SNDBUF = 7
const SO_RCVBUF = 8
const SO_SNDBUFFORCE = 32
const SO_RCVBUFFORCE = 33
const SOL_RAW = 255
const ICMP_FILTER = 1
const SOL_ICMPV6 = 58
const ICMP6_FILTER = 1

const ICMP_ECHO_REPLY = 0
const ICMP6_ECHO_REPLY = 129

// ---------------------------------------------------------------- netlink

/** The family of a netlink socket: what of the kernel it talks to. */
export type NetlinkFamily = 'generic' | 'route'

/**
 * Opens a netlink socket with buffers of `buffer` bytes, or the maximum allowed for this process. It receives the
 * changes of these groups (a bit mask of the family); libuv may wait for these, and would block on another kind of socket.
 */
export function openNetlink(buffer: number, family: NetlinkFamily = 'generic', groups = 0): number {
  const kind = groups === 0 ? SOCK_RAW : SOCK_RAW | SOCK_NONBLOCK
  const fd = openSocket(AF_NETLINK, kind, family === 'route' ? NETLINK_ROUTE : NETLINK_GENERIC)
  try {
    // The kernel's default holds 277 answers. With FORCE, root can exceed net.core.rmem_max.
    setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, buffer)
    setBuffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, buffer)
    bindSocket(fd, netlinkAddress(groups))
    return fd
  } catch (error) {
    close(fd)
    throw error
  }
}

/** struct sockaddr_nl: family, padding, port 0 (the kernel assigns one), groups. */
function netlinkAddress(groups: number): Uint8Array {
  const address = Buffer.alloc(12)
  address.writeUInt16LE(AF_NETLINK, 0)
  address.writeUInt32LE(groups, 8)
  return address
}

// ---------------------------------------------------------------- ICMP and UDP

export interface IcmpSocket {
  readonly fd: number
  /**
   * False: a ping socket. The kernel chooses the identifier and delivers only replies to this socket.
   *
   * True: a raw socket. It receives every echo reply of the machine. Over IPv4, each starts with the IP header, and the
   * sender must compute the checksum.
   */
  readonly raw: boolean
}

/**
 * Opens a socket for echo requests and replies. Node accepts a ping socket in `bind({ fd })` of `dgram`, but no raw
 * socket. For a raw socket, open a UDP socket with `openUdpSocket`, bind `dgram` to it, and call
 * `replaceDescriptor(raw, udp)` in the same turn of the event loop.
 */
export function openIcmpSocket(family: Family): IcmpSocket {
  const [domain, protocol] = family === 'ipv6' ? [AF_INET6, IPPROTO_ICMPV6] : [AF_INET, IPPROTO_ICMP]
  try {
    return { fd: openSocket(domain, SOCK_DGRAM | SOCK_NONBLOCK, protocol), raw: false }
  } catch (error) {
    // net.ipv4.ping_group_range, which also applies to IPv6 and to root, does not include this group.
    if (!(error instanceof SystemError) || error.code !== 'EACCES') throw error
  }
  const fd = openSocket(domain, SOCK_RAW | SOCK_NONBLOCK, protocol)
  try {
    if (family === 'ipv6') setOption(fd, SOL_ICMPV6, ICMP6_FILTER, passOnly(ICMP6_ECHO_REPLY, 32))
    else setOption(fd, SOL_RAW, ICMP_FILTER, passOnly(ICMP_ECHO_REPLY, 4))
    return { fd, raw: true }
  } catch (error) {
    close(fd)
    throw error
  }
}

/** Returns a filter that passes one type. The kernel's filters are bit sets of the types to drop. */
function passOnly(type: number, bytes: number): Uint8Array {
  const dropped = Buffer.alloc(bytes, 0xff)
  dropped[type >> 3] = 0xff & ~(1 << (type & 7))
  return dropped
}

/** Opens an unbound UDP socket. */
export function openUdpSocket(family: Family): number {
  return openSocket(family === 'ipv6' ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
}

/** Binds a socket to an address without a zone, and to any port. */
export function bindTo(fd: number, address: Address): void {
  const isIpv6 = address.family === 'ipv6'
  // struct sockaddr_in: family, port, address, padding. struct sockaddr_in6: family, port, flow, address, scope.
  const bound = Buffer.alloc(isIpv6 ? 28 : 16)
  bound.writeUInt16LE(isIpv6 ? AF_INET6 : AF_INET, 0)
  bound.set(bytesOf(address), isIpv6 ? 8 : 4)
  bindSocket(fd, bound)
}

/** Sets the receive buffer to `bytes`, exceeding net.core.rmem_max if this process is allowed to. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  setBuffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, bytes)
}

// ---------------------------------------------------------------- Unix

/**
 * Sends `text` to a Unix datagram socket: a path, or an abstract name that starts with `@`. Does not wait: throws
 * EAGAIN if the receiver's queue is full.
 */
export function sendToUnix(path: string, text: string): void {
  const fd = openSocket(AF_UNIX, SOCK_DGRAM, 0)
  try {
    sendTo(fd, Buffer.from(text), unixAddress(path), path)
  } finally {
    close(fd)
  }
}

/** struct sockaddr_un: family, then the NUL-terminated path, or a NUL and the abstract name. */
function unixAddress(path: string): Uint8Array {
  const name = Buffer.from(path.startsWith('@') ? `\0${path.slice(1)}` : `${path}\0`)
  if (name.length > 108) throw new SystemError('ENAMETOOLONG', 'sendto', path)
  return Buffer.concat([Buffer.from([AF_UNIX, 0]), name])
}

function setBuffer(fd: number, forced: number, modest: number, bytes: number): void {
  const value = Buffer.alloc(4)
  value.writeInt32LE(bytes)
  try {
    setOption(fd, SOL_SOCKET, forced, value)
  } catch {
    setOption(fd, SOL_SOCKET, modest, value)
  }
}
