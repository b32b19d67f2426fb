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
import {
  addressOf,
  checkRequest,
  type LookupRequest,
  memberRequest,
  type Names,
  virtualRequest,
} from './lookup-requests.js'

/**
 * Returns the configuration with the known addresses. A service whose name resolves to the address of another service
 * gets no id, because the kernel cannot distinguish the two; `clashes` has a sentence for each such service.
 */
export function resolveConfig(
  config: Config,
  names: Names,
): { readonly config: ResolvedConfig; readonly clashes: readonly string[] } {
  const taken = new Map(
    config.services.flatMap(service =>
      virtualsOf(service).flatMap(virtual => {
        const id = idAsWritten(virtual)
        return id ? [[keyOfService(id), service.name] as const] : []
      }),
    ),
  )
  const clashes: string[] = []
  const services = config.services.map(service => {
    const resolved = resolveService(service, names)
    const request = virtualRequest(service.virtual)
    if (!request || !resolved.id) return resolved
    const key = keyOfService(resolved.id)
    const other = taken.get(key)
    if (other === undefined) taken.set(key, service.name)
    else
      clashes.push(`"${service.name}" is left out: ${request.host} resolves to ${key}, which is "${other}"`)
    return other === undefined ? resolved : { ...resolved, id: null }
  })
  return { config: { ...config, services }, clashes }
}

function resolveService(service: Service, names: Names): ResolvedService {
  const { also, ...own } = service
  const { virtual, reals, fallback } = own
  const request = virtualRequest(virtual)
  const id = request ? idOf(virtual, addressOf(request, names)) : idAsWritten(virtual)
  const family = id ? familyOf(id) : virtual.family
  return {
    ...own,
    ...(also && { also: also.map(one => resolveFurther(one, names)) }),
    id,
    reals: reals.map(real => resolveReal(real, family, names)),
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
