/** Names in the configuration: resolved aside, refreshed, the last good address kept. Never in the way of anything. */
import { lookup } from 'node:dns/promises'
import { type Family, parseAddress } from './address.js'
import { type Config, familyOf, keyOfService, type Real, type Service } from './model.js'

/** Addresses by `nameKey`. */
export type Names = ReadonlyMap<string, string>

interface Wish {
  readonly host: string
  /** Null: IPv6 where there is one, else IPv4. */
  readonly family: Family | null
}

/** What has to be resolved: every host without an address, once for each family it is asked in. */
export function namesOf(config: Config): Map<string, Wish> {
  const wishes = new Map<string, Wish>()
  const ask = (host: string, family: Family | null) => wishes.set(nameKey(host, family), { host, family })
  for (const service of config.services) {
    if (service.unresolved) ask(service.host, service.unresolved.family)
    for (const member of membersOf(service))
      if (member.address === null) ask(member.host, memberFamily(service, member))
    for (const { host } of service.reals.flatMap(({ checks }) => checks))
      if (host !== undefined) ask(host, null)
  }
  return wishes
}

/**
 * The configuration with every known name filled in. A service whose name resolves to what is another service already
 * goes without an address: the kernel could not keep the two apart. That is told in sentences. Pure.
 */
export function withNames(
  config: Config,
  names: Names,
): { readonly config: Config; readonly clashes: readonly string[] } {
  if (namesOf(config).size === 0) return { config, clashes: [] }
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
 * Resolves the wishes, all at once. A name that fails keeps its entry in `names`; the failures come back as sentences.
 */
export async function resolveNames(
  wishes: ReadonlyMap<string, Wish>,
  names: Names,
): Promise<{ names: Names; failures: readonly string[] }> {
  const next = new Map<string, string>()
  const failures: string[] = []
  const one = async ([key, { host, family }]: [string, Wish]) => {
    const found = await addressOfName(host, family).catch((error: NodeJS.ErrnoException) => error)
    if (typeof found === 'string') return void next.set(key, found)
    failures.push(`${host} does not resolve (${found.code ?? found.message})`)
    const known = names.get(key)
    if (known !== undefined) next.set(key, known)
  }
  await Promise.all([...wishes].map(one))
  failures.sort()
  return { names: next, failures }
}

async function addressOfName(host: string, family: Family | null): Promise<string> {
  const wanted = family === null ? 0 : family === 'ipv6' ? 6 : 4
  const found = await lookup(host, { family: wanted, all: true, order: 'verbatim' })
  const best = found.find(entry => entry.family === 6) ?? found[0]
  if (!best) throw Object.assign(new Error('no address'), { code: 'ENODATA' })
  return parseAddress(best.address)?.text ?? best.address
}

function nameKey(host: string, family: Family | null): string {
  return family === null ? host : `${host} ${family}`
}

function membersOf(service: Service) {
  return service.fallback ? [...service.reals, service.fallback] : service.reals
}

/** A real server is looked for in its service's family; through a tunnel the other family will do too. */
function memberFamily(service: Service, member: ReturnType<typeof membersOf>[number]): Family | null {
  if (!['gate', 'masq'].includes(member.attributes.forwarding)) return null
  return service.id ? familyOf(service.id) : (service.unresolved?.family ?? null)
}

function serviceWithNames(service: Service, names: Names): Service {
  const virtual =
    service.unresolved && parseAddress(names.get(nameKey(service.host, service.unresolved.family)) ?? '')
  const named: Service =
    virtual && service.unresolved
      ? { ...service, id: { kind: 'address', address: virtual, ...pickEnds(service.unresolved) } }
      : service
  const fill = <M extends ReturnType<typeof membersOf>[number]>(member: M): M =>
    member.address
      ? member
      : {
          ...member,
          address: parseAddress(names.get(nameKey(member.host, memberFamily(service, member))) ?? ''),
        }
  const reals = service.reals.map(fill).map(real => withCheckHosts(real, names))
  return { ...named, reals, fallback: service.fallback && fill(service.fallback) }
}

/** Checks that are sent to a server with a name. */
function withCheckHosts(real: Real, names: Names): Real {
  if (real.checks.every(({ host }) => host === undefined)) return real
  const checks = real.checks.map(use =>
    use.host === undefined
      ? use
      : { ...use, address: parseAddress(names.get(nameKey(use.host, null)) ?? '') },
  )
  return { ...real, checks }
}

function pickEnds({ protocol, port }: NonNullable<Service['unresolved']>) {
  return { protocol, port }
}
