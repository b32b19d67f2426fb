/**
 * The source address of checks. Where the kernel would choose a virtual address, the answers go to whoever holds that
 * address: with direct routing to the real server itself, on a standby director to the active one. Pure.
 */
import { type Address, bytesOf, isLinkLocal } from './address.js'

/** An address of this machine. */
export interface OwnAddress {
  readonly address: Address
  /** Index of its interface. */
  readonly link: number
  /** Length of its prefix in bits. */
  readonly prefix: number
  /** `host`: valid on this machine only; `link`: on the link only. */
  readonly scope: 'global' | 'link' | 'host'
  /** True while duplicate address detection has not ended, or if it has found a duplicate. */
  readonly isTentative: boolean
  /** Set if duplicate address detection has found another machine with it. */
  readonly isDuplicate?: true
  /** True if it is not to be used for new connections: its preferred lifetime is over. */
  readonly isDeprecated: boolean
  /** True for an IPv6 address that changes (RFC 8981). */
  readonly isTemporary: boolean
}

/** How the kernel would send to a target. */
export interface SourceRoute {
  /** Index of the interface. */
  readonly link: number
  /** The next hop, if it is not the target itself. */
  readonly gateway: Address | null
  /** The source that the kernel would choose. */
  readonly source: Address
}

/** The source of a check in a configuration: an address, or the choice of the kernel whatever it is. */
export type WantedSource = Address | 'kernel'

export type SourceChoice =
  /** The choice of the kernel is good. */
  | { readonly kind: 'kernel' }
  | { readonly kind: 'replaced'; readonly source: Address; readonly insteadOf: Address }
  /** The kernel chooses a virtual address, and this machine has no other one for the target. */
  | { readonly kind: 'virtual'; readonly source: Address }

/** Index of the interface lo. */
const LOOPBACK_LINK = 1

/**
 * Returns the source for checks of a target on another machine. `own` are all addresses of this machine.
 *
 *   source that the kernel chooses   other usable addresses       choice
 *   virtual                          any                          the best of them
 *   virtual                          none                         virtual
 *   deprecated or tentative          one that is not deprecated   the best of them
 *   deprecated or tentative          none                         kernel
 *   any other                        any                          kernel
 *
 * Usable is what is not virtual, not tentative, not of the loopback network, and of the scope of the target. The order
 * is that of RFC 6724, as far as it applies: not deprecated, the interface of the route, not on lo, the same kind (unique
 * local or global), the subnet of the next hop, not an address alone (prefix of all bits: often a virtual one of another
 * program), not temporary, the longest common prefix.
 */
export function chooseSource(
  target: Address,
  route: SourceRoute,
  own: readonly OwnAddress[],
  isVirtual: (address: Address) => boolean,
): SourceChoice {
  const { source } = route
  const isBad = isVirtual(source)
  const isWeak = !isBad && own.some(each => each.address.text === source.text && isUnwanted(each))
  if ((!isBad && !isWeak) || isLinkLocal(target)) return KERNEL
  const usable = own.filter(each => isUsable(each, target, route) && !isVirtual(each.address))
  const [best] = ranked(isWeak ? usable.filter(each => !each.isDeprecated) : usable, target, route)
  if (best) return { kind: 'replaced', source: best.address, insteadOf: source }
  return isBad ? { kind: 'virtual', source } : KERNEL
}

const KERNEL: SourceChoice = { kind: 'kernel' }

/**
 * Returns the source for a check of a virtual address through a real server: an address of this machine that is not
 * virtual, as for the real server itself where it has the family of the virtual address. Null: there is none. `route`
 * leads to the real server; null: it is not known. The kernel itself would choose the virtual address.
 */
export function pathSource(
  virtual: Address,
  route: { readonly link: number; readonly source: Address | null } | null,
  own: readonly OwnAddress[],
  isVirtual: (address: Address) => boolean,
): Address | null {
  const chosen = route?.source
  const isOther = (address: Address) => address.text !== virtual.text && !isVirtual(address)
  if (chosen?.family === virtual.family && !isLinkLocal(chosen) && isOther(chosen)) return chosen
  const towards = { link: route?.link ?? 0, gateway: null, source: virtual }
  const usable = own.filter(each => isUsable(each, virtual, towards) && isOther(each.address))
  return ranked(usable, virtual, towards)[0]?.address ?? null
}

function isUnwanted({ isDeprecated, isTentative }: OwnAddress): boolean {
  return isDeprecated || isTentative
}

function isUsable({ address, isTentative, link, scope }: OwnAddress, target: Address, route: SourceRoute) {
  if (address.family !== target.family || isTentative || isLoopback(address)) return false
  if (scope === 'link') return isIpv4LinkLocal(target) && link === route.link
  return scope === 'global' && !isLinkLocal(address)
}

function ranked(usable: readonly OwnAddress[], target: Address, route: SourceRoute): readonly OwnAddress[] {
  const hop = route.gateway?.family === target.family ? route.gateway : target
  const rank = (own: OwnAddress) => [
    Number(own.isDeprecated),
    Number(own.link !== route.link),
    Number(own.link === LOOPBACK_LINK),
    Number(isUniqueLocal(own.address) !== isUniqueLocal(target)),
    Number(commonBits(own.address, hop) < own.prefix),
    Number(own.prefix === 8 * bytesOf(own.address).length),
    Number(own.isTemporary),
    -commonBits(own.address, target),
  ]
  return usable
    .map(own => ({ own, rank: rank(own) }))
    .sort((a, b) => compare(a.rank, b.rank) || (a.own.address.text < b.own.address.text ? -1 : 1))
    .map(({ own }) => own)
}

function compare(a: readonly number[], b: readonly number[]): number {
  const i = a.findIndex((number, n) => number !== b[n])
  return i === -1 ? 0 : (a[i] ?? 0) - (b[i] ?? 0)
}

function isLoopback({ family, text }: Address): boolean {
  return family === 'ipv4' ? text.startsWith('127.') : text === '::1'
}

function isIpv4LinkLocal({ family, text }: Address): boolean {
  return family === 'ipv4' && text.startsWith('169.254.')
}

/** True for fc00::/7. */
function isUniqueLocal({ family, text }: Address): boolean {
  return family === 'ipv6' && /^f[cd][0-9a-f]{2}:/.test(text)
}

/** Number of leading bits that both addresses have in common. */
function commonBits(one: Address, other: Address): number {
  const [a, b] = [bytesOf(one), bytesOf(other)]
  const i = a.findIndex((byte, n) => byte !== b[n])
  return i === -1 ? 8 * a.length : 8 * i + Math.clz32((a[i] ?? 0) ^ (b[i] ?? 0)) - 24
}
