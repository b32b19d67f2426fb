/** One question and one answer over UDP. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { RunContext, Target } from '../../src/check/check.js'

/** The first datagram that comes back. */
export async function askUdp(
  { address, port }: Target,
  message: Uint8Array,
  { signal, phase }: RunContext,
): Promise<Buffer> {
  const family = address.family === 'ipv6' ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    lookup: (host, _options, callback) => callback(null, host, family),
  })
  try {
    phase('send')
    const connected = once(socket, 'connect', { signal })
    // Connected, so that a port-unreachable reaches us and nobody else can answer.
    socket.connect(port, address.text)
    await connected
    const answered = once(socket, 'message', { signal })
    socket.send(message)
    phase('first byte')
    return (await answered)[0]
  } finally {
    socket.close()
  }
}
