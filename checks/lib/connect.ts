/** Connections for checks that speak for themselves or through a library. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { RunContext, Target } from '../../src/check/check.js'
import { connectTls, type TlsOptions } from './tls.js'

/** A connection that stands, over TLS where its options are given. It is destroyed when the signal says so. */
export async function open(
  { address, port }: Target,
  tls: TlsOptions | null,
  context: RunContext,
  alpn?: readonly string[],
): Promise<Socket> {
  if (tls)
    return connectTls({ host: address.text, port, name: null, ...(alpn ? { alpn } : {}) }, tls, context)
  context.phase('connect')
  const socket = connect({ host: address.text, port, signal: context.signal, noDelay: true })
  // An error that comes when nobody waits any more must not end lvsd.
  socket.on('error', () => {})
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  }
}
