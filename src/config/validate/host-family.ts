/** Warns about names that have addresses in /etc/hosts, but none of the required family. */
import type { Family } from '../../core/address.js'
import { isLocalhost } from '../../names/hosts.js'
import type { Position } from '../problems/problem.js'
import type { Context } from './context.js'
import { familyWord } from './words.js'

/** Judges a name by /etc/hosts, without a look-up. A name server may know further addresses. */
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
