/** Looks up port numbers by name (`http`, `domain`). */
import { systemFile } from '../names/system-file.js'

/**
 * Returns the port of a service name for the protocol. If there is none, returns the port for another protocol, unless
 * `only` is given. Returns null if no port is found.
 */
export type PortLookup = (name: string, protocol: string, only?: 'only') => number | null

/** Names that are usual in an ldirectord.cf, for machines whose /etc/services is absent or lacks them. */
const WELL_KNOWN: Readonly<Record<string, number>> = {
  ftp: 21,
  ssh: 22,
  smtp: 25,
  domain: 53,
  http: 80,
  pop3: 110,
  nntp: 119,
  ntp: 123,
  imap2: 143,
  imap: 143,
  ldap: 389,
  https: 443,
  submission: 587,
  ldaps: 636,
  imaps: 993,
  pop3s: 995,
  radius: 1812,
  mysql: 3306,
  sip: 5060,
  postgresql: 5432,
}

/** Returns the lookup for the text of an /etc/services. */
export function portLookup(services: string): PortLookup {
  const ports = new Map<string, number>()
  for (const line of services.split('\n')) {
    const [name, number, ...aliases] = line.replace(/#.*/, '').trim().split(/\s+/)
    const [, port, protocol] = /^(\d+)\/(\w+)$/.exec(number ?? '') ?? []
    if (!port || !name) continue
    for (const word of [name, ...aliases]) {
      for (const key of [`${word}/${protocol}`, word]) if (!ports.has(key)) ports.set(key, Number(port))
    }
  }
  return (name, protocol, only) => {
    const exact = ports.get(`${name}/${protocol}`)
    if (exact !== undefined || (only && ports.has(name))) return exact ?? null
    return ports.get(name) ?? (Object.hasOwn(WELL_KNOWN, name) ? (WELL_KNOWN[name] ?? null) : null)
  }
}

const ofSystem = systemFile('/etc/services', portLookup)

/** Returns the lookup for this machine's /etc/services, which is read once it is asked. */
export function systemPorts(): PortLookup {
  return (...asked) => ofSystem()(...asked)
}
