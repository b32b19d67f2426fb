/** A socket on which the kernel reports changes by itself: NETLINK_ROUTE. */
import { createSocket } from 'node:dgram'
import { openNetlink, openUdpSocket } from '../system/datagram-sockets.js'
import { close, replaceDescriptor } from '../system/libc.js'

export interface EventSocket {
  close(): void
}

export interface EventSocketParts {
  /** Groups of NETLINK_ROUTE (linux/rtnetlink.h) as a bit mask: the bit of group N is N - 1. */
  readonly groups: number
  /** Bytes. If more arrives at once, reports are lost. */
  readonly buffer: number
  onReport(datagram: Buffer): void
  /** Reports were lost (ENOBUFS), so anything may have changed. */
  onLoss(): void
}

/**
 * Opens the socket. Node has no netlink sockets, so a UDP socket of Node gets its descriptor replaced: libuv only waits
 * for it and receives datagrams. It does not keep the process alive. Throws a SystemError.
 */
export function openEventSocket({ groups, buffer, onReport, onLoss }: EventSocketParts): EventSocket {
  const netlink = openNetlink(buffer, 'route', groups)
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
  socket.on('message', onReport)
  socket.on('error', onLoss)
  socket.unref()
  return { close: () => void socket.close() }
}
