/** Connections for checks that implement their protocol themselves or with a library. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RunContext, Target } from '../../src/check/check.js'
import { destinationOf } from './destination.js'
import { connectTls, type TlsOptions } from './tls.js'

/** Opens a connection, over TLS if `tls` is given. The signal destroys it. Rejects with a network or TLS error. */
export async function open(
  target: Target,
  tls: TlsOptions | null,
  context: RunContext,
  alpn?: readonly string[],
): Promise<Socket> {
  if (tls)
    return connectTls({ ...destinationOf(target), name: null, ...(alpn ? { alpn } : {}) }, tls, context)
  context.phase('connect')
  const socket = connect({ ...destinationOf(target), signal: context.signal, noDelay: true })
  // Without a listener, an error after the run would end the process.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}
