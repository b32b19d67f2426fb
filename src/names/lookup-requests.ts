/** Which names a configuration has, and in which family each is wanted. Pure. */
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
  /** Whether an address of the other family will do where there is none of this one; `at first`: until one is in use. */
  readonly other: 'never' | 'at first' | 'always'
}

/** Names of one host in several families are apart. */
export function keyOfRequest({ host, family, other }: LookupRequest): string {
  if (other === 'never') return `${host} ${family}`
  return other === 'at first' ? host : `${host} ${family} first`
}

/** A request, and the services that it is for. */
export interface Wanted extends LookupRequest {
  readonly services: readonly string[]
}

/**
 * Returns a request for each host that is a name, one for each way in which it is wanted. `names` gives the family of a
 * virtual service that is a name, and with it the family of its servers.
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
    const request = virtualRequest(service.virtual)
    const family = service.virtual.family ?? (request && addressOf(request, names)?.family) ?? null
    want(request, service)
    for (const member of membersOf(service)) want(memberRequest(member, family), service)
    for (const real of service.reals)
      for (const use of real.checks) want(checkRequest(use, real, family), service)
  }
  return new Map(
    [...requests].map(([key, { request, services }]) => [key, { ...request, services: [...services] }]),
  )
}

/**
 * The addresses in use as another configuration goes on with them: one that is wanted in another way (`family:` has been
 * written, or left out) stays where its family will do. Others are dropped.
 */
export function handedOn(names: Names, config: Config): Names {
  let next = names
  // The family of servers is that of their virtual service, which may be known only now.
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

// ---------------------------------------------------------------- what is wanted, null for literals

/** A virtual address without a family is IPv6 where there is one, else IPv4, and stays in the family that it has then. */
export function virtualRequest(virtual: Virtual): LookupRequest | null {
  if (virtual.kind === 'fwmark' || !isName(virtual.host)) return null
  const { host, family } = virtual
  return { host, family: family ?? 'ipv6', other: family === null ? 'at first' : 'never' }
}

/**
 * A server is looked for in the family of its service; in the other one, which only a tunnel reaches, where `family` of
 * the server says so. While the family of the service is not known either (null), any will do.
 */
export function memberRequest({ host, family }: Member, ofService: Family | null): LookupRequest | null {
  if (!isName(host)) return null
  const wanted = family ?? ofService
  return { host, family: wanted ?? 'ipv6', other: wanted === null ? 'at first' : 'never' }
}

/** Where a check goes is not in the kernel's table: the other family will do where there is none of the server's. */
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
