/** The line `hosts:` of /etc/nsswitch.conf (nsswitch.conf(5)). Pure. */

export interface HostSources {
  /** Whether name servers are asked. */
  readonly dns: boolean
  /** Whether there is a source that only the C library can ask: mdns, myhostname, mymachines, ldap, nis and so on. */
  readonly others: boolean
}

/** systemd-resolved stands in /etc/resolv.conf as well, as a name server, and counts as one here. */
const OF_DNS: ReadonlySet<string> = new Set(['dns', 'resolve'])

/** Without such a line: files and dns, as the C library has it. Actions in brackets ([NOTFOUND=return]) are passed over. */
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
