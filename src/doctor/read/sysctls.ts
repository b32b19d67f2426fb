/** Reads the sysctls that hazards depend on. */
import { readdirSync } from 'node:fs'
import { readSysctl } from '../../system/sysctl.js'

const NAMES = [
  'net.ipv4.ip_forward',
  'net.ipv4.ping_group_range',
  'net.ipv6.conf.all.forwarding',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_count',
]

/** Settings of interfaces, by the folder of the family. */
const OF_LINKS: Readonly<Record<string, readonly string[]>> = {
  'net.ipv4.conf': ['accept_local', 'forwarding', 'rp_filter', 'arp_ignore', 'arp_announce'],
  'net.ipv6.conf': ['forwarding', 'accept_ra'],
}

const SYS = '/proc/sys'

/** Reads the fixed names, all of IPVS, those of each interface, and the given ones. */
export function readSysctls(declared: Iterable<string>, root = SYS): ReadonlyMap<string, string | null> {
  const ofIpvs = foldersOf(`${root}/net/ipv4/vs`).map(key => `net.ipv4.vs.${key}`)
  const ofLinks = Object.entries(OF_LINKS).flatMap(([folder, keys]) =>
    foldersOf(`${root}/${folder.replaceAll('.', '/')}`).flatMap(link =>
      keys.map(key => `${folder}.${link.replaceAll('.', '/')}.${key}`),
    ),
  )
  const found = new Map<string, string | null>()
  for (const name of [...NAMES, ...ofIpvs, ...ofLinks, ...declared]) {
    const value = readSysctl(name, root)
    if (value !== undefined) found.set(name, value)
  }
  return found
}

function foldersOf(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
