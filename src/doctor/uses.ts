/** What a configuration uses, as far as hazards depend on it. Pure. */
import { type Address, bytesOf, type Family, parseAddress } from '../core/address.js'
import { kernelServices } from '../core/kernel-services.js'
import { type Forwarding, familyOf, type ResolvedConfig, type ResolvedService } from '../core/model.js'
import type { Facts, LocalAddress, Prefix, Source } from './facts.js'

/** Returns the services of the kernel; none without a configuration. Those of one service have the same name. */
export function servicesOf({ site }: Facts): readonly ResolvedService[] {
  return (site?.config?.services ?? []).flatMap(kernelServices)
}

export function namesOf(services: readonly ResolvedService[]): readonly string[] {
  return [...new Set(services.map(({ name }) => name))]
}

/** Returns the forwarding methods of a service's servers, its fallback included. */
export function forwardingsOf({ reals, fallback }: ResolvedService): ReadonlySet<Forwarding> {
  const members = fallback ? [...reals, fallback] : reals
  return new Set(members.map(({ attributes }) => attributes.forwarding))
}

export function withForwarding(facts: Facts, ...methods: readonly Forwarding[]): readonly ResolvedService[] {
  return servicesOf(facts).filter(service => methods.some(method => forwardingsOf(service).has(method)))
}

/** Returns the family that clients use; null while the name of the service is not resolved. */
export function clientFamily({ id, virtual }: ResolvedService): Family | null {
  if (id) return familyOf(id)
  return virtual.family
}

export function ofFamily(services: readonly ResolvedService[], family: Family): readonly ResolvedService[] {
  return services.filter(service => clientFamily(service) === family)
}

export interface VirtualAddress {
  readonly address: Address
  readonly services: readonly ResolvedService[]
}

/** Returns the distinct virtual addresses, each with its services. */
export function virtualAddresses(config: ResolvedConfig): readonly VirtualAddress[] {
  const found = new Map<string, { address: Address; services: ResolvedService[] }>()
  for (const service of config.services.flatMap(kernelServices)) {
    if (service.id?.kind !== 'address') continue
    const { address } = service.id
    const entry = found.get(address.text) ?? { address, services: [] }
    entry.services.push(service)
    found.set(address.text, entry)
  }
  return [...found.values()]
}

export interface VirtualSource extends VirtualAddress {
  /** Addresses of the servers for which the kernel chooses it. */
  readonly servers: readonly string[]
  /** The address that lvsd binds checks of these servers to instead; null: none. */
  readonly bound: string | null
}

/** Returns the virtual addresses that the kernel chooses as source for a server other than the address itself. */
export function virtualSourcesIn(
  config: ResolvedConfig,
  sources: ReadonlyMap<string, Source>,
): readonly VirtualSource[] {
  return virtualAddresses(config).flatMap(virtual => {
    const text = withoutZone(virtual.address.text)
    const serversOf = new Map<string | null, string[]>()
    for (const [server, chosen] of sources) {
      if (!('address' in chosen) || chosen.address !== text || server === text) continue
      const { bound = null } = chosen
      serversOf.set(bound, [...(serversOf.get(bound) ?? []), server])
    }
    return [...serversOf].map(([bound, servers]) => ({ ...virtual, servers, bound }))
  })
}

/** Returns the addresses of this machine that are equal to this one, each with its interface. */
export function localAddresses({ machine }: Facts, address: Address): readonly LocalAddress[] {
  const text = withoutZone(address.text)
  return (machine.addresses ?? []).filter(local => local.text === text)
}

/** True if packets to this address are for this machine. Null if that is not known. */
export function isLocal(facts: Facts, address: Address): boolean | null {
  if (localAddresses(facts, address).length > 0) return true
  const { localRoutes, addresses } = facts.machine
  if (localRoutes?.some(prefix => contains(prefix, address))) return true
  return localRoutes === null || addresses === null ? null : false
}

function contains({ address, family, length }: Prefix, wanted: Address): boolean {
  const own = parseAddress(address)
  if (!own || family !== wanted.family) return false
  const [a, b] = [bytesOf(own), bytesOf(wanted)]
  return a.every((byte, i) => {
    const bits = Math.max(0, Math.min(8, length - i * 8))
    const mask = (0xff << (8 - bits)) & 0xff
    return (byte & mask) === ((b[i] ?? 0) & mask)
  })
}

export function withoutZone(text: string): string {
  return text.split('%')[0] ?? text
}

/** True if this kernel is at least `major.minor`. Null if its release is not known. */
export function isAtLeast(release: string | null, major: number, minor: number): boolean | null {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '')
  if (!match) return null
  const [own, ownMinor] = [Number(match[1]), Number(match[2])]
  return own > major || (own === major && ownMinor >= minor)
}
