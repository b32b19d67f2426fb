/** Which names a configuration has, in which family each is wanted, and the configuration with addresses in. Pure. */
import { type Family, parseAddress } from '../core/address.js'
import {
  type CheckUse,
  type Config,
  type Fallback,
  familyOf,
  keyOfService,
  type Real,
  type Service,
} from '../core/model.js'

/** Addresses in use, by `keyOfWish`. */
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
 * Every host without an address, once for each way in which it is wanted. `names`: a virtual service that is a name
 * itself has the family of its address, and so have its servers.
 */
export function requestsOf(config: Config, names: Names): ReadonlyMap<string, Wanted> {
  const requests = new Map<string, { request: LookupRequest; services: Set<string> }>()
  const want = (request: LookupRequest, { name }: Service) => {
    const key = keyOfRequest(request)
    const known = requests.get(key)
    if (known) known.services.add(name)
    else requests.set(key, { request, services: new Set([name]) })
  }
  for (const service of config.services) {
    if (service.unresolved) want(virtualWish(service.host, service.unresolved.family), service)
    const named = withVirtual(service, names)
    for (const member of membersOf(service))
      if (member.address === null) want(memberWish(named, member), service)
    for (const real of service.reals)
      for (const { host } of real.checks) if (host !== undefined) want(checkWish(named, real, host), service)
  }
  return new Map(
    [...requests].map(([key, { request, services }]) => [key, { ...request, services: [...services] }]),
  )
}

/**
 * The configuration with every known name filled in. A service whose name resolves to what is another service already
 * goes without an address: the kernel could not keep the two apart. That is told in sentences.
 */
export function withNames(
  config: Config,
  names: Names,
): { readonly config: Config; readonly clashes: readonly string[] } {
  if (requestsOf(config, names).size === 0) return { config, clashes: [] }
  const taken = new Map(config.services.flatMap(({ id, name }) => (id ? [[keyOfService(id), name]] : [])))
  const clashes: string[] = []
  const services = config.services.map(service => {
    const named = serviceWithNames(service, names)
    if (service.id || !named.id) return named
    const key = keyOfService(named.id)
    const other = taken.get(key)
    if (other === undefined) taken.set(key, service.name)
    else
      clashes.push(`"${service.name}" is left out: ${service.host} resolves to ${key}, which is "${other}"`)
    return other === undefined ? named : { ...named, id: null }
  })
  return { config: { ...config, services }, clashes }
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

// ---------------------------------------------------------------- what is wanted

/** A virtual address without a family is IPv6 where there is one, else IPv4, and stays in the family that it has then. */
export function virtualWish(host: string, family: Family | null): LookupRequest {
  return { host, family: family ?? 'ipv6', other: family === null ? 'at first' : 'never' }
}

/**
 * A server is looked for in the family of its service; in the other one, which only a tunnel reaches, where `family` of
 * the server says so. While the family of the service is not known either, any will do.
 */
export function memberWish(service: Service, { host, family }: Member): LookupRequest {
  const wanted = family ?? familyOfService(service)
  return { host, family: wanted ?? 'ipv6', other: wanted === null ? 'at first' : 'never' }
}

/** Where a check goes is not in the kernel's table: the other family will do where there is none of the server's. */
export function checkWish(service: Service, real: Real, host: string): LookupRequest {
  const family = real.family ?? real.address?.family ?? familyOfService(service)
  return { host, family: family ?? 'ipv6', other: 'always' }
}

type Member = Real | Fallback

export function membersOf(service: Service): readonly Member[] {
  return service.fallback ? [...service.reals, service.fallback] : service.reals
}

function familyOfService({ id, unresolved }: Service): Family | null {
  return id ? familyOf(id) : (unresolved?.family ?? null)
}

// ---------------------------------------------------------------- filled in

function withVirtual(service: Service, names: Names): Service {
  const { unresolved } = service
  const address = unresolved && known(virtualWish(service.host, unresolved.family), names)
  if (!address || service.id) return service
  const { protocol, port } = unresolved
  return { ...service, id: { kind: 'address', address, protocol, port } }
}

function serviceWithNames(service: Service, names: Names): Service {
  const named = withVirtual(service, names)
  const fill = <M extends Member>(member: M): M =>
    member.address ? member : { ...member, address: known(memberWish(named, member), names) }
  const reals = service.reals.map(real => ({ ...fill(real), ...checksWithHosts(named, real, names) }))
  return { ...named, reals, fallback: service.fallback && fill(service.fallback) }
}

/** Checks that are sent to a server with a name. */
function checksWithHosts(service: Service, real: Real, names: Names): Pick<Real, 'checks'> {
  const { checks } = real
  if (checks.every(({ host }) => host === undefined)) return { checks }
  const fill = (use: CheckUse): CheckUse =>
    use.host === undefined ? use : { ...use, address: known(checkWish(service, real, use.host), names) }
  return { checks: checks.map(fill) }
}

function known(request: LookupRequest, names: Names) {
  return parseAddress(names.get(keyOfRequest(request)) ?? '')
}
