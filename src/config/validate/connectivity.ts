/** Reads `cluster: connectivity`, and judges what its keys mean together. */
import type { ConnectivityPolicy, PingGroup } from '../../core/connectivity.js'
import { interfaceNames } from '../../system/interfaces.js'
import { didYouMean } from '../../util/closest-match.js'
import type { Fields } from '../read/fields.js'
import { outputOf } from '../read/layers.js'
import { connectivityFields, type pingGroupFields } from '../schema/connectivity-fields.js'
import type { Context } from './context.js'

type ConnectivityFields = Fields<typeof connectivityFields>
type GroupFields = Fields<typeof pingGroupFields>

export function readConnectivity(fields: ConnectivityFields, context: Context): ConnectivityPolicy {
  const { report } = context
  const groups = (fields.values.groups ?? []).flatMap(
    group => (group && readGroup(group as GroupFields, context)) ?? [],
  )
  const policy = { ...outputOf(connectivityFields, [fields]), groups }
  const { interfaces, timeout, interval } = policy
  const conditions = ['gateways', 'groups', 'interfaces', 'routes'] as const
  const isMeant = (key: (typeof conditions)[number]) => {
    const value = fields.values[key]
    // A value that is wrong has been reported.
    return fields.isMisspelt(key) || (fields.entry(key) && (value === undefined || value.length > 0))
  }
  if (!conditions.some(isMeant))
    report.error('MISSING_KEY', fields.at, 'connectivity needs gateways, groups, interfaces or routes')
  if (timeout > interval && fields.entry('timeout'))
    report.error(
      'BAD_CONNECTIVITY',
      fields.valueAt('timeout'),
      'the timeout of a ping is longer than the interval',
    )
  judgeInterfaces(interfaces, fields, context)
  return { ...policy, timeout: Math.min(timeout, interval) }
}

function readGroup(fields: GroupFields, { report }: Context): PingGroup | null {
  const { ping, need = 'any' } = fields.values
  if (!fields.entry('ping') && !fields.isMisspelt('ping'))
    report.error('MISSING_KEY', fields.at, 'a group needs the key ping, its addresses: ping: [2001:db8::1]')
  if (!ping) return null
  if (typeof need !== 'number') return { ping, need: need === 'all' ? ping.length : 1 }
  if (need > ping.length)
    report.error(
      'BAD_CONNECTIVITY',
      fields.valueAt('need'),
      `${need} of ${ping.length} can never answer: need is more than the number of addresses`,
    )
  return { ping, need }
}

/** An interface may come later, so a name that this machine does not have is no error. */
function judgeInterfaces(
  names: readonly string[],
  fields: ConnectivityFields,
  { report, looksAtMachine }: Context,
): void {
  if (names.length === 0) return
  looksAtMachine?.()
  const known = interfaceNames()
  if (!known) return
  for (const [i, name] of names.entries())
    if (!known.includes(name))
      report.warn(
        'UNKNOWN_INTERFACE',
        fields.itemAt('interfaces', i),
        `this machine has no interface "${name}" at present${didYouMean(name, known)}`,
      )
}
