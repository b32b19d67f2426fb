/** A generic netlink socket of the machine. */
import { close, openNetlink, receive, send } from '../system/libc.js'
import type { Socket } from './connection.js'

/**
 * Opens a socket in the network namespace that the process is in; it stays there. Into the buffer the answers to a whole
 * batch fit many times over. Throws a SystemError.
 */
export function openSocket(bufferSize = 1 << 20): Socket {
  const fd = openNetlink(bufferSize)
  return {
    send: datagram => send(fd, datagram),
    receive: into => receive(fd, into),
    close: () => close(fd),
  }
}
