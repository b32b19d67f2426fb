/** One request and one answer over UDP. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { RunContext, Target } from '../../src/check/check.js'
import { connectUdp } from './destination.js'

/** Sends the message and returns the first datagram that comes back. */
export async function askUdp(
  target: Target,
  message: Uint8Array,
  { signal, phase }: RunContext,
): Promise<Buffer> {
  const family = target.address.family === 'ipv6' ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    lookup: (host, _options, callback) => callback(null, host, family),
  })
  try {
    phase('send')
    await connectUdp(socket, target, signal)
    const answered = once(socket, 'message', { signal })
    socket.send(message)
    phase('first byte')
    return (await answered)[0]
  } finally {
    socket.close()
  }
}
