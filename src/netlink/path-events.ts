/** Hears from the kernel at once when interfaces, routes or neighbours of this machine change: NETLINK_ROUTE. */
import { type Address, addressFromBytes } from '../core/address.js'
import { bytes, nested } from './attribute.js'
import { type EventSocket, openEventSocket } from './event-socket.js'
import { decodeMessages, type Message } from './message.js'

/** What one report of the kernel says. */
export interface PathEvent {
  /** An interface has come, gone or changed. */
  readonly links: boolean
  readonly routes: boolean
  /** The kernel has asked for these neighbours in vain. `link` is the index of the interface. */
  readonly failed: readonly { readonly address: Address; readonly link: number }[]
}

export interface PathEventsParts {
  /** True if changes of routes are wanted. There are many of them beside a routing daemon. */
  readonly routes: boolean
  onEvent(event: PathEvent): void
}

/** Groups of NETLINK_ROUTE (linux/rtnetlink.h) as a bit mask: the bit of group N is N - 1. */
const LINK = 1 << 0
const NEIGHBOUR = 1 << 2
const IPV4_ROUTE = 1 << 6
const IPV6_ROUTE = 1 << 10

/** Values of nlmsg_type (linux/rtnetlink.h). */
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_NEWNEIGH = 28
/** Size of struct ndmsg, and the state of a neighbour that was asked for in vain (linux/neighbour.h). */
const neighbourSize = 12
const NUD_FAILED = 0x20

/** Bytes. If more arrives at once, everything counts as changed. */
const BUFFER = 256 * 1024

const neighbourAttributes = nested({ DST: [1, bytes] }) // NDA_

export const EVERYTHING: PathEvent = { links: true, routes: true, failed: [] }

/** Opens a socket for changes. Throws a SystemError. */
export function openPathEvents({ routes, onEvent }: PathEventsParts): EventSocket {
  return openEventSocket({
    groups: LINK | NEIGHBOUR | (routes ? IPV4_ROUTE | IPV6_ROUTE : 0),
    buffer: BUFFER,
    onReport: datagram => onEvent(readPathEvent(datagram)),
    onLoss: () => onEvent(EVERYTHING),
  })
}

/** Decodes a report. One that is malformed counts as a change of everything. */
export function readPathEvent(datagram: Buffer): PathEvent {
  let messages: readonly Message[]
  try {
    messages = decodeMessages(datagram)
  } catch {
    return EVERYTHING
  }
  return {
    links: messages.some(({ type }) => type === RTM_NEWLINK || type === RTM_DELLINK),
    routes: messages.some(({ type }) => type === RTM_NEWROUTE || type === RTM_DELROUTE),
    failed: messages.flatMap(message =>
      message.type === RTM_NEWNEIGH ? (failedNeighbour(message) ?? []) : [],
    ),
  }
}

/** struct ndmsg: family, padding, index of the interface at byte 4, state at byte 8. */
function failedNeighbour({ data, start, end }: Message): PathEvent['failed'][number] | null {
  if (end - start < neighbourSize || (data.readUInt16LE(start + 8) & NUD_FAILED) === 0) return null
  const { DST } = neighbourAttributes.read(data, start + neighbourSize, end)
  if (DST?.length !== 4 && DST?.length !== 16) return null
  return { address: addressFromBytes(DST), link: data.readInt32LE(start + 4) }
}
