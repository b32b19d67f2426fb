/** Forwarding of packets, which NAT needs for the answers of the real servers. */
import type { Family } from '../../core/address.js'
import type { Facts } from '../facts.js'
import { error, type Hazard, type Judgement, notKnown, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'
import { clientFamily, namesOf, withForwarding } from '../uses.js'

const SYSCTLS: Readonly<Record<Family, string>> = {
  ipv4: 'net.ipv4.ip_forward',
  ipv6: 'net.ipv6.conf.all.forwarding',
}

export const forwarding: Hazard = {
  id: 'forwarding',
  judge(facts) {
    return [...judgeFamily('ipv6', 'IPv6', facts), ...judgeFamily('ipv4', 'IPv4', facts)]
  },
}

function judgeFamily(family: Family, name: string, facts: Facts): readonly Judgement[] {
  const services = withForwarding(facts, 'masq').filter(service => clientFamily(service) === family)
  if (services.length === 0) return []
  const key = SYSCTLS[family]
  const value = sysctl(facts, key)
  if (value === null || value === undefined)
    return [notKnown(`whether this machine forwards ${name} is not known`, `${key} cannot be read.`)]
  const links = value === '0' || family === 'ipv6' ? [] : linksWithout(facts)
  if (links.length > 0) return [onlyOthers(links, namesOf(services))]
  if (value !== '0') return [ok(`this machine forwards ${name}`)]
  return [
    error(
      `this machine does not forward ${name}, which masq needs`,
      'With masq (NAT) the answers of a real server come back through the director. It drops them while forwarding is off: clients connect, and get no answer. Checks pass nevertheless, because they are answered to the director itself.',
      { commands: [`sysctl -w ${key}=1`], services: namesOf(services) },
    ),
  ]
}

/**
 * Returns the interfaces with an IPv4 address that do not forward. IPv4 asks the interface on which a packet arrives,
 * IPv6 only `all`.
 */
function linksWithout(facts: Facts): readonly string[] {
  const links = (facts.machine.addresses ?? []).flatMap(({ family, link }) =>
    family === 'ipv4' && link !== 'lo' ? link : [],
  )
  return [...new Set(links)].filter(link => sysctl(facts, settingOf(link)) === '0')
}

function settingOf(link: string): string {
  return `net.ipv4.conf.${link.replaceAll('.', '/')}.forwarding`
}

function onlyOthers(links: readonly string[], services: readonly string[]): Judgement {
  return warning(
    `this machine forwards IPv4, but not what arrives on ${links.join(', ')}`,
    'With masq (NAT) the answers of a real server come back through the director. It drops those that arrive on an interface without forwarding. If no real server is reached by this interface, all is well.',
    { commands: links.map(link => `sysctl -w ${settingOf(link)}=1`), services },
  )
}
