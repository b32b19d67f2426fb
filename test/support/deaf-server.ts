/** A server whose machine does not answer segments that open a connection: its queue of connections is full (listen(2)). */
import { connect } from 'node:net'
import { closeDescriptor } from '../../src/system/numeric-calls.js'
import { bindSocket, listenSocket, localPort, openStream, socketAddress } from '../../src/system/sockets.js'
import { onCleanup } from './after-each.js'
import { address } from './tables.js'
import { until } from './until.js'

/** More than `listenSocket` lets wait. */
const FILL = 24

/** Listens on ::1. Resolves to its port when further connections stay without an answer. */
export async function deafServer(): Promise<number> {
  const fd = openStream('ipv6')
  onCleanup(() => void closeDescriptor(fd))
  bindSocket(fd, socketAddress(address('::1'), 0))
  listenSocket(fd)
  const port = localPort(fd)
  const fillers = Array.from({ length: FILL }, () => connect(port, '::1').on('error', () => {}))
  onCleanup(() => {
    for (const filler of fillers) filler.destroy()
  })
  // Those that are open have filled it; the kernel does not answer the others.
  await until(() => fillers.filter(({ readyState }) => readyState === 'open').length >= 17)
  return port
}
