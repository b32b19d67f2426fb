/** A port of this machine at which no connection ever opens. */
import { closeDescriptor } from '../../src/system/numeric-calls.js'
import {
  bindSocket,
  connectSocket,
  listenSocket,
  localPort,
  openStream,
  socketAddress,
} from '../../src/system/sockets.js'
import { onCleanup } from './after-each.js'
import type { Loopback } from './servers.js'
import { address } from './tables.js'

/** Connections that fill the queue of a listener. */
const ENOUGH = 40

/** Returns a port that drops further connections: its queue is full, and nobody takes from it. */
export function fullListener(host: Loopback = '::1'): number {
  const [here, family] = [address(host), host === '::1' ? 'ipv6' : 'ipv4'] as const
  const listener = openStream(family)
  bindSocket(listener, socketAddress(here, 0))
  listenSocket(listener)
  const port = localPort(listener)
  const clients = Array.from({ length: ENOUGH }, () => openStream(family))
  for (const client of clients) connectSocket(client, socketAddress(here, port))
  onCleanup(() => {
    for (const fd of [listener, ...clients]) closeDescriptor(fd)
  })
  return port
}
