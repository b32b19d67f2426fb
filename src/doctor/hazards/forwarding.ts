/** Forwarding of packets, which NAT needs for the answers of the real servers. */
import type { Family } from '../../core/address.js'
import type { Facts } from '../facts.js'
import { error, type Hazard, type Judgement, notKnown, ok } from '../finding.js'
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
  if (value !== '0') return [ok(`this machine forwards ${name}`)]
  return [
    error(
      `this machine does not forward ${name}, which masq needs`,
      'With masq (NAT) the answers of a real server come back through the director. It drops them while forwarding is off: clients connect, and get no answer. Checks pass nevertheless, because they are answered to the director itself.',
      { commands: [`sysctl -w ${key}=1`], services: namesOf(services) },
    ),
  ]
}
