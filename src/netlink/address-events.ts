/** Hears from the kernel at once when addresses of this machine come, go or change: NETLINK_ROUTE. */
import { createSocket } from 'node:dgram'
import { close, openNetlink, openUdpSocket, replaceDescriptor } from '../system/libc.js'
import { decodeMessages } from './message.js'
import { ownAddress } from './paths.js'

export interface AddressEvents {
  close(): void
}

/** Groups of NETLINK_ROUTE (linux/rtnetlink.h) as a bit mask: the bit of group N is N - 1. */
const GROUPS = (1 << (5 - 1)) | (1 << (9 - 1)) // RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR

/** Bytes. If more arrives at once, any address may have changed. */
const BUFFER = 64 * 1024

/**
 * Opens a socket for changes. `onChange` gets the texts of the addresses that a report names; null: reports were lost, so
 * any may have changed. Node has no netlink sockets, so a UDP socket of Node gets its descriptor replaced: libuv only
 * waits for it and receives datagrams. Throws a SystemError.
 */
export function openAddressEvents(onChange: (texts: ReadonlySet<string> | null) => void): AddressEvents {
  const netlink = openNetlink(BUFFER, 'route', GROUPS)
  const socket = createSocket('udp6')
  try {
    const standIn = openUdpSocket('ipv6')
    socket.bind({ fd: standIn })
    replaceDescriptor(netlink, standIn)
  } catch (error) {
    close(netlink)
    socket.close()
    throw error
  }
  socket.on('message', datagram => onChange(changedAddresses(datagram)))
  // ENOBUFS: reports were lost.
  socket.on('error', () => onChange(null))
  socket.unref()
  return { close: () => void socket.close() }
}

/** Null for a report that is malformed. */
export function changedAddresses(datagram: Buffer): ReadonlySet<string> | null {
  try {
    return new Set(decodeMessages(datagram).flatMap(message => ownAddress(message)?.address.text ?? []))
  } catch {
    return null
  }
}
