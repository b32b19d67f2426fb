/** Reverse path filter: strict mode drops packets that arrive by another interface than the way back. */
import type { Facts } from '../facts.js'
import { type Hazard, type Judgement, note, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'
import { namesOf, ofFamily, servicesOf } from '../uses.js'

/** Interfaces on which packets of tunnels arrive: their source is the client, whose route is another interface. */
const TUNNELS = /^(tunl|ipip|gre|gue|tun)\d+$/

export const rpFilter: Hazard = {
  id: 'rp-filter',
  judge(facts) {
    const services = ofFamily(servicesOf(facts), 'ipv4')
    if (services.length === 0 || facts.machine.addresses === null) return []
    const all = facts.machine.addresses.filter(({ family, link }) => family === 'ipv4' && link !== 'lo')
    const links = [...new Set(all.map(({ link }) => link))]
    const strict = links.filter(link => modeOf(link, facts) === 1)
    const tunnels = (facts.machine.links ?? [])
      .map(({ name }) => name)
      .filter(name => TUNNELS.test(name) && modeOf(name, facts) === 1)
    const found = [
      ...tunnels.map(link => tunnel(link, namesOf(services))),
      ...(links.length > 1 && strict.length > 0 ? [strictMode(strict, namesOf(services))] : []),
    ]
    return found.length > 0 ? found : [ok('the reverse path filter drops nothing that clients need')]
  },
}

/** The kernel uses the larger one of the interface and of `all`. 1 is strict, 2 loose. */
function modeOf(link: string, facts: Facts): number {
  const values = [link.replaceAll('.', '/'), 'all'].map(name =>
    sysctl(facts, `net.ipv4.conf.${name}.rp_filter`),
  )
  return Math.max(...values.map(value => Number(value ?? 0)))
}

function tunnel(link: string, services: readonly string[]): Judgement {
  return warning(
    `the tunnel ${link} has a strict reverse path filter`,
    'What comes out of the tunnel has the address of a client as source, and the way back to clients is not the tunnel. Strict mode (rp_filter=1) drops all of it, so this machine serves nothing as a real server of a tunnel. The larger value of the interface and of all counts.',
    {
      commands: [`sysctl -w net.ipv4.conf.all.rp_filter=0`, `sysctl -w net.ipv4.conf.${link}.rp_filter=0`],
      services,
    },
  )
}

function strictMode(links: readonly string[], services: readonly string[]): Judgement {
  return note(
    `the reverse path filter is strict on ${links.join(', ')}`,
    'This machine has several interfaces with IPv4. In strict mode (rp_filter=1) it drops a packet that arrives by another interface than the one of its way back, without a message: with two uplinks, some clients reach nothing. With one way to each network there is no harm. 2 is loose: some interface must have a way back.',
    {
      commands: links.map(link => `sysctl -w net.ipv4.conf.${link.replaceAll('.', '/')}.rp_filter=2`),
      services,
    },
  )
}
