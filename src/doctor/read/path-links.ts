/** Reads by which interfaces this machine reaches the servers of checks with `path: service` over IPv4. */
import type { ServicePath } from '../../core/service-path.js'
import { openPaths } from '../../netlink/paths.js'
import { openSocket } from '../../netlink/socket.js'

/** Bytes of the buffers of the socket. */
const BUFFER = 256 * 1024

/** Returns the names of the interfaces by the addresses of servers that have a route; null: the kernel cannot be asked. */
export function readPathLinks(
  paths: readonly Pick<ServicePath, 'virtual' | 'real'>[],
): ReadonlyMap<string, string> | null {
  const servers = paths.flatMap(({ virtual, real }) => (virtual.family === 'ipv4' ? [real.address] : []))
  const distinct = new Map(servers.map(address => [address.text, address]))
  if (distinct.size === 0) return new Map()
  try {
    const asked = openPaths(openSocket(BUFFER, 'route'))
    try {
      const found = new Map<string, string>()
      for (const [text, address] of distinct) {
        const route = asked.routeTo(address)
        const link = route?.kind === 'by' ? asked.link(route.link) : null
        if (link) found.set(text, link.name)
      }
      return found
    } finally {
      asked.close()
    }
  } catch {
    return null
  }
}
