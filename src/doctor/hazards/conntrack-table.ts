/** The table of connection tracking: full means dropped packets, for IPVS and everything else. */
import { error, type Hazard, notKnown, ok, warning } from '../finding.js'
import { sysctl } from '../sysctl-value.js'

/** Share of the table from which a peak may fill it. */
const NEARLY_FULL = 0.8

export const conntrackTable: Hazard = {
  id: 'conntrack-table',
  judge(facts) {
    const [max, count] = ['max', 'count'].map(name => sysctl(facts, `net.netfilter.nf_conntrack_${name}`))
    if (max === undefined || count === undefined) return []
    if (max === null || count === null)
      return [
        notKnown(
          'the fill of the conntrack table is not known',
          'It cannot be read by this user: run lvsd doctor as root.',
        ),
      ]
    const [size, used] = [Number(max), Number(count)]
    const share = `${used} of ${size} entries`
    if (size === 0 || used < size * NEARLY_FULL) return [ok(`the conntrack table has room: ${share}`)]
    const isFull = used >= size
    return [
      (isFull ? error : warning)(
        `the conntrack table is ${isFull ? 'full' : 'nearly full'}: ${share}`,
        'Connection tracking (nf_conntrack) sees the packets before IPVS does. When its table is full, the kernel drops the first packets of new connections: clients and checks time out. Make the table larger (an entry takes about 320 bytes), or exempt the virtual addresses from tracking with a notrack rule.',
        { commands: [`sysctl -w net.netfilter.nf_conntrack_max=${Math.max(size, used) * 4}`] },
      ),
    ]
  },
}
