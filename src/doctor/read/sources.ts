/** Asks the kernel which source address it chooses for servers. Nothing is sent. */
import { createSocket } from 'node:dgram'
import type { Address } from '../../core/address.js'
import type { Source } from '../facts.js'
import { withoutZone } from '../uses.js'

/** Sockets that are open at once. Each takes 0.1 ms, and checks go on between the groups. */
const AT_ONCE = 20

/** `boundTo` returns the address that lvsd binds checks of a server to, or null. */
export async function readSources(
  addresses: readonly Address[],
  boundTo: (server: Address) => Address | null = () => null,
): Promise<ReadonlyMap<string, Source>> {
  const distinct = [...new Map(addresses.map(address => [address.text, address])).values()]
  const found = new Map<string, Source>()
  for (let i = 0; i < distinct.length; i += AT_ONCE) {
    const some = distinct.slice(i, i + AT_ONCE)
    const sources = await Promise.all(some.map(sourceOf))
    for (const [n, server] of some.entries()) {
      const source = sources[n] as Source
      const bound = 'address' in source ? boundTo(server) : null
      found.set(server.text, bound ? { ...source, bound: bound.text } : source)
    }
  }
  return found
}

/** The kernel chooses the source of a UDP socket when it is connected. */
function sourceOf({ text, family }: Address): Promise<Source> {
  return new Promise(resolve => {
    const type = family === 'ipv6' ? 'udp6' : 'udp4'
    const socket = createSocket({ type, lookup: (host, _options, found) => found(null, host, 0) })
    const end = (source: Source) => {
      socket.close()
      resolve(source)
    }
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => end({ refusal: code ?? message }))
    // The port is of no importance; 9 is discard.
    socket.connect(9, text, (error?: NodeJS.ErrnoException) =>
      end(
        error ? { refusal: error.code ?? error.message } : { address: withoutZone(socket.address().address) },
      ),
    )
  })
}
