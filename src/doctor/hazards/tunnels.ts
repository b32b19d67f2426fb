/** The room that tunnels take in each packet. */
import type { Address } from '../../core/address.js'
import type { RealAttributes } from '../../core/model.js'
import type { Facts, Link } from '../facts.js'
import { type Hazard, type Judgement, note, ok } from '../finding.js'
import { localAddresses, servicesOf, withForwarding } from '../uses.js'

/** Bytes of the outer header. gue: IP, UDP and GUE; gre: IP and GRE; a checksum is 4 bytes more. */
function overheadOf({ forwarding, tunnelChecksum }: RealAttributes, { family }: Address): number {
  const ip = family === 'ipv6' ? 40 : 20
  const inner = forwarding === 'gue' ? 8 + 4 : forwarding === 'gre' ? 4 : 0
  // remcsum takes a private field of 4 bytes and two offsets of 2 bytes.
  const checksum = { none: 0, csum: forwarding === 'gre' ? 4 : 0, remcsum: 8 }[tunnelChecksum]
  return ip + inner + checksum
}

interface Tunnel {
  readonly service: string
  readonly link: Link
  readonly overhead: number
}

export const tunnels: Hazard = {
  id: 'tunnel-mtu',
  judge(facts) {
    const used = tunnelsOf(facts)
    const widest = Math.max(0, ...clientLinks(facts).map(({ mtu }) => mtu))
    const short = used.filter(({ link, overhead }) => widest + overhead > link.mtu)
    if (short.length > 0) return [finding(short, widest)]
    return used.length > 0 ? [ok('packets of clients fit into the tunnels')] : []
  },
}

/** Returns the interfaces with a virtual address of a tunnelled service: clients send to it. */
function clientLinks(facts: Facts): readonly Link[] {
  const names = new Set(
    withForwarding(facts, 'ipip', 'gue', 'gre').flatMap(({ id }) =>
      id?.kind === 'address' ? localAddresses(facts, id.address).map(({ link }) => link) : [],
    ),
  )
  return (facts.machine.links ?? []).filter(({ name }) => name !== 'lo' && names.has(name))
}

function tunnelsOf(facts: Facts): readonly Tunnel[] {
  return servicesOf(facts).flatMap(({ name, reals }) =>
    reals.flatMap(({ attributes, address }) => {
      if (!address || !['ipip', 'gue', 'gre'].includes(attributes.forwarding)) return []
      const link = linkTo(address, facts)
      return link ? [{ service: name, link, overhead: overheadOf(attributes, address) }] : []
    }),
  )
}

/** Returns the interface by which a server is reached: the one of the source that the kernel chooses. */
function linkTo({ text }: Address, { site, machine }: Facts): Link | undefined {
  const source = site?.sources.get(text)
  if (!source || !('address' in source)) return undefined
  const local = machine.addresses?.find(each => each.text === source.address)
  return machine.links?.find(({ name }) => name === local?.link)
}

function finding(short: readonly Tunnel[], widest: number): Judgement {
  const most = Math.max(...short.map(({ overhead }) => overhead))
  const links = [...new Set(short.map(({ link }) => `${link.name} (MTU ${link.mtu})`))].join(', ')
  const room = Math.min(...short.map(({ link, overhead }) => link.mtu - overhead))
  return note(
    `long packets of clients do not fit into the tunnels over ${links}`,
    `A packet of ${widest} bytes and up to ${most} bytes of the tunnel need an MTU of ${widest + most}. The director answers a longer one with "packet too big"; a client behind a firewall that drops this answer hangs in uploads. Let the real servers announce a segment of at most ${room - 60} bytes, with advmss on their default route, or raise the MTU between director and servers. If they do already, all is well: doctor cannot see it from here.`,
    {
      commands: [`ip route change default via GATEWAY advmss ${room - 60}    # on each real server`],
      services: [...new Set(short.map(({ service }) => service))],
    },
  )
}
