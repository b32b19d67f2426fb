/** Lists the names in a configuration, and the address family that each needs. Pure. */
import { type Address, type Family, isName, literalAddress, parseAddress } from '../core/address.js'
import {
  type CheckUse,
  type Config,
  familyOf,
  type Member,
  type Real,
  type ResolvedService,
  type Service,
  type Virtual,
} from '../core/model.js'

/** Addresses in use, by `keyOfRequest`. */
export type Names = ReadonlyMap<string, string>

export interface LookupRequest {
  readonly host: string
  readonly family: Family
  /**
   * Whether an address of the other family is accepted if there is none of `family`. `at first`: until an address is in
   * use.
   */
  readonly other: 'never' | 'at first' | 'always'
}

/** Returns the key of a request. It differs for different families of the same host. */
export function keyOfRequest({ host, family, other }: LookupRequest): string {
  if (other === 'never') return `${host} ${family}`
  return other === 'at first' ? host : `${host} ${family} first`
}

/** A request, and the names of the services that need it. */
export interface Wanted extends LookupRequest {
  readonly services: readonly string[]
}

const havingNames = new WeakMap<Service, boolean>()

/** True if a host of the service is a name: its address, a server, the target of a check. */
export function hasNames(service: Service): boolean {
  const known = havingNames.get(service)
  if (known !== undefined) return known
  const { virtual, reals, fallback, also = [] } = service
  const hosts = [virtual.kind === 'address' ? virtual.host : null, fallback?.host ?? null]
  const isNamed =
    hosts.some(isNameOrNull) ||
    also.some(one => isNameOrNull(one.fallback?.host ?? null)) ||
    reals.some(hasName)
  havingNames.set(service, isNamed)
  return isNamed
}

/** Notes that a service has the hosts of another one, so that `hasNames` need not look at thousands of servers. */
export function haveSameHosts(service: Service, known: Service): void {
  havingNames.set(service, hasNames(known))
}

/** True if the host of the real server or of one of its checks is a name. */
export function hasName({ host, checks }: Real): boolean {
  return isName(host) || checks.some(use => isNameOrNull(use.host))
}

function isNameOrNull(host: string | null): boolean {
  return host !== null && isName(host)
}

/**
 * Returns the distinct requests for hosts that are names, by key. `names` determines the family of a virtual service
 * that is a name, and thereby the family of its servers.
 */
export function requestsOf(config: Config, names: Names): ReadonlyMap<string, Wanted> {
  const requests = new Map<string, { request: LookupRequest; services: Set<string> }>()
  const want = (request: LookupRequest | null, { name }: Service) => {
    if (!request) return
    const key = keyOfRequest(request)
    const known = requests.get(key)
    if (known) known.services.add(name)
    else requests.set(key, { request, services: new Set([name]) })
  }
  for (const service of config.services) {
    if (!hasNames(service)) continue
    const request = virtualRequest(service.virtual)
    const family = service.virtual.family ?? (request && addressOf(request, names)?.family) ?? null
    want(request, service)
    for (const member of membersOf(service)) want(memberRequest(member, family), service)
    for (const { fallback, virtual } of service.also ?? [])
      if (fallback) want(memberRequest(fallback, virtual.family), service)
    for (const real of service.reals)
      for (const use of real.checks) want(checkRequest(use, real, family), service)
  }
  return new Map(
    [...requests].map(([key, { request, services }]) => [key, { ...request, services: [...services] }]),
  )
}

/**
 * Returns the addresses in use that the next configuration keeps. If the request for a name has changed (`family:` was
 * added or removed), the address stays if its family is still accepted. All other addresses are dropped.
 */
export function handedOn(names: Names, config: Config): Names {
  let next = names
  // Servers take the family of their virtual service, which the first pass may determine.
  for (let i = 0; i < 2; i++) {
    const requests = requestsOf(config, next)
    const free = [...names].filter(([key]) => !requests.has(key))
    const kept = (request: LookupRequest, key: string) =>
      next.get(key) ?? free.find(entry => fits(request, entry))?.[1]
    next = new Map([...requests].flatMap(([key, request]) => [[key, kept(request, key) ?? ''] as const]))
  }
  return new Map([...next].filter(([, address]) => address !== ''))
}

function fits({ host, family, other }: LookupRequest, [key, address]: readonly [string, string]): boolean {
  return key.split(' ')[0] === host && (other !== 'never' || parseAddress(address)?.family === family)
}

// ---------------------------------------------------------------- requests; null for literals

/** A virtual address without `family:` is IPv6 if the name has such an address, else IPv4. It then keeps its family. */
export function virtualRequest(virtual: Virtual): LookupRequest | null {
  if (virtual.kind === 'fwmark' || !isName(virtual.host)) return null
  const { host, family } = virtual
  return { host, family: family ?? 'ipv6', other: family === null ? 'at first' : 'never' }
}

/**
 * A server takes the family of its service, unless it has a `family` of its own; a server of the other family is
 * reachable only by tunnel. While the family of the service is not known (null), either family is accepted.
 */
export function memberRequest({ host, family }: Member, ofService: Family | null): LookupRequest | null {
  if (!isName(host)) return null
  const wanted = family ?? ofService
  return { host, family: wanted ?? 'ipv6', other: wanted === null ? 'at first' : 'never' }
}

/**
 * The target of a check is not in the kernel's table, so the other family is accepted if there is no address of the
 * server's family.
 */
export function checkRequest({ host }: CheckUse, real: Real, ofService: Family | null): LookupRequest | null {
  if (host === null || !isName(host)) return null
  const family = real.family ?? literalAddress(real.host)?.family ?? ofService
  return { host, family: family ?? 'ipv6', other: 'always' }
}

export function membersOf<M extends Member>(service: {
  readonly reals: readonly M[]
  readonly fallback: M | null
}) {
  return service.fallback ? [...service.reals, service.fallback] : service.reals
}

/** Returns the address family of a service; null while its name has no address and either family is possible. */
export function familyOfService({ id, virtual }: ResolvedService): Family | null {
  return id ? familyOf(id) : virtual.family
}

export function addressOf(request: LookupRequest, names: Names): Address | null {
  return parseAddress(names.get(keyOfRequest(request)) ?? '')
}
