/** A generic netlink socket of the machine. */
import { close, openNetlink, receive, send } from '../libc.js'
import type { Socket } from './connection.js'

/** Bytes for each direction: the answers to a whole batch fit many times over. */
const bufferSize = 1 << 20

/** Opens a socket in the network namespace that the process is in; it stays there. Throws a SystemError. */
export function openSocket(): Socket {
  const fd = openNetlink(bufferSize)
  return {
    send: datagram => send(fd, datagram),
    receive: into => receive(fd, into),
    close: () => close(fd),
  }
}
