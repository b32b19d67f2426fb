/** Parses the line `hosts:` of /etc/nsswitch.conf (nsswitch.conf(5)). Pure. */

export interface HostSources {
  /** True if name servers are queried. */
  readonly dns: boolean
  /** True if a source is listed that only the C library supports: mdns, myhostname, mymachines, ldap, nis and so on. */
  readonly others: boolean
}

/** `resolve` (systemd-resolved) counts as dns, because /etc/resolv.conf lists systemd-resolved as a name server. */
const OF_DNS: ReadonlySet<string> = new Set(['dns', 'resolve'])

/**
 * Without the line the sources are files and dns, as in the C library. Actions in brackets ([NOTFOUND=return]) are
 * ignored.
 */
export function parseNsswitch(text: string): HostSources {
  const line = /^[ \t]*hosts:(.*)$/m.exec(text)?.[1]
  if (line === undefined) return { dns: true, others: false }
  const sources = line
    .replace(/#.*/, '')
    .replace(/\[[^\]]*\]/g, ' ')
    .split(/\s+/)
    .filter(Boolean)
  return {
    dns: sources.some(source => OF_DNS.has(source)),
    others: sources.some(source => source !== 'files' && !OF_DNS.has(source)),
  }
}
