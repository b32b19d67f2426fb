/** A director that is a real server too: it must not answer ARP for a virtual address that another machine holds. */
import type { Facts } from '../facts.js'
import { type Hazard, type Judgement, note, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'
import { isLocal, localAddresses, namesOf, virtualAddresses, withForwarding } from '../uses.js'

export const arp: Hazard = {
  id: 'direct-routing-arp',
  judge(facts) {
    const { config } = facts.site ?? {}
    if (!config) return []
    return [...virtualAddresses(config).flatMap(virtual => onLoopback(virtual, facts)), ...packetLoop(facts)]
  },
}

type Virtual = ReturnType<typeof virtualAddresses>[number]

/**
 * IPv6 needs none of this: the kernel answers neighbour solicitations only on the interface that has the address, and
 * lo receives none.
 */
function onLoopback({ address, services }: Virtual, facts: Facts): readonly Judgement[] {
  const isOnLoopback = localAddresses(facts, address).some(({ link }) => link === 'lo')
  if (address.family !== 'ipv4' || !isOnLoopback) return []
  const ignore = Number(sysctl(facts, 'net.ipv4.conf.all.arp_ignore') ?? 0)
  const announce = Number(sysctl(facts, 'net.ipv4.conf.all.arp_announce') ?? 0)
  const commands = [
    ...(ignore === 0 ? ['sysctl -w net.ipv4.conf.all.arp_ignore=1'] : []),
    ...(announce < 2 ? ['sysctl -w net.ipv4.conf.all.arp_announce=2'] : []),
  ]
  if (commands.length === 0)
    return [ok(`${address.text} on lo is not answered for (arp_ignore, arp_announce)`)]
  return [
    warning(
      `${address.text} is on lo, and this machine answers ARP for it`,
      'An address on lo is the set-up of a real server with direct routing: another machine answers for it on the network. Linux answers ARP for each of its addresses on all interfaces, so neighbours may send the traffic of the virtual address here, past the active director. arp_ignore=1 ends that; arp_announce=2 keeps the address out of the ARP requests of this machine.',
      { commands, services: namesOf(services) },
    ),
  ]
}

/** Two directors that are real servers for each other can send a packet back and forth. */
function packetLoop(facts: Facts): readonly Judgement[] {
  const services = withForwarding(facts, 'gate', 'ipip', 'gue', 'gre').filter(({ reals }) => {
    const own = reals.filter(({ address }) => address && isLocal(facts, address))
    return own.length > 0 && own.length < reals.length
  })
  if (services.length === 0 || sysctl(facts, 'net.ipv4.vs.backup_only') !== '0') return []
  return [
    note(
      'this director is one of its own real servers',
      'If the other real servers are directors with the same services, each schedules the packets that it gets from the other one, and packets can go in circles. Either keep the table empty on the standby, or run the connection synchronisation of IPVS there and set backup_only=1, so that a standby only delivers.',
      { commands: ['sysctl -w net.ipv4.vs.backup_only=1'], services: namesOf(services) },
    ),
  ]
}
