/** Hears from the kernel at once when interfaces, routes, neighbours or addresses of this machine change: NETLINK_ROUTE. */
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
  readonly failed: readonly Neighbour[]
  /** The kernel has the hardware address of these neighbours. */
  readonly found: readonly (Neighbour & { readonly hardware: string })[]
  /** Indexes of the interfaces of `links`. */
  readonly linkIndexes: readonly number[]
  /** Addresses of this machine have come, gone or changed. */
  readonly addresses: boolean
}

export interface Neighbour {
  readonly address: Address
  /** Index of the interface. */
  readonly link: number
}

export interface PathEventsParts {
  /** True if changes of routes are wanted. There are many of them beside a routing daemon. */
  readonly routes: boolean
  /** True if changes of addresses are wanted. */
  readonly addresses?: boolean
  onEvent(event: PathEvent): void
}

/** Groups of NETLINK_ROUTE (linux/rtnetlink.h) as a bit mask: the bit of group N is N - 1. */
const LINK = 1 << 0
const NEIGHBOUR = 1 << 2
const IPV4_ADDRESS = 1 << 4
const IPV4_ROUTE = 1 << 6
const IPV6_ADDRESS = 1 << 8
const IPV6_ROUTE = 1 << 10

/** Values of nlmsg_type (linux/rtnetlink.h). */
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_NEWNEIGH = 28
/**
 * Size of struct ndmsg, the state of a neighbour that was asked for in vain, and those with a hardware address: reachable,
 * stale, delay, probe, permanent (linux/neighbour.h).
 */
const neighbourSize = 12
const NUD_FAILED = 0x20
export const NUD_FOUND = 0x02 | 0x04 | 0x08 | 0x10 | 0x80

/** Bytes. If more arrives at once, everything counts as changed. */
const BUFFER = 256 * 1024

const neighbourAttributes = nested({ DST: [1, bytes], LLADDR: [2, bytes] }) // NDA_

export const EVERYTHING: PathEvent = {
  ...{ links: true, routes: true, addresses: true },
  ...{ failed: [], found: [], linkIndexes: [] },
}

/** Opens a socket for changes. Throws a SystemError. */
export function openPathEvents({ routes, addresses = false, onEvent }: PathEventsParts): EventSocket {
  const routeGroups = routes ? IPV4_ROUTE | IPV6_ROUTE : 0
  return openEventSocket({
    groups: LINK | NEIGHBOUR | routeGroups | (addresses ? IPV4_ADDRESS | IPV6_ADDRESS : 0),
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
  const linkIndexes = messages.flatMap(message =>
    message.type === RTM_NEWLINK || message.type === RTM_DELLINK ? indexOf(message) : [],
  )
  const neighbours = messages.flatMap(message => (message.type === RTM_NEWNEIGH ? neighbourOf(message) : []))
  return {
    links: messages.some(({ type }) => type === RTM_NEWLINK || type === RTM_DELLINK),
    linkIndexes,
    routes: messages.some(({ type }) => type === RTM_NEWROUTE || type === RTM_DELROUTE),
    addresses: messages.some(({ type }) => type === RTM_NEWADDR || type === RTM_DELADDR),
    failed: neighbours.flatMap(({ state, address, link }) => (state & NUD_FAILED ? { address, link } : [])),
    found: neighbours.flatMap(({ state, address, link, hardware }) =>
      state & NUD_FOUND && hardware !== null ? { address, link, hardware } : [],
    ),
  }
}

/** struct ifinfomsg: family, padding, type, index at byte 4. */
function indexOf({ data, start, end }: Message): number[] {
  return end - start < 8 ? [] : [data.readInt32LE(start + 4)]
}

/** struct ndmsg: family, padding, index of the interface at byte 4, state at byte 8. */
export function neighbourOf({ data, start, end }: Message): (Neighbour & NeighbourState)[] {
  if (end - start < neighbourSize) return []
  const { DST, LLADDR } = neighbourAttributes.read(data, start + neighbourSize, end)
  if (DST?.length !== 4 && DST?.length !== 16) return []
  return [
    {
      address: addressFromBytes(DST),
      link: data.readInt32LE(start + 4),
      state: data.readUInt16LE(start + 8),
      hardware: LLADDR ? Buffer.from(LLADDR).toString('hex') : null,
    },
  ]
}

export interface NeighbourState {
  readonly state: number
  /** Its hardware address in hexadecimal digits. */
  readonly hardware: string | null
}
