/** Where a check connects to, and the address of this machine from which it does. */
import type { Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Target } from '../../src/check/check.js'

export interface Destination {
  readonly host: string
  readonly port: number
  /** Absent: the kernel chooses. */
  readonly localAddress?: string
}

/** Returns the destination in the words of node:net and node:tls. */
export function destinationOf({ address, port, source }: Target): Destination {
  return { host: address.text, port, ...(source && { localAddress: source.text }) }
}

/** Connects a UDP socket. Resolves when it is connected. */
export async function connectUdp(
  socket: Socket,
  { address, port, source }: Target,
  signal: AbortSignal,
): Promise<void> {
  if (source) {
    const bound = once(socket, 'listening', { signal })
    socket.bind({ address: source.text, exclusive: true })
    await bound
  }
  const connected = once(socket, 'connect', { signal })
  // Connected, so that port-unreachable errors are reported and only the target can answer.
  socket.connect(port, address.text)
  await connected
}
