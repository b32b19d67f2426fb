/** Servers at a loopback address: the director itself, which the kernel serves in a way of its own. */
import type { Address } from '../../core/address.js'
import type { Forwarding } from '../../core/model.js'
import { isLocalhost } from '../../names/hosts.js'
import type { Position } from '../problems/problem.js'
import type { RealContext } from './real-context.js'
import type { PlacedFallback, PlacedReal } from './reals.js'

interface Member {
  readonly host: string
  readonly address: Address | null
  readonly port: number
  readonly attributes: { readonly forwarding: Forwarding }
}

/** Where all servers are at loopback addresses somebody tries lvsd on one machine: nothing is told. */
export function tellLoopback(
  reals: readonly PlacedReal[],
  fallback: PlacedFallback | null,
  context: RealContext,
): void {
  if (reals.length > 0 && reals.every(({ real }) => isLoopback(real))) return
  for (const { real, at } of reals) if (isLoopback(real)) tell(real, at, context)
  if (fallback && isLoopback(fallback.fallback)) tell(fallback.fallback, fallback.at, context)
}

function isLoopback({ host, address }: Pick<Member, 'host' | 'address'>): boolean {
  return address ? address.text === '::1' || /^127\./.test(address.text) : isLocalhost(host)
}

/** ip_vs_nat_xmit and its like for IPv6 drop "DNAT to loopback address" of packets that have come in from outside. */
function tell({ host, address, attributes }: Member, at: Position, { report, facts }: RealContext): void {
  const own = `${host} is the director itself`
  const port = facts.port === null || facts.isFwmark ? 'its port' : `port ${facts.port}`
  const place = `a server of the director that listens on the virtual address, ${port}`
  const isRefused = address !== null && facts.family !== null && address.family !== facts.family
  if (isRefused) return
  if (attributes.forwarding === 'masq')
    report.warn(
      'LOOPBACK',
      at,
      `${own}, and with masq the kernel drops what other machines send there; with gate they reach ${place}`,
    )
  else report.note('LOOPBACK', at, `${own}: with ${attributes.forwarding} clients reach ${place}`)
}
