/** Where a check connects to, and the address of this machine from which it does. */
import type { Socket as DatagramSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, Socket } from 'node:net'
import type { MarkedRun, RunContext, Target } from '../../src/check/check.js'
import { type Address, parseAddress } from '../../src/core/address.js'
import { openMarked } from '../../src/system/marked-socket.js'

export interface Destination {
  /** An address, or a name where nothing is `marked`. */
  readonly host: string
  readonly port: number
  /** Absent: the kernel chooses. */
  readonly localAddress?: string
  /** Set if the connection takes the path of a service. Only `connectTo` and `connectTls` know it. */
  readonly marked?: MarkedRun
}

/** Options of a connection, as of `net.connect`. */
export interface ConnectOptions {
  readonly signal?: AbortSignal
  readonly noDelay?: boolean
  /** Milliseconds without traffic until `timeout` is emitted. */
  readonly timeout?: number
}

/** Returns the destination in the words of node:net and node:tls. */
export function destinationOf({ address, port, source, marked }: Target): Destination {
  return {
    ...{ host: address.text, port },
    ...(source && { localAddress: source.text }),
    ...(marked && { marked }),
  }
}

/** Begins to connect. Emits all errors, as `net.connect` does: also where the socket cannot be marked or bound. */
export function connectTo({ marked, ...to }: Destination, options: ConnectOptions = {}): Socket {
  if (!marked) return connect({ ...to, ...options })
  const { host, port, localAddress } = to
  try {
    options.signal?.throwIfAborted()
    const fd = openMarked({ type: 'stream', ...endsOf(parseAddress(host), localAddress), ...marked })
    // It is not connected yet, so Node must not begin to read.
    const socket = new Socket({ fd, manualStart: true, ...options } as ConstructorParameters<
      typeof Socket
    >[0])
    if (options.timeout !== undefined) socket.setTimeout(options.timeout)
    return socket.connect({ host, port })
  } catch (error) {
    return new Socket().destroy(error as Error)
  }
}

/** Opens a connection. The signal destroys it. Rejects with a network error. */
export async function openTcp(
  to: Destination,
  { signal, phase }: Pick<RunContext, 'signal' | 'phase'>,
  options: ConnectOptions = {},
): Promise<Socket> {
  phase('connect')
  const socket = connectTo(to, { signal, ...options })
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

/** Connects a UDP socket. Resolves when it is connected. */
export async function connectUdp(
  socket: DatagramSocket,
  { address, port, source, marked }: Target,
  signal: AbortSignal,
): Promise<void> {
  if (source || marked) {
    const fd = marked && openMarked({ type: 'datagram', ...endsOf(address, source?.text), ...marked })
    const bound = once(socket, 'listening', { signal })
    if (fd) socket.bind({ fd, exclusive: true })
    else socket.bind({ address: source?.text, exclusive: true } as never)
    await bound
  }
  const connected = once(socket, 'connect', { signal })
  // Connected, so that port-unreachable errors are reported and only the target can answer.
  socket.connect(port, address.text)
  await connected
}

function endsOf(to: Address | null, from: string | undefined) {
  return { family: to?.family ?? 'ipv6', from: from === undefined ? null : parseAddress(from) } as const
}
