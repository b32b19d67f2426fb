/** Asks the kernel for hardware addresses: those of this machine's interfaces, and of its neighbours. NETLINK_ROUTE. */
import type { EthernetLink, KnownNeighbour } from '../core/address-conflict.js'
import { errorName } from '../system/libc.js'
import { bytes, nested, text } from './attribute.js'
import type { Socket } from './connection.js'
import { NetlinkError } from './error.js'
import { decodeMessages, errnoOf, flag, type Message, type } from './message.js'
import { NUD_FOUND, neighbourOf } from './path-events.js'

/** An interface with a hardware address of six bytes. */
export interface HardwareLink extends EthernetLink {
  /** True if it is up, and resolves addresses on an Ethernet: no loopback, point-to-point or NOARP interface. */
  readonly isEthernet: boolean
}

export interface LinkLayer {
  links(): readonly HardwareLink[]
  /** Those whose hardware address the kernel has, of IPv4 and IPv6. */
  neighbours(): readonly KnownNeighbour[]
  close(): void
}

/** Values of nlmsg_type (linux/rtnetlink.h). */
const RTM_GETLINK = 18
const RTM_GETNEIGH = 30
/** Sizes of struct ifinfomsg and struct ndmsg. */
const linkSize = 16
const neighbourSize = 12
const headerSize = 16
/** Type of an interface (linux/if_arp.h). */
const ARPHRD_ETHER = 1
/** Flags of an interface (linux/if.h). */
const IFF_UP = 0x1
const IFF_LOOPBACK = 0x8
const IFF_POINTOPOINT = 0x10
const IFF_RUNNING = 0x40
const IFF_NOARP = 0x80
const NOT_RESOLVING = IFF_LOOPBACK | IFF_POINTOPOINT | IFF_NOARP

const linkAttributes = nested({ ADDRESS: [1, bytes], IFNAME: [3, text] }) // IFLA_

export function openLinkLayer(socket: Socket): LinkLayer {
  const buffer = Buffer.allocUnsafeSlow(65536)
  let sequence = 0

  /** Throws a NetlinkError or a SystemError. */
  function dump<T>(request: number, size: number, read: (message: Message) => readonly T[]): readonly T[] {
    sequence = (sequence + 1) >>> 0
    const message = Buffer.alloc(headerSize + size)
    message.writeUInt32LE(message.length, 0)
    message.writeUInt16LE(request, 4)
    message.writeUInt16LE(flag.REQUEST | flag.DUMP, 6)
    message.writeUInt32LE(sequence, 8)
    socket.send(message)
    const found: T[] = []
    for (let length = socket.receive(buffer); length !== null; length = socket.receive(buffer))
      for (const answer of decodeMessages(buffer, length)) {
        if (answer.sequence !== sequence) continue
        if (answer.type === type.DONE) return found
        if (answer.type === type.ERROR) throw refused(errnoOf(answer))
        found.push(...read(answer))
      }
    throw new NetlinkError('ENOBUFS', 'the kernel gives no answer about hardware addresses')
  }

  return {
    links: () => dump(RTM_GETLINK, linkSize, hardwareLink),
    neighbours: () => dump(RTM_GETNEIGH, neighbourSize, knownNeighbour),
    close: () => socket.close(),
  }
}

function refused(errno: number): NetlinkError {
  const code = errorName(errno)
  return new NetlinkError(code, `the kernel does not tell hardware addresses: ${code}`)
}

/** struct ifinfomsg: family, padding, type at byte 2, index at 4, flags at 8. */
function hardwareLink({ data, start, end }: Message): readonly HardwareLink[] {
  if (end - start < linkSize) return []
  const { ADDRESS, IFNAME } = linkAttributes.read(data, start + linkSize, end)
  if (ADDRESS?.length !== 6) return []
  const flags = data.readUInt32LE(start + 8)
  const isUp = (flags & IFF_UP) !== 0 && (flags & IFF_RUNNING) !== 0
  const index = data.readInt32LE(start + 4)
  return [
    {
      index,
      name: IFNAME ?? String(index),
      hardware: hardwareText(ADDRESS),
      isEthernet: data.readUInt16LE(start + 2) === ARPHRD_ETHER && isUp && (flags & NOT_RESOLVING) === 0,
    },
  ]
}

function knownNeighbour(message: Message): readonly KnownNeighbour[] {
  return neighbourOf(message).flatMap(({ state, address, hardware }) =>
    state & NUD_FOUND && hardware?.length === 12
      ? [{ address, hardware: hardwareText(Buffer.from(hardware, 'hex')) }]
      : [],
  )
}

/** Six bytes as `02:00:00:00:00:99`. */
function hardwareText(address: Uint8Array): string {
  return Array.from(address, byte => byte.toString(16).padStart(2, '0')).join(':')
}
