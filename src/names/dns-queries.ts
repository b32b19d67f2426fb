/** Queries to the name servers of one resolv.conf, through c-ares. */
import type { promises } from 'node:dns'
import { setTimeout } from 'node:timers/promises'
import { endpoint, type Family, parseAddress } from '../core/address.js'
import type { ResolvConf } from './resolv-conf.js'

export interface Questions {
  readonly conf: ResolvConf
  /** True if there is no name server that c-ares can reach. */
  readonly isEmpty: boolean
  /** Returns the addresses, sorted, or an error code. */
  addresses(name: string, family: Family): Promise<readonly string[] | string>
  /** Returns the names in a PTR record, or an error code. `name` is the name of the record. */
  pointers(name: string): Promise<readonly string[] | string>
  /** Ends all pending queries with ECANCELLED. */
  close(): void
}

/**
 * Milliseconds between two queries. The answers to thousands of simultaneous queries would overflow the socket buffer.
 */
const SPACING = 0.25
/** Milliseconds. A shorter wait is skipped. */
const SHORTEST_WAIT = 10

export function openQuestions(conf: ResolvConf, port: number): Questions {
  // c-ares ignores zones, so it would query a link-local server on an arbitrary interface.
  const servers = conf.servers.filter(server => !server.includes('%'))
  if (conf.rotate) servers.push(...servers.splice(0, Math.floor(Math.random() * servers.length)))
  let made: promises.Resolver | null = null
  // Most configurations have addresses, and no names.
  const resolver = () => {
    if (made) return made
    const { Resolver } = process.getBuiltinModule('node:dns').promises
    made = new Resolver({ timeout: conf.timeout, tries: conf.attempts })
    if (servers.length > 0) made.setServers(servers.map(server => endpoint(server, port)))
    return made
  }
  let next = 0
  const ask = async <T>(question: () => Promise<readonly T[]>): Promise<readonly T[] | string> => {
    const now = performance.now()
    next = Math.max(next, now) + SPACING
    if (next - now > SHORTEST_WAIT) await setTimeout(next - now)
    return question().catch((error: NodeJS.ErrnoException) => error.code ?? 'EFORMERR')
  }
  return {
    conf,
    isEmpty: servers.length === 0,
    async addresses(name, family) {
      const found = await ask(() =>
        family === 'ipv6' ? resolver().resolve6(name) : resolver().resolve4(name),
      )
      if (typeof found === 'string') return found
      // Name servers rotate the order. Sorted addresses make two directors choose the same one.
      const texts = found.flatMap(text => parseAddress(text)?.text ?? []).sort()
      return texts.length > 0 ? [...new Set(texts)] : 'ENODATA'
    },
    pointers: name => ask(() => resolver().resolvePtr(name)),
    close: () => made?.cancel(),
  }
}
