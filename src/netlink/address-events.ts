/** Hears from the kernel at once when addresses of this machine come, go or change: NETLINK_ROUTE. */
import { type EventSocket, openEventSocket } from './event-socket.js'
import { decodeMessages } from './message.js'
import { ownAddress } from './paths.js'

/** Groups of NETLINK_ROUTE (linux/rtnetlink.h) as a bit mask: the bit of group N is N - 1. */
const GROUPS = (1 << (5 - 1)) | (1 << (9 - 1)) // RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR

/** Bytes. If more arrives at once, any address may have changed. */
const BUFFER = 64 * 1024

/**
 * Opens a socket for changes. `onChange` gets the texts of the addresses that a report names; null: reports were lost, so
 * any may have changed. Throws a SystemError.
 */
export function openAddressEvents(onChange: (texts: ReadonlySet<string> | null) => void): EventSocket {
  return openEventSocket({
    groups: GROUPS,
    buffer: BUFFER,
    onReport: datagram => onChange(changedAddresses(datagram)),
    onLoss: () => onChange(null),
  })
}

/** Null for a report that is malformed. */
export function changedAddresses(datagram: Buffer): ReadonlySet<string> | null {
  try {
    return new Set(decodeMessages(datagram).flatMap(message => ownAddress(message)?.address.text ?? []))
  } catch {
    return null
  }
}
