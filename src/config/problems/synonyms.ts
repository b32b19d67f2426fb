/** Maps values that users know from other programs to those of lvsd. */

/** Values of keys and options: `nat` is `masq`. */
const VALUES: ReadonlyMap<string, string> = new Map([
  ['nat', 'masq'],
  ['masquerade', 'masq'],
  ['masquerading', 'masq'],
  ['dr', 'gate'],
  ['droute', 'gate'],
  ['dsr', 'gate'],
  ['direct', 'gate'],
  ['route', 'gate'],
  ['tun', 'ipip'],
  ['tunnel', 'ipip'],
  ['inet', 'ipv4'],
  ['inet6', 'ipv6'],
  ['v4', 'ipv4'],
  ['v6', 'ipv6'],
  ['4', 'ipv4'],
  ['6', 'ipv6'],
  ['warning', 'warn'],
  ['master', 'primary'],
  ['leader', 'primary'],
  ['slave', 'replica'],
  ['secondary', 'replica'],
  ['follower', 'replica'],
])

/** Returns the word among `words` that has the same meaning as `word`, or null. */
export function synonymOf(word: string, words: readonly string[]): string | null {
  const synonym = VALUES.get(word.toLowerCase())
  return synonym !== undefined && words.includes(synonym) ? synonym : null
}

const YES: ReadonlySet<string> = new Set(['yes', 'on', 'y', 'true', '1', 'enable', 'enabled'])
const NO: ReadonlySet<string> = new Set(['no', 'off', 'n', 'false', '0', 'disable', 'disabled'])

/** Returns the boolean for a word such as `yes` or `off`, or null for other words. */
export function yesOrNo(word: string): boolean | null {
  const known = word.toLowerCase()
  return YES.has(known) ? true : NO.has(known) ? false : null
}

const SCHEDULERS: Readonly<Record<string, string>> = {
  roundrobin: 'rr',
  weightedroundrobin: 'wrr',
  leastconn: 'lc',
  leastconns: 'lc',
  leastconnection: 'lc',
  leastconnections: 'lc',
  weightedleastconnection: 'wlc',
  weightedleastconnections: 'wlc',
  source: 'sh',
  sourcehash: 'sh',
  sourcehashing: 'sh',
  iphash: 'sh',
  destinationhash: 'dh',
  maglev: 'mh',
  failover: 'fo',
  backup: 'fo',
  weightedfailover: 'fo',
  overflow: 'ovf',
  random: 'twos',
}

/** Returns the kernel's name of a scheduler, or null. */
export function schedulerFor(word: string): string | null {
  const known = word.toLowerCase().replaceAll(/[^a-z]/g, '')
  return Object.hasOwn(SCHEDULERS, known) ? (SCHEDULERS[known] ?? null) : null
}

const KINDS: Readonly<Record<string, string>> = {
  tcp: 'write connect, or simpletcp to send something and look for an answer',
  tcp_check: 'write connect',
  port: 'write connect',
  icmp: 'write ping',
  icmpv6: 'write ping',
  ping6: 'write ping',
  script: 'write external, with checkcommand',
  exec: 'write external, with checkcommand',
  command: 'write external, with checkcommand',
  misc_check: 'write external, with checkcommand',
  nagios: 'write external, with checkcommand and nagios: true',
  http_get: 'write http',
  ssl_get: 'write https',
  http2: 'write https, with http2: true',
  ssl: 'write tls',
  postgres: 'write pgsql',
  postgresql: 'write pgsql',
  mariadb: 'write mysql',
  galera: 'write mysql, with a request',
  valkey: 'write redis',
  negotiate: 'write the protocol: http, smtp and so on',
}

/** Returns advice for an unknown kind of check, or null. */
export function kindFor(word: string): string | null {
  const known = word.toLowerCase().replaceAll('-', '_')
  return Object.hasOwn(KINDS, known) ? `; ${KINDS[known]}` : null
}
