/**
 * A site with a chosen number of real servers: the services of a configuration, again and again, each time with other addresses.
 * Names are not looked up: they get made-up addresses. Nothing is sent to any of them.
 */
import { type Address, type Family, parseAddress } from '../core/address.js'
import type {
  Config,
  ResolvedConfig,
  ResolvedFurtherAddress,
  ResolvedMember,
  ResolvedReal,
  ResolvedService,
  ServiceId,
  Virtual,
} from '../core/model.js'
import { familyOf, idOf } from '../core/model.js'
import { resolveConfig } from '../names/resolve-config.js'

/** First mark of copies of services with firewall marks. */
const FIRST_MARK = 0x10000

/** Returns the configuration with made-up addresses for names, and with this many real servers (null: with its own). */
export function enlarged(config: Config, reals: number | null): ResolvedConfig {
  const { services } = resolveConfig(config, new Map()).config
  const own = countReals(services)
  if (own === 0) return { ...config, services }
  const wanted = reals ?? own
  const addresses = new Addresses()
  const all: ResolvedService[] = []
  for (let copy = 0, left = wanted; left > 0; copy++)
    for (const service of services) {
      if (left <= 0) break
      const part = copyOf({ ...service, reals: service.reals.slice(0, left) }, copy, addresses)
      left -= part.reals.length
      all.push(part)
    }
  return { ...config, services: all }
}

export function countReals(services: readonly ResolvedService[]): number {
  return services.reduce((sum, { reals }) => sum + reals.length, 0)
}

/** Gives out addresses. Equal hosts of one copy get the same one. */
class Addresses {
  readonly #known = new Map<string, Address>()
  #marks = FIRST_MARK

  of(host: string, family: Family, copy: number): Address {
    const key = `${copy} ${family} ${host}`
    const address = this.#known.get(key) ?? madeUp(this.#known.size, family)
    this.#known.set(key, address)
    return address
  }

  nextMark(): number {
    return this.#marks++
  }
}

/** Returns an address of a range that no network uses: of fdff:ffff::/32, or of 240.0.0.0/4 (RFC 1112). */
function madeUp(index: number, family: Family): Address {
  const text =
    family === 'ipv6'
      ? `fdff:ffff::${((index >> 16) & 0xffff).toString(16)}:${((index & 0xffff) + 1).toString(16)}`
      : `${240 + ((index >> 24) & 7)}.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
  return parseAddress(text) as Address
}

/** Copy 0 is the service itself: literal addresses stay. */
function copyOf(service: ResolvedService, copy: number, addresses: Addresses): ResolvedService {
  const suffix = copy === 0 ? '' : `~${copy + 1}`
  const family = service.id ? familyOf(service.id) : (service.virtual.family ?? 'ipv6')
  const idFor = (virtual: Virtual, id: ServiceId | null) => copiedId(virtual, id, { copy, family, addresses })
  const member = <M extends ResolvedMember>(one: M, of: Family): M => ({
    ...one,
    address:
      copy === 0 && one.address
        ? one.address
        : addresses.of(one.host, one.address?.family ?? one.family ?? of, copy),
  })
  const realOf = (real: ResolvedReal): ResolvedReal => {
    const copied = member(real, family)
    const checks = real.checks.map(use => {
      const known = copy === 0 ? use.address : null
      const other =
        use.host === null ? copied.address : addresses.of(use.host, use.address?.family ?? family, copy)
      return { ...use, address: known ?? other }
    })
    return { ...copied, checks }
  }
  const furtherOf = (one: ResolvedFurtherAddress): ResolvedFurtherAddress => ({
    ...one,
    id: idFor(one.virtual, one.id),
    fallback: one.fallback && member(one.fallback, familyOf(one.id)),
  })
  const { part, also, multihomed: _, ...own } = service
  return {
    ...own,
    name: `${service.name}${suffix}`,
    ...(part && { part: { of: `${part.of}${suffix}`, first: `${part.first}${suffix}` } }),
    id: idFor(service.virtual, service.id),
    ...(also && { also: also.map(furtherOf) }),
    fallback: service.fallback && member(service.fallback, family),
    reals: service.reals.map(realOf),
  }
}

function copiedId(
  virtual: Virtual,
  id: ServiceId | null,
  {
    copy,
    family,
    addresses,
  }: { readonly copy: number; readonly family: Family; readonly addresses: Addresses },
): ServiceId {
  if (copy === 0 && id) return id
  if (virtual.kind === 'fwmark') return { ...virtual, fwmark: addresses.nextMark() }
  const address = addresses.of(`virtual ${virtual.host}`, id ? familyOf(id) : family, copy)
  return idOf(virtual, address) as ServiceId
}
