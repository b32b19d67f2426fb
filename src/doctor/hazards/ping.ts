/** The right to send pings. */
import { addressesOf } from '../../core/connectivity.js'
import type { Facts } from '../facts.js'
import { error, type Hazard, notKnown, ok } from '../finding.js'
import { sysctl } from '../sysctl-value.js'

const CAP_NET_RAW = 13n
const RANGE = 'net.ipv4.ping_group_range'

export const ping: Hazard = {
  id: 'ping-rights',
  judge(facts) {
    const { pings = 0, checks = 0, config = null } = facts.site ?? {}
    const { connectivity = null } = config?.cluster ?? {}
    const hosts = connectivity ? addressesOf(connectivity).length : 0
    if (pings + hosts === 0) return []
    const { isDaemon, capabilities } = facts.machine.process
    const who = isDaemon ? 'lvsd' : 'this user'
    if (capabilities !== null && (capabilities >> CAP_NET_RAW) & 1n)
      return [ok(`${who} may send pings (CAP_NET_RAW)`)]
    const mayByGroup = isInRange(facts)
    if (mayByGroup) return [ok(`${who} may send pings (${RANGE})`)]
    if (mayByGroup === null || capabilities === null)
      return [
        notKnown(
          `whether ${who} may send pings is not known`,
          'Its rights cannot be read: run lvsd doctor as root.',
        ),
      ]
    return [
      error(
        `${who} may not send pings, and ${[
          ...(pings > 0 ? [`${pings} of ${checks} checks`] : []),
          ...(hosts > 0 ? [`connectivity (${hosts} ${hosts === 1 ? 'address' : 'addresses'})`] : []),
        ].join(' and ')} need${pings === 0 ? 's' : ''} them`,
        [
          `A ping needs CAP_NET_RAW, which lvsd.service has, or a group in ${RANGE}, which counts for IPv6 too.`,
          ...(pings > 0
            ? ['Without it these checks give no verdict, and their servers stay as they are.']
            : []),
          ...(hosts > 0 ? ['Without it the addresses of connectivity count as answering.'] : []),
        ].join(' '),
        { commands: [`sysctl -w ${RANGE}="0 2147483647"`] },
      ),
    ]
  },
}

function isInRange(facts: Facts): boolean | null {
  const { groups } = facts.machine.process
  const range = sysctl(facts, RANGE)?.split(/\s+/).map(Number)
  if (!range || groups === null) return null
  const [first = 1, last = 0] = range
  return groups.some(group => group >= first && group <= last)
}
