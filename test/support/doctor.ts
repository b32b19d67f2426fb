/** Facts for tests of doctor: a machine on which all is well, and changes of it. */

import type { ResolvedConfig } from '../../src/core/model.js'
import type { Facts, LocalAddress, Machine, Site } from '../../src/doctor/facts.js'

export const GOOD_SYSCTLS: Readonly<Record<string, string>> = {
  'net.ipv4.ip_forward': '1',
  'net.ipv4.ping_group_range': '1 0',
  'net.ipv6.conf.all.forwarding': '1',
  'net.ipv4.vs.expire_quiescent_template': '1',
  'net.ipv4.vs.expire_nodest_conn': '1',
  'net.ipv4.vs.conn_reuse_mode': '1',
  'net.ipv4.vs.conntrack': '0',
  'net.ipv4.vs.sloppy_tcp': '0',
  'net.ipv4.vs.schedule_icmp': '0',
  'net.ipv4.vs.drop_entry': '0',
  'net.ipv4.vs.drop_packet': '0',
  'net.ipv4.vs.secure_tcp': '0',
  'net.ipv4.vs.run_estimation': '1',
  'net.ipv4.vs.pmtu_disc': '1',
  'net.ipv4.vs.backup_only': '0',
}

export function local(text: string, link = 'eth0', flags: Partial<LocalAddress> = {}): LocalAddress {
  return {
    text,
    family: text.includes(':') ? 'ipv6' : 'ipv4',
    link,
    isDeprecated: false,
    isTentative: false,
    isDadFailed: false,
    isDynamic: false,
    ...flags,
  }
}

const MACHINE: Machine = {
  now: Date.parse('2026-11-28T12:00:00Z'),
  isRoot: true,
  kernel: '6.12.48',
  node: '22.11.0',
  sysctls: new Map(),
  hasIpvs: true,
  modules: {
    present: new Set(['ip_vs', 'ip_vs_wlc']),
    installed: new Set(['ip_vs', 'ip_vs_wlc', 'ip_vs_sh', 'ip_vs_mh']),
  },
  addresses: [local('2001:db8::80'), local('2001:db8::d')],
  localRoutes: [],
  links: [
    { name: 'lo', mtu: 65_536 },
    { name: 'eth0', mtu: 1500 },
  ],
  programs: [],
  daemon: { state: 'running', pid: 7, version: '0.1.0', keptSince: null, lost: null },
  process: { isDaemon: true, groups: [0], capabilities: 1n << 13n, descriptors: 65_536 },
  isClockSynchronised: true,
}

export interface Changes {
  readonly machine?: Partial<Machine>
  /** Changes of `GOOD_SYSCTLS`; undefined: the kernel does not have it, null: it cannot be read. */
  readonly sysctls?: Readonly<Record<string, string | null | undefined>>
  /** Null: the machine alone. */
  readonly config?: ResolvedConfig | null
  readonly site?: Partial<Site>
}

/** Returns the facts of a good machine with these changes. */
export function factsWith({ machine, sysctls = {}, config = null, site }: Changes = {}): Facts {
  const values = Object.entries({ ...GOOD_SYSCTLS, ...sysctls }).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  )
  return {
    machine: { ...MACHINE, sysctls: new Map(values), ...machine },
    site: config && {
      file: 'site.yaml',
      config,
      isReadable: true,
      errors: 0,
      warnings: 0,
      checks: 2,
      pings: 0,
      sources: new Map(),
      folders: [],
      ...site,
    },
  }
}
