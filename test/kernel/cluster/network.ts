/**
 * The network of the cluster of deploy/cluster/haproxy. This process is the client. Each machine is at a port of one
 * switch, where its frames can be dropped:
 *
 *   client 2001:db8:c::c ── gateway 2001:db8::1 ── lan ── director1 ::21, director2 ::22, haproxy1 ::11, haproxy2 ::12,
 *                                                         redis1 ::41, redis2 ::42
 *   behind 198.51.100.0/24 ── haproxy1 .11, haproxy2 .12, application1 .31, application2 .32
 */
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:net'
import { addNamespace, within } from '../site/namespaces.js'
import { ip, set } from '../site/site.js'
import { Machine } from './machines.js'

const SWITCH = 'switch'

/** Machines of the lan by the last part of their addresses, and of the network behind the haproxies. */
const LAN = { director1: 21, director2: 22, haproxy1: 11, haproxy2: 12, redis1: 41, redis2: 42 }
const BEHIND = { haproxy1: 11, haproxy2: 12, application1: 31, application2: 32 }

export type MachineName = keyof typeof LAN | keyof typeof BEHIND | 'gateway'
export type Machines = Readonly<Record<MachineName, Machine>>

export const NAMES = [...new Set([...Object.keys(LAN), ...Object.keys(BEHIND), 'gateway'])] as MachineName[]

/** Which frames of a machine the switch drops. */
export type Cut = 'both' | 'from' | 'to'

export function buildNetwork(): Machines {
  // The first socket loads the IPv6 module.
  createServer().listen().close()
  addNamespace(SWITCH)
  const machines = Object.fromEntries(NAMES.map(name => [name, new Machine(name)])) as unknown as Machines
  ip(
    SWITCH,
    ['lan', 'behind'].map(lan => `link add ${lan} type bridge mcast_snooping 0`),
  )
  for (const [name, number] of Object.entries(LAN))
    connect('lan', name, 'eth0', [`2001:db8::${number}/64`, `192.0.2.${number}/24`])
  connect('lan', 'gateway', 'eth0', ['2001:db8::1/64', '192.0.2.1/24'])
  for (const [name, number] of Object.entries(BEHIND))
    connect('behind', name, name.startsWith('haproxy') ? 'eth1' : 'eth0', [`198.51.100.${number}/24`])
  ip(SWITCH, ['link set lan up', 'link set behind up'])
  for (const name of Object.keys(LAN))
    ip(name, ['route add default via 2001:db8::1', 'route add default via 192.0.2.1'])
  connectClient()
  nft(`table bridge cuts {
    set from { type ifname; }
    set to { type ifname; }
    chain forward {
      type filter hook forward priority 0;
      iifname @from drop
      oifname @to drop
    }
  }`)
  return machines
}

/** Connects an interface of a machine to a bridge of the switch, at a port with the name of the machine. */
function connect(bridge: string, name: string, device: string, addresses: readonly string[]): void {
  const port = portOf(name, device)
  ip(SWITCH, [
    `link add ${port} type veth peer name ${device} netns ${name}`,
    `link set ${port} master ${bridge} up`,
  ])
  ip(name, [
    'link set lo up',
    `link set ${device} up`,
    ...addresses.map(address => `addr add ${address} dev ${device} ${address.includes(':') ? 'nodad' : ''}`),
  ])
}

function portOf(name: string, device: string): string {
  return device === 'eth0' ? name : `${name}-b`
}

function connectClient(): void {
  within('gateway', () => {
    set('ipv6/conf/all/forwarding', 1)
    set('ipv4/ip_forward', 1)
  })
  ip('gateway', [
    `link add eth1 type veth peer name eth0 netns ${process.pid}`,
    'addr add 2001:db8:c::1/64 dev eth1 nodad',
    'addr add 203.0.113.1/24 dev eth1',
    'link set eth1 up',
  ])
  ip(null, [
    'addr add 2001:db8:c::c/64 dev eth0 nodad',
    'addr add 203.0.113.2/24 dev eth0',
    'link set eth0 up',
    'route add default via 2001:db8:c::1',
    'route add default via 203.0.113.1',
  ])
}

/** The switch drops the frames of a machine's eth0: those from it, those to it, or both. */
export function cut(name: MachineName, what: Cut): void {
  change('add', name, what)
}

export function mend(name: MachineName, what: Cut): void {
  change('delete', name, what)
}

function change(verb: string, name: MachineName, what: Cut): void {
  const sets = what === 'both' ? ['from', 'to'] : [what]
  nft(sets.map(one => `${verb} element bridge cuts ${one} { "${name}" }`).join('\n'))
}

/** Pulls the cable of a machine's eth0 out, or puts it in again: the machine sees its carrier go. */
export function plug(name: MachineName, state: 'in' | 'out'): void {
  ip(SWITCH, [`link set ${name} ${state === 'in' ? 'up' : 'down'}`])
}

function nft(text: string): void {
  within(SWITCH, () => execFileSync('nft', ['-f', '-'], { input: text }))
}
