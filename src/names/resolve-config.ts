/** Inserts the known addresses of names into a configuration. Pure. */
import { type Address, type Family, literalAddress } from '../core/address.js'
import { virtualsOf } from '../core/kernel-services.js'
import {
  type Config,
  type FurtherAddress,
  familyOf,
  idAsWritten,
  idOf,
  keyOfService,
  type Member,
  type Real,
  type ResolvedConfig,
  type ResolvedFurtherAddress,
  type ResolvedReal,
  type ResolvedService,
  type Service,
  type ServiceId,
} from '../core/model.js'
import { isSameValue } from '../util/same-value.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import {
  addressOf,
  checkRequest,
  hasName,
  hasNames,
  haveSameHosts,
  type LookupRequest,
  memberRequest,
  type Names,
  virtualRequest,
} from './lookup-requests.js'

/** A configuration as read, and with the addresses that were known. */
export interface Resolved {
  readonly read: Config
  readonly config: ResolvedConfig
}

/**
 * Returns the configuration with the known addresses. A service whose name resolves to the address of another service
 * gets no id, because the kernel cannot distinguish the two; `clashes` has a sentence for each such service. Services
 * and real servers of `before` stay the same objects if neither they nor their addresses have changed.
 */
export function resolveConfig(
  config: Config,
  names: Names,
  before: Resolved | null = null,
): ResolvedWithClashes {
  return runSync(resolvingConfig(config, names, before))
}

export interface ResolvedWithClashes {
  readonly config: ResolvedConfig
  readonly clashes: readonly string[]
}

/** Same as `resolveConfig`, in time slices. */
export function* resolvingConfig(
  config: Config,
  names: Names,
  before: Resolved | null = null,
): Sliced<ResolvedWithClashes> {
  const taken = new Map(
    config.services.flatMap(service =>
      virtualsOf(service).flatMap(virtual => {
        const id = idAsWritten(virtual)
        return id ? [[keyOfService(id), service.name] as const] : []
      }),
    ),
  )
  const clashes: string[] = []
  const earlier = new Earlier(before)
  const withoutClash = (service: Service, resolved: ResolvedService): ResolvedService => {
    const request = virtualRequest(service.virtual)
    if (!request || !resolved.id) return resolved
    const key = keyOfService(resolved.id)
    const other = taken.get(key)
    if (other === undefined) taken.set(key, service.name)
    else
      clashes.push(`"${service.name}" is left out: ${request.host} resolves to ${key}, which is "${other}"`)
    return other === undefined ? resolved : { ...resolved, id: null }
  }
  const services: ResolvedService[] = []
  for (const service of config.services) {
    const known = earlier.of(service)
    if (known && !hasNames(service)) services.push(known)
    else {
      const resolved = yield* resolveService(service, names, earlier.realsOf(service))
      const same = earlier.orSame(service, withoutClash(service, resolved))
      haveSameHosts(same, service)
      services.push(same)
    }
  }
  return { config: { ...config, services }, clashes }
}

/** What a configuration was resolved to before. */
class Earlier {
  readonly #byService = new Map<Service, ResolvedService>()
  readonly #byName = new Map<string, { readonly read: Service; readonly resolved: ResolvedService }>()

  constructor(before: Resolved | null) {
    for (const [i, read] of (before?.read.services ?? []).entries()) {
      const resolved = before?.config.services[i]
      if (!resolved) continue
      this.#byService.set(read, resolved)
      this.#byName.set(read.name, { read, resolved })
    }
  }

  of(service: Service): ResolvedService | undefined {
    return this.#byService.get(service)
  }

  /** Returns the real servers of the service of this name, by what was read. */
  realsOf({ name }: Service): ReadonlyMap<Real, ResolvedReal> {
    const { read, resolved } = this.#byName.get(name) ?? { read: { reals: [] }, resolved: { reals: [] } }
    return new Map(read.reals.flatMap((real, i) => (resolved.reals[i] ? [[real, resolved.reals[i]]] : [])))
  }

  /** Returns the object of before, if it is equal. */
  orSame(service: Service, resolved: ResolvedService): ResolvedService {
    const known = this.of(service)
    return known && isSameValue(known, resolved) ? known : resolved
  }
}

function* resolveService(
  service: Service,
  names: Names,
  known: ReadonlyMap<Real, ResolvedReal>,
): Sliced<ResolvedService> {
  const { also, ...own } = service
  const { virtual, reals, fallback } = own
  const request = virtualRequest(virtual)
  const id = request ? idOf(virtual, addressOf(request, names)) : idAsWritten(virtual)
  const family = id ? familyOf(id) : virtual.family
  const resolvedReals: ResolvedReal[] = []
  yield* eachInSteps(reals, real => {
    const before = known.get(real)
    const resolved = before && !hasName(real) ? before : resolveReal(real, family, names)
    resolvedReals.push(before && isSameValue(before, resolved) ? before : resolved)
  })
  return {
    ...own,
    ...(also && { also: also.map(one => resolveFurther(one, names)) }),
    id,
    reals: resolvedReals,
    fallback: fallback && { ...fallback, address: addressOfMember(fallback, family, names) },
  }
}

/** Validation has made sure that the host is no name. */
function resolveFurther(further: FurtherAddress, names: Names): ResolvedFurtherAddress {
  const id = idAsWritten(further.virtual) as ServiceId
  const { fallback } = further
  return {
    ...further,
    id,
    fallback: fallback && { ...fallback, address: addressOfMember(fallback, familyOf(id), names) },
  }
}

function resolveReal(real: Real, family: Family | null, names: Names): ResolvedReal {
  const address = addressOfMember(real, family, names)
  const checks = real.checks.map(use => ({
    ...use,
    address: use.host === null ? address : addressAt(use.host, checkRequest(use, real, family), names),
  }))
  return { ...real, address, checks }
}

function addressOfMember(member: Member, family: Family | null, names: Names): Address | null {
  return addressAt(member.host, memberRequest(member, family), names)
}

/** Returns the address of a host; `request` is null if it is a literal. */
function addressAt(host: string, request: LookupRequest | null, names: Names): Address | null {
  return request ? addressOf(request, names) : literalAddress(host)
}
