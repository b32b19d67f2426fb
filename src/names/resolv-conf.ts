/** Parses /etc/resolv.conf and the environment variables that override it (resolv.conf(5)). Pure. */
import { isIP } from 'node:net'

export interface ResolvConf {
  /** Addresses of name servers, in order. */
  readonly servers: readonly string[]
  /** Domains that are appended to a name. */
  readonly search: readonly string[]
  /** A name with at least this many dots is queried unchanged before the domains are appended. */
  readonly ndots: number
  /** Milliseconds to wait for an answer of a server. */
  readonly timeout: number
  /** Number of queries to each server. */
  readonly attempts: number
  readonly rotate: boolean
}

/** Limits: MAXNS, RES_MAXNDOTS, RES_MAXRETRANS and RES_MAXRETRY of <resolv.h>. */
const MOST_SERVERS = 3
const MOST_NDOTS = 15
const MOST_SECONDS = 30
const MOST_ATTEMPTS = 5

type Env = Readonly<Record<string, string | undefined>>

export function parseResolvConf(text: string, env: Env = {}): ResolvConf {
  const servers: string[] = []
  let search: readonly string[] = []
  const options: string[] = []
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line
      .replace(/[#;].*/s, '')
      .split(/\s+/)
      .filter(Boolean)
    if (keyword === 'nameserver' && isIP(words[0] ?? '')) servers.push(words[0] ?? '')
    if (keyword === 'search') search = words
    if (keyword === 'domain') search = words.slice(0, 1)
    if (keyword === 'options') options.push(...words)
  }
  const domains = env.LOCALDOMAIN?.split(/\s+/).filter(Boolean) ?? search
  options.push(...(env.RES_OPTIONS ?? '').split(/\s+/))
  const number = (name: string, otherwise: number, most: number) => {
    const given = options.filter(option => option.startsWith(`${name}:`)).at(-1)
    const value = Number(given?.slice(name.length + 1) ?? otherwise)
    return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : otherwise
  }
  return {
    servers: servers.length > 0 ? servers.slice(0, MOST_SERVERS) : ['127.0.0.1'],
    search: domains.map(domain => domain.replace(/\.$/, '')).filter(Boolean),
    ndots: number('ndots', 1, MOST_NDOTS),
    timeout: Math.max(1, number('timeout', 5, MOST_SECONDS)) * 1000,
    attempts: Math.max(1, number('attempts', 2, MOST_ATTEMPTS)),
    rotate: options.includes('rotate'),
  }
}

/** Returns the names to query for `name`, in order. */
export function candidates(name: string, { search, ndots }: Pick<ResolvConf, 'search' | 'ndots'>): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)]
  const longer = search.map(domain => `${name}.${domain}`)
  return name.split('.').length - 1 >= ndots ? [name, ...longer] : [...longer, name]
}
