/** Connections for checks that implement their protocol themselves or with a library. */
import type { Socket } from 'node:net'
import type { RunContext, Target } from '../../src/check/check.js'
import { destinationOf, openTcp } from './destination.js'
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
  return openTcp(destinationOf(target), context, { noDelay: true })
}
