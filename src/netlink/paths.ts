/**
 * Asks the kernel by which interface and from which address it would send to an address, whether an interface works,
 * and for the addresses of this machine: NETLINK_ROUTE. Nothing is sent to the network, so the answer is about this
 * machine alone.
 */
import { type Address, addressFromBytes, bytesOf, isLinkLocal } from '../core/address.js'
import type { OwnAddress } from '../core/check-source.js'
import { errorName } from '../system/libc.js'
import { bytes, nested, skipped, text, u32 } from './attribute.js'
import type { Socket } from './connection.js'
import { NetlinkError } from './error.js'
import { decodeMessages, errnoOf, flag, type Message, type } from './message.js'

/** The route to an address. */
export type Route =
  | {
      readonly kind: 'by'
      readonly link: number
      /** The source address that the kernel chooses; null if it has none. */
      readonly source: Address | null
      /** The next hop; null if it is the address itself. */
      readonly gateway: Address | null
    }
  /** An address of this machine. */
  | { readonly kind: 'local' }
  /** The kernel refuses to send. `code` is the errno name, such as ENETUNREACH. */
  | { readonly kind: 'unreachable'; readonly code: string }

export interface Link {
  readonly name: string
  /** True if it is set up and has a carrier: the operational state of RFC 2863. */
  readonly isWorking: boolean
  /** Number of times it has lost its carrier; 0 if the kernel does not report it. */
  readonly losses: number
}

export interface Paths {
  /** Null for a link-local address, which has its interface in its zone. */
  routeTo(address: Address): Route | null
  /** Null if there is no such interface. */
  link(index: number): Link | null
  /** Null if there is no interface of this name. */
  linkNamed(name: string): Link | null
  /** All addresses of this machine, those of interfaces that are down included. */
  addresses(): readonly OwnAddress[]
  close(): void
}

/** Values of nlmsg_type (linux/rtnetlink.h). */
const RTM_GETLINK = 18
const RTM_GETADDR = 22
const RTM_GETROUTE = 26
/** Address families of the kernel. */
const AF_INET = 2
const AF_INET6 = 10
/** Type of the route to an address of this machine. */
const RTN_LOCAL = 2
/** Flags of an interface (linux/if.h): set up; operational. */
const IFF_UP = 1
const IFF_RUNNING = 0x40
/** Scopes (linux/rtnetlink.h). */
const RT_SCOPE_LINK = 253
const RT_SCOPE_HOST = 254
/** Flags of an address (linux/if_addr.h). The first one marks a secondary address in IPv4. */
const IFA_F_TEMPORARY = 0x01
const IFA_F_DADFAILED = 0x08
const IFA_F_DEPRECATED = 0x20
const IFA_F_TENTATIVE = 0x40
/** Sizes of struct rtmsg, struct ifinfomsg and struct ifaddrmsg. */
const routeSize = 12
const linkSize = 16
const addressSize = 8
const headerSize = 16

const routeAttributes = nested({
  OIF: [4, u32], // RTA_
  GATEWAY: [5, bytes],
  PREFSRC: [7, bytes],
})
const linkAttributes = nested({
  IFNAME: [3, text], // IFLA_
  STATS: [7, skipped],
  CARRIER_DOWN_COUNT: [48, u32],
})
const addressAttributes = nested({
  ADDRESS: [1, bytes], // IFA_
  LOCAL: [2, bytes],
  FLAGS: [8, u32],
})

export function openPaths(socket: Socket): Paths {
  const buffer = Buffer.allocUnsafeSlow(65536)
  let sequence = 0

  return {
    routeTo(address) {
      if (isLinkLocal(address)) return null
      const answer = ask(RTM_GETROUTE, routeRequest(address))
      if (typeof answer === 'string') return { kind: 'unreachable', code: answer }
      const { data, start, end } = answer
      // rtm_type is the byte 7 of struct rtmsg.
      if (data.readUInt8(start + 7) === RTN_LOCAL) return { kind: 'local' }
      const { OIF, PREFSRC, GATEWAY } = routeAttributes.read(data, start + routeSize, end)
      if (OIF === undefined) return { kind: 'unreachable', code: 'ENETUNREACH' }
      return { kind: 'by', link: OIF, source: addressOrNull(PREFSRC), gateway: addressOrNull(GATEWAY) }
    },

    link(index) {
      const request = Buffer.alloc(linkSize)
      request.writeInt32LE(index, 4)
      return linkOf(ask(RTM_GETLINK, request), String(index))
    },

    linkNamed: name => linkOf(ask(RTM_GETLINK, namedLinkRequest(name)), name),

    addresses() {
      send(RTM_GETADDR, Buffer.alloc(addressSize), flag.DUMP)
      const found: OwnAddress[] = []
      for (const message of answers()) {
        if (message.type === type.DONE) return found
        if (message.type === type.ERROR) throw refused(errnoOf(message))
        const own = ownAddress(message)
        if (own) found.push(own)
      }
      throw noAnswer()
    },

    close: () => socket.close(),
  }

  /** Returns the answer, or the errno name of a refusal. The answer is valid until the next request. */
  function ask(request: number, body: Buffer): Message | string {
    send(request, body)
    for (const message of answers())
      return message.type === type.ERROR ? errorName(errnoOf(message)) : message
    throw noAnswer()
  }

  function send(request: number, body: Buffer, flags = 0): void {
    sequence = (sequence + 1) >>> 0
    const header = Buffer.alloc(headerSize)
    header.writeUInt32LE(headerSize + body.length, 0)
    header.writeUInt16LE(request, 4)
    header.writeUInt16LE(flag.REQUEST | flags, 6)
    header.writeUInt32LE(sequence, 8)
    socket.send(Buffer.concat([header, body]))
  }

  function* answers(): Iterable<Message> {
    for (let length = socket.receive(buffer); length !== null; length = socket.receive(buffer))
      for (const message of decodeMessages(buffer, length)) if (message.sequence === sequence) yield message
  }
}

function linkOf(answer: Message | string, name: string): Link | null {
  if (typeof answer === 'string') return null
  const { data, start, end } = answer
  const flags = data.readUInt32LE(start + 8)
  const { IFNAME, CARRIER_DOWN_COUNT } = linkAttributes.read(data, start + linkSize, end)
  return {
    name: IFNAME ?? name,
    isWorking: (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0,
    losses: CARRIER_DOWN_COUNT ?? 0,
  }
}

/** struct ifinfomsg, and the attribute IFLA_IFNAME with a NUL at its end. */
function namedLinkRequest(name: string): Buffer {
  const text = Buffer.from(`${name}\0`)
  const request = Buffer.alloc(linkSize + 4 + text.length)
  request.writeUInt16LE(4 + text.length, linkSize)
  request.writeUInt16LE(3, linkSize + 2) // IFLA_IFNAME
  request.set(text, linkSize + 4)
  return request
}

function refused(errno: number): NetlinkError {
  return new NetlinkError(errorName(errno), `the kernel does not tell the addresses: ${errorName(errno)}`)
}

function noAnswer(): NetlinkError {
  return new NetlinkError('ENOBUFS', 'the kernel gives no answer about its routes')
}

function addressOrNull(value: Uint8Array | undefined): Address | null {
  return value && (value.length === 4 || value.length === 16) ? addressFromBytes(value) : null
}

/** Decodes struct ifaddrmsg: family, prefix length, flags, scope, index. Returns null if there is no address in it. */
export function ownAddress({ data, start, end }: Message): OwnAddress | null {
  const { ADDRESS, LOCAL, FLAGS } = addressAttributes.read(data, start + addressSize, end)
  // ADDRESS is the peer where the interface is a point-to-point one.
  const address = addressOrNull(LOCAL ?? ADDRESS)
  if (!address) return null
  const flags = FLAGS ?? data.readUInt8(start + 2)
  const scope = data.readUInt8(start + 3)
  return {
    address,
    link: data.readUInt32LE(start + 4),
    prefix: data.readUInt8(start + 1),
    scope: scope === RT_SCOPE_HOST ? 'host' : scope === RT_SCOPE_LINK ? 'link' : 'global',
    isTentative: (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) !== 0,
    isDeprecated: (flags & IFA_F_DEPRECATED) !== 0,
    isTemporary: address.family === 'ipv6' && (flags & IFA_F_TEMPORARY) !== 0,
    ...((flags & IFA_F_DADFAILED) !== 0 && { isDuplicate: true }),
  }
}

/** struct rtmsg, and the attribute RTA_DST. */
function routeRequest(address: Address): Buffer {
  const bytes = bytesOf(address)
  const request = Buffer.alloc(routeSize + 4 + bytes.length)
  request.writeUInt8(address.family === 'ipv6' ? AF_INET6 : AF_INET, 0)
  request.writeUInt8(bytes.length * 8, 1)
  request.writeUInt16LE(4 + bytes.length, routeSize)
  request.writeUInt16LE(1, routeSize + 2) // RTA_DST
  request.set(bytes, routeSize + 4)
  return request
}
