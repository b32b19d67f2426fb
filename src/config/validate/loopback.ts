/**
 * Warns about servers at a loopback address. Such a server is the director itself, and the kernel handles it
 * differently.
 */
import { literalAddress } from '../../core/address.js'
import type { Member } from '../../core/model.js'
import { isLocalhost } from '../../names/hosts.js'
import type { Position } from '../problems/problem.js'
import type { RealContext } from './real-context.js'
import type { PlacedFallback, PlacedReal } from './reals.js'

/**
 * Reports servers at loopback addresses. Reports nothing if all real servers have one: this is a test on one machine.
 */
export function reportLoopback(
  reals: readonly PlacedReal[],
  fallback: PlacedFallback | null,
  context: RealContext,
): void {
  if (reals.length > 0 && reals.every(({ real }) => isLoopback(real))) return
  for (const { real, at } of reals) if (isLoopback(real)) reportMember(real, at, context)
  if (fallback && isLoopback(fallback.fallback)) reportMember(fallback.fallback, fallback.at, context)
}

function isLoopback({ host }: Member): boolean {
  return host === '::1' || /^127\.[\d.]+$/.test(host) || isLocalhost(host)
}

/**
 * In the kernel, ip_vs_nat_xmit and ip_vs_nat_xmit_v6 drop packets from other machines to such a server ("stopping DNAT
 * to loopback address").
 */
function reportMember({ host, attributes }: Member, at: Position, { report, facts }: RealContext): void {
  const own = `${host} is the director itself`
  const port = facts.port === null || facts.isFwmark ? 'its port' : `port ${facts.port}`
  const place = `what listens on this machine at the virtual address, ${port}`
  const family = literalAddress(host)?.family ?? null
  const families = facts.families ?? (facts.family === null ? [] : [facts.family])
  const isRefused = family !== null && families.length > 0 && !families.includes(family)
  if (isRefused) return
  if (attributes.forwarding === 'masq')
    report.warn(
      'LOOPBACK',
      at,
      `${own}: with masq the kernel drops the packets of clients on other machines; with gate clients reach ${place}`,
    )
  else report.note('LOOPBACK', at, `${own}: with ${attributes.forwarding} clients reach ${place}`)
}
