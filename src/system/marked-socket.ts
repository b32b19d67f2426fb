/** Sockets whose packets have a firewall mark, for Node's own classes: opened and bound here, connected there. */
import type { Address, Family } from '../core/address.js'
import { callError, closeDescriptor, EADDRINUSE } from './numeric-calls.js'
import { bindSocket, markSocket, openDatagram, openStream, socketAddress } from './sockets.js'

export interface MarkedSocketTerms {
  readonly type: 'stream' | 'datagram'
  readonly family: Family
  /** 0: none. */
  readonly mark: number
  /** The address to bind to; null: the kernel chooses. */
  readonly from: Address | null
  /** Local ports to try in this order; those that are tried are removed. Where none is free, the kernel chooses. */
  readonly ports: number[]
}

/** Returns the descriptor. Throws a SystemError: EPERM without CAP_NET_ADMIN, EADDRNOTAVAIL for an address that is not here. */
export function openMarked({ type, family, mark, from, ports }: MarkedSocketTerms): number {
  const fd = type === 'stream' ? openStream(family) : openDatagram(family)
  if (fd < 0) throw callError(fd, 'socket')
  try {
    const marked = mark === 0 ? 0 : markSocket(fd, mark)
    if (marked < 0) throw callError(marked, 'setsockopt')
    if (from) bindToOneOf(fd, from, ports)
    return fd
  } catch (error) {
    closeDescriptor(fd)
    throw error
  }
}

function bindToOneOf(fd: number, from: Address, ports: number[]): void {
  for (;;) {
    const port = ports.shift() ?? 0
    const bound = bindSocket(fd, socketAddress(from, port))
    if (bound === 0) return
    if (bound !== EADDRINUSE || port === 0) throw callError(bound, 'bind')
  }
}
