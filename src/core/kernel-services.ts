/**
 * A service with several addresses is one service with one health, and several services in the kernel. Pure.
 *
 *   forwarding       family of the real server   in the tables of
 *   masq, gate       that of the address         the addresses of its family
 *   ipip, gue, gre   any                         all addresses
 */
import type { Family } from './address.js'
import { literalAddress } from './address.js'
import {
  type Forwarding,
  familyOf,
  keyOfService,
  type Real,
  type ResolvedMember,
  type ResolvedReal,
  type ResolvedService,
  type Service,
  type ServiceId,
  type Virtual,
} from './model.js'

/** Forwarding methods that reach real servers of the other family. */
export const TUNNELS: ReadonlySet<Forwarding> = new Set(['ipip', 'gue', 'gre'])

const known = new WeakMap<ResolvedService, readonly ResolvedService[]>()
const names = new WeakMap<ResolvedService, string>()

/**
 * Returns the services of the kernel: for each address, the service as it would be with this address alone. Its real
 * servers are the same objects. Most services have one address, and are returned as they are.
 */
export function kernelServices(service: ResolvedService): readonly ResolvedService[] {
  if (!service.also) return [service]
  const before = known.get(service)
  if (before) return before
  const split = splitService(service)
  known.set(service, split)
  return split
}

function splitService({ also = [], ...first }: ResolvedService): readonly ResolvedService[] {
  const family = first.virtual.family
  const withReals = (one: ResolvedService) => ({
    ...one,
    reals: first.reals.filter(real => serves(real, one.virtual.family, family)),
  })
  const further = also.map(({ id, virtual, attributes, fallback }) => {
    const one = withReals({ ...first, id, virtual, attributes, fallback })
    names.set(one, `${first.name} ${keyOfService(id)}`)
    return one
  })
  return [withReals(first), ...further]
}

/** Returns a unique name of a service of the kernel. It is that of the configuration for the first address. */
export function nameOfKernelService(service: ResolvedService): string {
  return names.get(service) ?? service.name
}

/** Returns the services of the kernel that this real server is in. */
export function kernelServicesOf(service: ResolvedService, real: ResolvedReal): readonly ResolvedService[] {
  if (!service.also) return [service]
  const { family } = service.virtual
  return kernelServices(service).filter(one => serves(real, one.virtual.family, family))
}

/**
 * True if a service of the kernel for clients of `family` can have this real server. `ofService`: the family of the
 * first address.
 */
export function serves(real: Real, family: Family | null, ofService: Family | null): boolean {
  return TUNNELS.has(real.attributes.forwarding) || familyOfReal(real, ofService) === family
}

/** Returns the family of a real server's address. A name has that of the service, unless it has its own. */
export function familyOfReal({ host, family }: Real, ofService: Family | null): Family | null {
  return family ?? literalAddress(host)?.family ?? ofService
}

/** Returns all addresses of a service as written, the first one first. */
export function virtualsOf({ virtual, also = [] }: Service): readonly Virtual[] {
  return [virtual, ...also.map(one => one.virtual)]
}

/** Returns the ids of all services of the kernel whose address is known. */
export function idsOf({ id, also = [] }: Pick<ResolvedService, 'id' | 'also'>): readonly ServiceId[] {
  const others = also.map(one => one.id)
  return id ? [id, ...others] : others
}

/** Returns the keys of `idsOf`. */
export function keysOfKernel(service: Pick<ResolvedService, 'id' | 'also'>): readonly string[] {
  return idsOf(service).map(keyOfService)
}

/** Returns the fallbacks of all addresses. */
export function fallbacksOf({ fallback, also = [] }: ResolvedService): readonly ResolvedMember[] {
  return [fallback, ...also.map(one => one.fallback)].filter(one => one !== null)
}

/** Returns the families that clients use. */
export function familiesOf(service: ResolvedService): readonly Family[] {
  const { id, virtual } = service
  const first = id ? familyOf(id) : virtual.family
  const others = (service.also ?? []).map(one => familyOf(one.id))
  return [...new Set([...(first ? [first] : []), ...others])]
}

/** What every service of the kernel that is known says: true if all do, false if one does not, null if that is open. */
export function inAll(answers: readonly (boolean | null)[]): boolean | null {
  if (answers.includes(false)) return false
  return answers.includes(null) ? null : true
}
