/** Each hazard: facts in, findings out. */
import assert from 'node:assert/strict'
import type { ResolvedConfig, ResolvedService } from '../../../src/core/model.js'
import { examine, isSerious } from '../../../src/doctor/examine.js'
import type { Facts, Source } from '../../../src/doctor/facts.js'
import { type Finding, SEVERITIES, type Severity } from '../../../src/doctor/finding.js'
import { HAZARDS } from '../../../src/doctor/hazards.js'
import { type Changes, factsWith, local } from '../../support/doctor.js'
import { address, config, real, SERVICE_ATTRIBUTES, service, serviceId, use } from '../../support/tables.js'

const masq = [real('2001:db8:1::1'), real('2001:db8:1::2')]
const gate = masq.map(each => ({ ...each, attributes: { ...each.attributes, forwarding: 'gate' as const } }))
const web = service('web', { reals: masq })
const site = config([web])
const clustered = {
  ...site,
  cluster: {
    role: { from: 'always-active' },
    connectivity: { gateways: [address('2001:db8::1'), address('2001:db8::2')], groups: [] },
    redis: { url: null, sentinels: { addresses: [1, 2] }, cluster: null },
  },
} as unknown as ResolvedConfig
const persistence = { timeout: 300, prefix: 128, engine: null }
const sticky = service('sticky', {
  quiescent: true,
  attributes: { ...SERVICE_ATTRIBUTES, persistence },
  reals: gate,
})
const ipv4 = (parts: Partial<ResolvedService> = {}) =>
  service('web4', { id: serviceId('192.0.2.80'), reals: [real('198.51.100.1')], ...parts })
const through = (forwarding: 'gate' | 'masq') =>
  ipv4({ reals: [real('198.51.100.1', { forwarding, checks: [{ ...use('http'), path: 'service' }] })] })
const at4 = [local('192.0.2.80'), local('192.0.2.2')]
const KEPT = {
  state: 'running' as const,
  ...{ pid: 1, version: '1', lost: null, keptSince: '2026-01-01T00:00:00Z' },
}
const tunnelled = service('tunnel', {
  reals: [
    { ...real('2001:db8:2::1'), attributes: { ...real('2001:db8:2::1').attributes, forwarding: 'ipip' } },
  ],
})
const source = (from: string, ...to: string[]): ReadonlyMap<string, Source> =>
  new Map(to.map(server => [server, { address: from }]))
const scheduled = (scheduler: string, parts: Partial<ResolvedService> = {}) =>
  service(scheduler, { attributes: { ...SERVICE_ATTRIBUTES, scheduler }, reals: gate, ...parts })

/** One of two directors. `isReal`: the first real server is this machine. */
function pair(table: 'same' | 'empty', reals: typeof masq, isReal: boolean): Changes {
  const cluster = {
    ...{ site: 'berlin', heartbeat: 1000, redis: null },
    role: { from: 'vrrp', path: null } as const,
    standby: { table, checks: 'on' as const },
  }
  const addresses = [local('2001:db8::80'), ...(isReal ? [local('2001:db8:1::1')] : [])]
  return { config: { ...config([service('web', { reals })]), cluster }, machine: { addresses } }
}

interface Case {
  readonly id: string
  readonly when: string
  readonly is: Severity | 'nothing'
  readonly facts: Changes
  /** In the title or a command. */
  readonly says?: RegExp
}

const REDIS = { place: '[::1]:6379', fault: null, version: '7.0.15', refused: [] }

const CONFLICT = {
  ...{ address: address('2001:db8::80'), link: 2, interface: 'eth0', hardware: '02:00:00:00:00:11' },
  ...{ who: { real: '2001:db8:1::1', address: '2001:db8:1::1' }, services: ['web'] },
}
const MARK = { kind: 'fwmark', fwmark: 0x4c56_0000, family: 'ipv6' } as const
const vs = (name: string) => `net.ipv4.vs.${name}`

const CASES: readonly Case[] = [
  {
    id: 'configuration',
    when: 'the file has errors',
    is: 'error',
    facts: { config: site, site: { config: null, errors: 2 } },
    says: /cannot run: 2 errors/,
  },
  {
    id: 'configuration',
    when: 'this user may not read it',
    is: 'not known',
    facts: { config: site, site: { config: null, errors: 1, isReadable: false } },
  },
  {
    id: 'configuration',
    when: 'it has warnings',
    is: 'warning',
    facts: { config: site, site: { warnings: 1 } },
    says: /lvsd validate site\.yaml/,
  },
  { id: 'configuration', when: 'it is valid', is: 'ok', facts: { config: site } },

  { id: 'daemon', when: 'none runs', is: 'note', facts: { machine: { daemon: { state: 'absent' } } } },
  {
    id: 'daemon',
    when: 'its socket may not be opened',
    is: 'not known',
    facts: { machine: { daemon: { state: 'not known', why: 'denied' } } },
  },
  {
    id: 'daemon',
    when: 'it runs an older configuration, and the file is valid again',
    is: 'error',
    facts: { config: site, machine: { daemon: KEPT } },
    says: /configuration\nlvsd reload$/,
  },
  {
    id: 'daemon',
    when: 'it runs an older configuration, and the file is still broken',
    is: 'error',
    facts: { config: site, site: { config: null, errors: 1 }, machine: { daemon: KEPT } },
    says: /lvsd validate site\.yaml\nlvsd reload$/,
  },
  {
    id: 'daemon',
    when: 'it runs an older configuration, and the file is not known',
    is: 'error',
    facts: { machine: { daemon: KEPT } },
    says: /lvsd status\nlvsd reload$/,
  },
  {
    id: 'daemon',
    when: 'it has lost its network',
    is: 'error',
    facts: {
      machine: {
        daemon: {
          state: 'running',
          pid: 1,
          version: '1',
          keptSince: null,
          lost: 'there is no interface eth9',
        },
      },
    },
    says: /there is no interface eth9/,
  },

  {
    id: 'ipvs-module',
    when: 'it is installed and not loaded',
    is: 'note',
    facts: { machine: { hasIpvs: false, modules: { present: new Set(), installed: new Set(['ip_vs']) } } },
    says: /modprobe ip_vs/,
  },
  {
    id: 'ipvs-module',
    when: 'it is not there',
    is: 'error',
    facts: { machine: { hasIpvs: false, modules: { present: new Set(), installed: new Set() } } },
  },
  {
    id: 'ipvs-module',
    when: 'modules cannot be read',
    is: 'not known',
    facts: { machine: { hasIpvs: false, modules: { present: null, installed: null } } },
  },
  { id: 'scheduler-module', when: 'it is loaded', is: 'ok', facts: { config: site } },
  { id: 'scheduler-module', when: 'it is installed', is: 'ok', facts: { config: config([scheduled('mh')]) } },
  {
    id: 'scheduler-module',
    when: 'it is not there',
    is: 'error',
    facts: { config: config([scheduled('twos')]) },
    says: /scheduler twos/,
  },
  {
    id: 'scheduler-module',
    when: 'modules cannot be read',
    is: 'not known',
    facts: {
      config: config([scheduled('mh')]),
      machine: { modules: { present: new Set(), installed: null } },
    },
  },
  {
    id: 'scheduler-module',
    when: 'the engine sip is not there',
    is: 'error',
    facts: {
      config: config([
        service('sip', {
          attributes: { ...SERVICE_ATTRIBUTES, persistence: { ...persistence, engine: 'sip' } },
        }),
      ]),
    },
    says: /persistence engine sip/,
  },

  { id: 'virtual-address', when: 'it is on an interface', is: 'ok', facts: { config: site } },
  {
    id: 'virtual-address',
    when: 'it belongs to a local route',
    is: 'ok',
    facts: {
      config: site,
      machine: { addresses: [], localRoutes: [{ address: '2001:db8::', family: 'ipv6', length: 64 }] },
    },
  },
  {
    id: 'virtual-address',
    when: 'it is next to a local route',
    is: 'warning',
    facts: {
      config: site,
      machine: { addresses: [], localRoutes: [{ address: '2001:db8:0:1::', family: 'ipv6', length: 64 }] },
    },
  },
  {
    id: 'virtual-address',
    when: 'it is nowhere',
    is: 'warning',
    facts: { config: site, machine: { addresses: [local('2001:db8::d')] } },
    says: /ip address add 2001:db8::80\/128/,
  },
  {
    id: 'virtual-address',
    when: 'it is nowhere and keepalived moves it',
    is: 'note',
    facts: {
      config: site,
      machine: { addresses: [], programs: [{ name: 'keepalived', pid: 5, writesTable: false }] },
    },
  },
  {
    id: 'virtual-address',
    when: 'addresses cannot be read',
    is: 'not known',
    facts: { config: site, machine: { addresses: null, localRoutes: null } },
  },
  {
    id: 'virtual-address',
    when: 'another machine has it',
    is: 'error',
    facts: { config: site, machine: { addresses: [local('2001:db8::80', 'eth0', { isDadFailed: true })] } },
    says: /dadfailed/,
  },
  {
    id: 'virtual-address',
    when: 'it is tentative',
    is: 'warning',
    facts: { config: site, machine: { addresses: [local('2001:db8::80', 'eth0', { isTentative: true })] } },
    says: /nodad/,
  },

  {
    id: 'real-director',
    when: 'a standby with the same table is a real server by direct routing',
    is: 'error',
    facts: pair('same', gate, true),
    says: /real server of its own services/,
  },
  { id: 'real-director', when: 'a standby is empty', is: 'ok', facts: pair('empty', gate, true) },
  { id: 'real-director', when: 'it is behind NAT', is: 'nothing', facts: pair('same', masq, true) },
  { id: 'real-director', when: 'it is none of them', is: 'nothing', facts: pair('same', gate, false) },
  { id: 'real-director', when: 'it serves alone', is: 'nothing', facts: { config: config([sticky]) } },

  {
    id: 'check-source',
    when: 'the kernel chooses a virtual address',
    is: 'error',
    facts: { config: site, site: { sources: source('2001:db8::80', '2001:db8:1::1') } },
    says: /change 2001:db8::80\/128 dev eth0 preferred_lft 0/,
  },
  {
    id: 'check-source',
    when: 'the kernel chooses a virtual address, and lvsd another one',
    is: 'note',
    facts: {
      config: site,
      site: { sources: new Map([['2001:db8:1::1', { address: '2001:db8::80', bound: '2001:db8::d' }]]) },
    },
    says: /lvsd binds them to 2001:db8::d/,
  },
  {
    id: 'check-source',
    when: 'the source of the configuration is not here',
    is: 'error',
    facts: {
      config: config([
        service('web', {
          reals: masq.map(each => ({
            ...each,
            checks: each.checks.map(use => ({ ...use, source: address('2001:db8::99') })),
          })),
        }),
      ]),
      site: { sources: source('2001:db8::d', '2001:db8:1::1') },
    },
    says: /2001:db8::99, the source of checks, is not an address of this machine/,
  },
  {
    id: 'check-source',
    when: 'it chooses another address',
    is: 'ok',
    facts: { config: site, site: { sources: source('2001:db8::d', '2001:db8:1::1') } },
  },
  {
    id: 'check-source',
    when: 'the server is the virtual address itself',
    is: 'ok',
    facts: { config: site, site: { sources: source('2001:db8::80', '2001:db8::80') } },
  },
  {
    id: 'check-source',
    when: 'an IPv4 route prefers it',
    is: 'error',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: at4 },
      site: { sources: source('192.0.2.80', '198.51.100.1') },
    },
    says: /ip route get 198\.51\.100\.1/,
  },
  {
    id: 'check-source',
    when: 'there is no route',
    is: 'error',
    facts: { config: site, site: { sources: new Map([['2001:db8:1::1', { refusal: 'ENETUNREACH' }]]) } },
    says: /ENETUNREACH/,
  },

  { id: 'forwarding', when: 'masq has it', is: 'ok', facts: { config: site } },
  {
    id: 'forwarding',
    when: 'masq over IPv6 lacks it',
    is: 'error',
    facts: { config: site, sysctls: { 'net.ipv6.conf.all.forwarding': '0' } },
    says: /sysctl -w net\.ipv6\.conf\.all\.forwarding=1/,
  },
  {
    id: 'forwarding',
    when: 'masq over IPv4 lacks it',
    is: 'error',
    facts: { config: config([ipv4()]), sysctls: { 'net.ipv4.ip_forward': '0' } },
    says: /sysctl -w net\.ipv4\.ip_forward=1/,
  },
  {
    id: 'forwarding',
    when: 'one interface lacks it for IPv4',
    is: 'warning',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: at4 },
      sysctls: { 'net.ipv4.conf.eth0.forwarding': '0' },
    },
    says: /sysctl -w net\.ipv4\.conf\.eth0\.forwarding=1/,
  },
  {
    id: 'forwarding',
    when: 'direct routing lacks it',
    is: 'nothing',
    facts: { config: config([sticky]), sysctls: { 'net.ipv6.conf.all.forwarding': '0' } },
  },
  {
    id: 'forwarding',
    when: 'it cannot be read',
    is: 'not known',
    facts: { config: site, sysctls: { 'net.ipv6.conf.all.forwarding': null } },
  },

  {
    id: 'direct-routing-arp',
    when: 'an IPv4 address on lo is answered for',
    is: 'warning',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: [local('192.0.2.80', 'lo')] },
      sysctls: { 'net.ipv4.conf.all.arp_ignore': '0', 'net.ipv4.conf.all.arp_announce': '0' },
    },
    says: /sysctl -w net\.ipv4\.conf\.all\.arp_ignore=1/,
  },
  {
    id: 'direct-routing-arp',
    when: 'it is not answered for',
    is: 'ok',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: [local('192.0.2.80', 'lo')] },
      sysctls: { 'net.ipv4.conf.all.arp_ignore': '1', 'net.ipv4.conf.all.arp_announce': '2' },
    },
  },
  {
    id: 'direct-routing-arp',
    when: 'the address is on eth0',
    is: 'nothing',
    facts: { config: config([ipv4()]), machine: { addresses: at4 } },
  },
  {
    id: 'direct-routing-arp',
    when: 'it is an IPv6 address',
    is: 'nothing',
    facts: { config: site, machine: { addresses: [local('2001:db8::80', 'lo')] } },
  },
  {
    id: 'direct-routing-arp',
    when: 'the director is one of several real servers',
    is: 'note',
    facts: {
      config: config([sticky]),
      machine: { addresses: [local('2001:db8::80', 'lo'), local('2001:db8:1::1')] },
    },
    says: /backup_only=1/,
  },

  {
    id: 'rp-filter',
    when: 'one of several interfaces is strict',
    is: 'note',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: [...at4, local('198.51.100.2', 'eth1')] },
      sysctls: { 'net.ipv4.conf.eth1.rp_filter': '1' },
    },
    says: /strict on eth1/,
  },
  {
    id: 'rp-filter',
    when: 'the only interface is strict',
    is: 'ok',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: at4 },
      sysctls: { 'net.ipv4.conf.all.rp_filter': '1' },
    },
  },
  {
    id: 'rp-filter',
    when: 'all is loose, which is more than strict',
    is: 'ok',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: [...at4, local('198.51.100.2', 'eth1')] },
      sysctls: { 'net.ipv4.conf.all.rp_filter': '2', 'net.ipv4.conf.eth1.rp_filter': '1' },
    },
  },
  {
    id: 'rp-filter',
    when: 'a tunnel is strict',
    is: 'warning',
    facts: {
      config: config([ipv4()]),
      machine: { addresses: at4, links: [{ name: 'tunl0', mtu: 1480 }] },
      sysctls: { 'net.ipv4.conf.tunl0.rp_filter': '1' },
    },
    says: /tunl0/,
  },
  { id: 'rp-filter', when: 'there is only IPv6', is: 'nothing', facts: { config: site } },

  {
    id: 'service-path',
    when: 'no interface takes answers from an own address',
    is: 'warning',
    facts: {
      config: config([through('gate')]),
      machine: { addresses: at4, links: [{ name: 'eth0', mtu: 1500 }] },
      sysctls: { 'net.ipv4.conf.all.accept_local': '0', 'net.ipv4.conf.eth0.accept_local': '0' },
    },
    says: /all\.accept_local=1/,
  },
  {
    id: 'service-path',
    when: 'the interface to the server does not take them, though another one does',
    is: 'warning',
    facts: {
      config: config([through('gate')]),
      machine: { addresses: at4 },
      sysctls: {
        'net.ipv4.conf.all.accept_local': '0',
        'net.ipv4.conf.eth1/7.accept_local': '0',
        'net.ipv4.conf.eth0.accept_local': '1',
      },
      site: { pathLinks: new Map([['198.51.100.1', 'eth1.7']]) },
    },
    says: /^sysctl -w net\.ipv4\.conf\.eth1\/7\.accept_local=1$/m,
  },
  {
    id: 'service-path',
    when: 'the interface to the server takes them',
    is: 'ok',
    facts: {
      config: config([through('gate')]),
      machine: { addresses: at4 },
      sysctls: { 'net.ipv4.conf.all.accept_local': '0', 'net.ipv4.conf.eth0.accept_local': '1' },
      site: { pathLinks: new Map([['198.51.100.1', 'eth0']]) },
    },
    says: /on eth0$/m,
  },
  {
    id: 'service-path',
    when: 'no server has a route by an interface',
    is: 'nothing',
    facts: { config: config([through('gate')]), machine: { addresses: at4 }, site: { pathLinks: new Map() } },
  },
  {
    id: 'service-path',
    when: 'an interface takes them',
    is: 'ok',
    facts: {
      config: config([through('gate')]),
      machine: { addresses: at4, links: [{ name: 'eth0', mtu: 1500 }] },
      sysctls: { 'net.ipv4.conf.all.accept_local': '0', 'net.ipv4.conf.eth0.accept_local': '1' },
    },
    says: /on eth0 alone/,
  },
  {
    id: 'service-path',
    when: 'all interfaces take them',
    is: 'ok',
    facts: {
      config: config([through('gate')]),
      machine: { addresses: at4, links: [{ name: 'eth0', mtu: 1500 }] },
      sysctls: { 'net.ipv4.conf.all.accept_local': '1', 'net.ipv4.conf.eth0.accept_local': '0' },
    },
    says: /on all interfaces/,
  },
  {
    id: 'service-path',
    when: 'the kernel translates the answers',
    is: 'nothing',
    facts: { config: config([through('masq')]), machine: { addresses: at4 } },
  },

  {
    id: 'left-services',
    when: 'the table has services that an lvsd has signed which has ended',
    is: 'note',
    facts: { config: site, site: { leftServices: { certain: [MARK], possible: [] } } },
    says: /ipvsadm -D -f 1280704512 -6/,
  },
  {
    id: 'left-services',
    when: 'the table has services like them that are not signed',
    is: 'note',
    facts: { config: site, site: { leftServices: { certain: [], possible: [MARK] } } },
    says: /may be left of an earlier lvsd/,
  },
  {
    id: 'left-services',
    when: 'there are none',
    is: 'nothing',
    facts: { config: site, site: { leftServices: { certain: [], possible: [] } } },
  },

  {
    id: 'expire-quiescent-template',
    when: 'persistent clients stay with a failed server',
    is: 'warning',
    facts: { config: config([sticky]), sysctls: { [vs('expire_quiescent_template')]: '0' } },
    says: /expire_quiescent_template=1/,
  },
  {
    id: 'expire-quiescent-template',
    when: 'they stay with a drained server only',
    is: 'note',
    facts: {
      config: config([{ ...sticky, quiescent: false }]),
      sysctls: { [vs('expire_quiescent_template')]: '0' },
    },
  },
  {
    id: 'expire-quiescent-template',
    when: 'nothing is persistent',
    is: 'ok',
    facts: { config: site, sysctls: { [vs('expire_quiescent_template')]: '0' } },
  },
  {
    id: 'expire-quiescent-template',
    when: 'there is no configuration',
    is: 'note',
    facts: { sysctls: { [vs('expire_quiescent_template')]: '0' } },
  },
  {
    id: 'expire-quiescent-template',
    when: 'it cannot be read',
    is: 'not known',
    facts: { sysctls: { [vs('expire_quiescent_template')]: null } },
  },
  {
    id: 'expire-quiescent-template',
    when: 'IPVS is not loaded',
    is: 'nothing',
    facts: { sysctls: { [vs('expire_quiescent_template')]: undefined } },
  },
  {
    id: 'expire-nodest-conn',
    when: 'failed servers are removed',
    is: 'warning',
    facts: { config: site, sysctls: { [vs('expire_nodest_conn')]: '0' } },
    says: /expire_nodest_conn=1/,
  },
  {
    id: 'expire-nodest-conn',
    when: 'they stay',
    is: 'ok',
    facts: { config: config([sticky]), sysctls: { [vs('expire_nodest_conn')]: '0' } },
  },
  {
    id: 'conn-reuse-mode',
    when: 'it is 0',
    is: 'warning',
    facts: { sysctls: { [vs('conn_reuse_mode')]: '0' } },
    says: /conn_reuse_mode=1/,
  },
  {
    id: 'conn-reuse-mode',
    when: 'an old kernel delays connections',
    is: 'warning',
    facts: { machine: { kernel: '4.19.0-27-amd64' }, sysctls: { [vs('conntrack')]: '1' } },
    says: /conn_reuse_mode=0/,
  },
  {
    id: 'conn-reuse-mode',
    when: 'an old kernel has 0',
    is: 'ok',
    facts: {
      machine: { kernel: '4.19.0-27-amd64' },
      sysctls: { [vs('conntrack')]: '1', [vs('conn_reuse_mode')]: '0' },
    },
  },
  { id: 'conn-reuse-mode', when: 'it is 1', is: 'ok', facts: {} },
  {
    id: 'conntrack',
    when: 'masq is not tracked and a firewall may count on it',
    is: 'note',
    facts: {
      config: site,
      machine: {
        modules: { present: new Set(['nf_conntrack', 'ip_vs', 'ip_vs_wlc']), installed: new Set() },
      },
    },
    says: /conntrack=1/,
  },
  { id: 'conntrack', when: 'nothing tracks connections', is: 'ok', facts: { config: site } },
  { id: 'conntrack', when: 'there is no masq', is: 'ok', facts: { config: config([sticky]) } },
  {
    id: 'sloppy-tcp',
    when: 'a hash scheduler cannot take over',
    is: 'note',
    facts: { config: config([scheduled('mh')]) },
    says: /sloppy_tcp=1/,
  },
  {
    id: 'sloppy-tcp',
    when: 'it is on for nobody',
    is: 'note',
    facts: { config: site, sysctls: { [vs('sloppy_tcp')]: '1' } },
    says: /sloppy_tcp=0/,
  },
  { id: 'sloppy-tcp', when: 'it is off and not needed', is: 'ok', facts: { config: site } },
  {
    id: 'schedule-icmp',
    when: 'pings of a mark are balanced',
    is: 'note',
    facts: {
      config: config([service('mark', { id: { kind: 'fwmark', fwmark: 1, family: 'ipv6' }, reals: gate })]),
      sysctls: { [vs('schedule_icmp')]: '1' },
    },
  },
  {
    id: 'schedule-icmp',
    when: 'services have ports',
    is: 'ok',
    facts: { config: site, sysctls: { [vs('schedule_icmp')]: '1' } },
  },
  {
    id: 'drop-entry',
    when: 'it is always on',
    is: 'warning',
    facts: { sysctls: { [vs('drop_entry')]: '3' } },
    says: /drop_entry=1/,
  },
  {
    id: 'drop-packet',
    when: 'it is always on',
    is: 'warning',
    facts: { sysctls: { [vs('drop_packet')]: '3' } },
  },
  { id: 'secure-tcp', when: 'it is automatic', is: 'ok', facts: { sysctls: { [vs('secure_tcp')]: '1' } } },
  {
    id: 'run-estimation',
    when: 'it is off',
    is: 'note',
    facts: { sysctls: { [vs('run_estimation')]: '0' } },
  },
  {
    id: 'pmtu-disc',
    when: 'tunnels have none',
    is: 'note',
    facts: { config: config([tunnelled]), sysctls: { [vs('pmtu_disc')]: '0' } },
  },
  {
    id: 'pmtu-disc',
    when: 'there are no tunnels',
    is: 'ok',
    facts: { config: site, sysctls: { [vs('pmtu_disc')]: '0' } },
  },

  {
    id: 'conntrack-table',
    when: 'it is full',
    is: 'error',
    facts: {
      sysctls: { 'net.netfilter.nf_conntrack_max': '100', 'net.netfilter.nf_conntrack_count': '100' },
    },
    says: /nf_conntrack_max=400/,
  },
  {
    id: 'conntrack-table',
    when: 'it is nearly full',
    is: 'warning',
    facts: { sysctls: { 'net.netfilter.nf_conntrack_max': '100', 'net.netfilter.nf_conntrack_count': '80' } },
  },
  {
    id: 'conntrack-table',
    when: 'it has room',
    is: 'ok',
    facts: { sysctls: { 'net.netfilter.nf_conntrack_max': '100', 'net.netfilter.nf_conntrack_count': '79' } },
  },
  { id: 'conntrack-table', when: 'there is none', is: 'nothing', facts: {} },

  {
    id: 'tunnel-mtu',
    when: 'long packets do not fit',
    is: 'note',
    facts: { config: config([tunnelled]), site: { sources: source('2001:db8::d', '2001:db8:2::1') } },
    says: /advmss 1400/,
  },
  {
    id: 'tunnel-mtu',
    when: 'the link to the servers is larger',
    is: 'ok',
    facts: {
      config: config([tunnelled]),
      machine: {
        addresses: [local('2001:db8::80'), local('fd00::d', 'eth1')],
        links: [
          { name: 'lo', mtu: 65_536 },
          { name: 'eth0', mtu: 1500 },
          { name: 'eth1', mtu: 9000 },
        ],
      },
      site: { sources: source('fd00::d', '2001:db8:2::1') },
    },
  },
  { id: 'tunnel-mtu', when: 'nothing is tunnelled', is: 'nothing', facts: { config: site } },

  {
    id: 'router-advertisements',
    when: 'they are ignored and the address has an end',
    is: 'warning',
    facts: {
      machine: { addresses: [local('2001:db8::d', 'eth0.7', { isDynamic: true })] },
      sysctls: { 'net.ipv6.conf.eth0/7.forwarding': '1', 'net.ipv6.conf.eth0/7.accept_ra': '1' },
    },
    says: /sysctl -w net\.ipv6\.conf\.eth0\/7\.accept_ra=2/,
  },
  {
    id: 'router-advertisements',
    when: 'they are taken',
    is: 'nothing',
    facts: {
      machine: { addresses: [local('2001:db8::d', 'eth0', { isDynamic: true })] },
      sysctls: { 'net.ipv6.conf.eth0.forwarding': '1', 'net.ipv6.conf.eth0.accept_ra': '2' },
    },
  },

  { id: 'other-programs', when: 'there is none', is: 'ok', facts: {} },
  {
    id: 'other-programs',
    when: '/proc cannot be read',
    is: 'not known',
    facts: { machine: { programs: null } },
  },
  {
    id: 'other-programs',
    when: 'ldirectord runs',
    is: 'warning',
    facts: { machine: { programs: [{ name: 'ldirectord', pid: 5, writesTable: true }] } },
    says: /disable --now ldirectord/,
  },
  {
    id: 'other-programs',
    when: 'keepalived moves addresses only',
    is: 'ok',
    facts: { machine: { programs: [{ name: 'keepalived', pid: 5, writesTable: false }] } },
  },
  {
    id: 'other-programs',
    when: 'keepalived may have virtual servers',
    is: 'note',
    facts: { machine: { programs: [{ name: 'keepalived', pid: 5, writesTable: null }] } },
  },
  {
    id: 'other-programs',
    when: 'Pacemaker runs',
    is: 'note',
    facts: { machine: { programs: [{ name: 'pacemaker', pid: 5, writesTable: null }] } },
  },

  {
    id: 'ping-rights',
    when: 'the capability is there',
    is: 'ok',
    facts: { config: site, site: { pings: 1 } },
  },
  {
    id: 'ping-rights',
    when: 'a group may',
    is: 'ok',
    facts: {
      config: site,
      site: { pings: 1 },
      machine: { process: { isDaemon: true, groups: [7], capabilities: 0n, descriptors: 1 } },
      sysctls: { 'net.ipv4.ping_group_range': '0 2147483647' },
    },
  },
  {
    id: 'ping-rights',
    when: 'nothing allows it',
    is: 'error',
    facts: {
      config: site,
      site: { pings: 1 },
      machine: { process: { isDaemon: true, groups: [7], capabilities: 0n, descriptors: 1 } },
    },
    says: /ping_group_range="0 2147483647"/,
  },
  {
    id: 'ping-rights',
    when: 'its rights cannot be read',
    is: 'not known',
    facts: {
      config: site,
      site: { pings: 1 },
      machine: { process: { isDaemon: true, groups: null, capabilities: null, descriptors: 1 } },
    },
  },
  { id: 'ping-rights', when: 'nothing pings', is: 'nothing', facts: { config: site } },
  {
    id: 'ping-rights',
    when: 'connectivity alone pings, and nothing allows it',
    is: 'error',
    facts: {
      config: clustered,
      machine: { process: { isDaemon: true, groups: [7], capabilities: 0n, descriptors: 1 } },
      sysctls: { 'net.ipv4.ping_group_range': '1 0' },
    },
    says: /^lvsd may not send pings, and connectivity \(2 addresses\) needs them/,
  },

  {
    id: 'descriptors',
    when: 'they are too few',
    is: 'error',
    facts: {
      config: site,
      site: { checks: 1000 },
      machine: { process: { isDaemon: true, groups: [], capabilities: 0n, descriptors: 600 } },
    },
    says: /ulimit -n 662/,
  },
  {
    id: 'descriptors',
    when: 'they are too few for checks, connectivity and Redis together',
    is: 'error',
    facts: {
      config: clustered,
      site: { checks: 1000 },
      machine: { process: { isDaemon: true, groups: [], capabilities: 0n, descriptors: 680 } },
    },
    says: /ulimit -n 686/,
  },
  {
    id: 'descriptors',
    when: 'most checks are pings, which share their sockets',
    is: 'ok',
    facts: {
      config: site,
      site: { checks: 1000, pings: 900 },
      machine: { process: { isDaemon: true, groups: [], capabilities: 0n, descriptors: 300 } },
    },
  },
  {
    id: 'descriptors',
    when: 'they are enough',
    is: 'ok',
    facts: {
      config: site,
      site: { checks: 300 },
      machine: { process: { isDaemon: true, groups: [], capabilities: 0n, descriptors: 600 } },
    },
  },
  {
    id: 'descriptors',
    when: 'the limit cannot be read',
    is: 'not known',
    facts: {
      config: site,
      machine: { process: { isDaemon: true, groups: [], capabilities: 0n, descriptors: null } },
    },
  },

  {
    id: 'declared-sysctls',
    when: 'it is in force',
    is: 'ok',
    facts: { config: { ...site, sysctls: { [vs('conntrack')]: '0' } } },
  },
  {
    id: 'declared-sysctls',
    when: 'it is not',
    is: 'warning',
    facts: { config: { ...site, sysctls: { [vs('conntrack')]: '1' } } },
    says: /conntrack=1/,
  },
  {
    id: 'declared-sysctls',
    when: 'it is not yet, because lvsd does not run',
    is: 'note',
    facts: {
      config: { ...site, sysctls: { [vs('conntrack')]: '1' } },
      machine: { daemon: { state: 'absent' } },
    },
  },
  {
    id: 'declared-sysctls',
    when: 'a restart would turn forwarding off',
    is: 'note',
    facts: { config: { ...site, sysctls: { 'net.ipv6.conf.all.forwarding': '1' } } },
    says: /a restart of lvsd turns forwarding off/,
  },
  {
    id: 'declared-sysctls',
    when: 'a restart keeps them',
    is: 'ok',
    facts: {
      config: {
        ...config([web], { keepSysctls: true }),
        sysctls: { 'net.ipv6.conf.all.forwarding': '1' },
      },
    },
  },
  {
    id: 'declared-sysctls',
    when: 'the kernel does not have it',
    is: 'error',
    facts: { config: { ...site, sysctls: { 'net.ipv4.nothing': '1' } } },
  },
  {
    id: 'declared-sysctls',
    when: 'IPVS is not loaded yet',
    is: 'not known',
    facts: { config: { ...site, sysctls: { [vs('nothing')]: '1' } }, machine: { hasIpvs: false } },
  },

  {
    id: 'folders',
    when: 'everybody may write',
    is: 'error',
    facts: {
      config: site,
      site: { folders: [{ use: 'state', path: '/var/lib/lvsd', found: { mode: 0o40777, owner: 0 } }] },
    },
    says: /chmod o-w \/var\/lib\/lvsd/,
  },
  {
    id: 'folders',
    when: 'it cannot be read',
    is: 'not known',
    facts: { config: site, site: { folders: [{ use: 'state', path: '/var/lib/lvsd', found: null }] } },
  },
  {
    id: 'folders',
    when: 'it is not there yet',
    is: 'ok',
    facts: { config: site, site: { folders: [{ use: 'socket', path: '/run/lvsd', found: 'absent' }] } },
  },

  {
    id: 'address-conflict',
    when: 'a real server answers too',
    is: 'warning',
    facts: { config: site, site: { conflicts: { asked: 2, unasked: 0, found: [CONFLICT], refusal: null } } },
    says: /^2001:db8:1::1 answers for 2001:db8::80 too, on eth0$/m,
  },
  {
    id: 'address-conflict',
    when: 'it may not be asked',
    is: 'not known',
    facts: { config: site, site: { conflicts: { asked: 0, unasked: 0, found: [], refusal: 'EPERM' } } },
  },
  {
    id: 'address-conflict',
    when: 'nobody answers',
    is: 'ok',
    facts: { config: site, site: { conflicts: { asked: 2, unasked: 0, found: [], refusal: null } } },
  },
  {
    id: 'address-conflict',
    when: 'this machine has none of the addresses on an Ethernet interface',
    is: 'nothing',
    facts: { config: site, site: { conflicts: { asked: 0, unasked: 0, found: [], refusal: null } } },
  },
  {
    id: 'address-conflict',
    when: 'there are more addresses than are asked about',
    is: 'note',
    facts: { config: site, site: { conflicts: { asked: 250, unasked: 750, found: [], refusal: null } } },
    says: /doctor has not asked about 750 of the virtual addresses/,
  },
  { id: 'address-conflict', when: 'nothing was asked', is: 'nothing', facts: { config: site } },
  {
    id: 'redis',
    when: 'it refuses connections',
    is: 'error',
    facts: {
      config: site,
      site: { redis: { ...REDIS, fault: { reason: 'refused', detail: 'nothing listens' } } },
    },
    says: /Redis at \[::1\]:6379 cannot be used: nothing listens/,
  },
  {
    id: 'redis',
    when: 'a permission is missing',
    is: 'error',
    facts: { config: site, site: { redis: { ...REDIS, refused: ['EVAL', 'PUBLISH'] } } },
    says: /no permission for EVAL, PUBLISH/,
  },
  {
    id: 'redis',
    when: 'it is old',
    is: 'warning',
    facts: { config: site, site: { redis: { ...REDIS, version: '5.0.3' } } },
    says: /version 5\.0\.3/,
  },
  { id: 'redis', when: 'it can be used', is: 'ok', facts: { config: site, site: { redis: REDIS } } },
  { id: 'redis', when: 'there is none', is: 'nothing', facts: { config: site } },
  { id: 'clock', when: 'nothing sets it', is: 'warning', facts: { machine: { isClockSynchronised: false } } },
  {
    id: 'clock',
    when: 'the kernel does not tell',
    is: 'not known',
    facts: { machine: { isClockSynchronised: null } },
  },

  {
    id: 'kernel-version',
    when: 'it is too old for gue',
    is: 'error',
    facts: {
      config: config([service('gue', { reals: [real('2001:db8::1', { forwarding: 'gue' })] })]),
      machine: { kernel: '4.19.0' },
    },
    says: /no gue tunnels/,
  },
  { id: 'kernel-version', when: 'it is not known', is: 'not known', facts: { machine: { kernel: null } } },
  {
    id: 'node-version',
    when: 'it is past its end',
    is: 'note',
    facts: { machine: { node: '20.19.0' } },
    says: /2026-04-30/,
  },
  { id: 'node-version', when: 'it is maintained', is: 'ok', facts: {} },
]

const of = (facts: Facts, id: string): readonly Finding[] =>
  examine(facts).filter(finding => finding.id === id)

describe('doctor: hazards', () => {
  for (const { id, when, is, facts, says } of CASES)
    it(`${id}: ${is} when ${when}`, () => {
      const found = of(factsWith(facts), id)
      assert.equal(found[0]?.severity ?? 'nothing', is, JSON.stringify(found))
      const text = found.map(({ title, commands }) => [title, ...commands].join('\n')).join('\n')
      if (says) assert.match(text, says)
    })

  it('are all in the table above', () => {
    assert.deepEqual(
      [...new Set(HAZARDS.map(({ id }) => id))].sort(),
      [...new Set(CASES.map(({ id }) => id))].sort(),
    )
  })

  it('have an explanation wherever something is wrong, and a finding has one line as its title', () => {
    for (const { id, facts } of CASES)
      for (const { severity, title, text } of of(factsWith(facts), id)) {
        assert.ok(
          severity === 'ok' ? text === '' : severity === 'not known' || text.length > 60,
          `${id}: ${text}`,
        )
        assert.doesNotMatch(title, /\n|\.$/)
        assert.ok(title.length <= 120, title)
        assert.ok(text === '' || /[.]$/.test(text), text)
      }
  })

  it('name the services concerned', () => {
    const [finding] = of(
      factsWith({ config: config([sticky, web]), sysctls: { [vs('expire_nodest_conn')]: '0' } }),
      'expire-nodest-conn',
    )
    assert.deepEqual(finding?.services, ['web'])
  })
})

describe('doctor: examine', () => {
  it('puts the worst first', () => {
    const found = examine(
      factsWith({
        config: site,
        machine: { isClockSynchronised: false, daemon: { state: 'absent' } },
        sysctls: { 'net.ipv6.conf.all.forwarding': '0' },
      }),
    )
    const ranks = found.map(({ severity }) => SEVERITIES.indexOf(severity))
    assert.deepEqual(
      ranks,
      ranks.toSorted((a, b) => a - b),
    )
    assert.equal(found[0]?.id, 'forwarding')
  })

  it('leaves out what only the kernel needs where lvsd has its table in memory', () => {
    const running = { state: 'running', pid: 7, version: '0.1.0', keptSince: null, lost: null } as const
    const found = (daemon: Facts['machine']['daemon']) =>
      examine(
        factsWith({
          config: site,
          machine: { daemon, isClockSynchronised: false, addresses: [] },
          sysctls: { 'net.ipv6.conf.all.forwarding': '0' },
        }),
      ).map(({ id, severity }) => `${id} ${severity}`)
    const all = found(running)
    for (const one of ['forwarding error', 'virtual-address warning', 'clock warning', 'daemon ok'])
      assert.ok(all.includes(one), one)
    const some = found({ ...running, isInMemory: true })
    assert.deepEqual(
      some.filter(one => /error|warning|note/.test(one)),
      ['clock warning', 'daemon note'],
    )
  })

  it('finds nothing serious on a good machine', () => {
    const serious = examine(factsWith({ config: site })).filter(isSerious)
    assert.deepEqual(serious, [])
  })
})
