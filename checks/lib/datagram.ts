/** One request and one answer over UDP. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { RunContext, Target } from '../../src/check/check.js'

/** Sends the message and returns the first datagram that comes back. */
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
    // Connected, so that port-unreachable errors are reported and only the target can answer.
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
