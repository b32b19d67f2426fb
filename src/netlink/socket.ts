/** The netlink sockets of this machine. */
import { type NetlinkFamily, openNetlink } from '../system/datagram-sockets.js'
import { close, receive, send } from '../system/libc.js'
import type { Socket } from './connection.js'

/**
 * Opens a socket in the current network namespace of the process; the socket stays in that namespace. The buffer (1 MiB
 * by default) is many times larger than the answers to one batch. With `groups` it receives changes too. Throws a SystemError.
 */
export function openSocket(bufferSize = 1 << 20, family: NetlinkFamily = 'generic', groups = 0): Socket {
  const fd = openNetlink(bufferSize, family, groups)
  return {
    send: datagram => send(fd, datagram),
    receive: into => receive(fd, into),
    close: () => close(fd),
  }
}
