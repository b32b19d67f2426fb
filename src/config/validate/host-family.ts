/** Names that this machine knows in another family than the one that is asked for. */
import type { Family } from '../../core/address.js'
import { isLocalhost } from '../../names/hosts.js'
import type { Position } from '../problems/problem.js'
import type { Context } from './context.js'
import { familyWord } from './words.js'

/** What may be seen of a name without a look-up: a name server may know more. */
export function judgeHostFamily(
  host: string,
  family: Family | null,
  at: Position,
  { hosts, report }: Pick<Context, 'hosts' | 'report'>,
): void {
  if (!hosts || !family || hosts.addressesOf(host, family).length > 0) return
  const instead = hosts.addressesOf(host, family === 'ipv6' ? 'ipv4' : 'ipv6')
  if (instead.length === 0) return
  const more = isLocalhost(host) ? '' : '; a name server may know one'
  report.warn(
    'NAME_FAMILY',
    at,
    `${host} has no ${familyWord(family)} address in /etc/hosts; it has ${instead.join(', ')}${more}`,
  )
}
