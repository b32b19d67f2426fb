/** Finds the services and real servers that a person means by a word such as `web`, `web/::3` or `all`. Pure. */
import { parseAddress } from '../core/address.js'
import { addressesOf, type Multihomed } from '../core/multihomed.js'
import { didYouMeanOf } from '../util/closest-match.js'

/** A service by its name, and its real servers by theirs (`[2001:db8::1]:80`). */
export interface Named {
  readonly service: string
  readonly reals: readonly string[]
  /** Those that are one machine; absent: none. */
  readonly multihomed?: Multihomed
}

/** server: all addresses of a real server that has several. address: the one that is named. */
export type Scope = 'server' | 'address'

/** `real` is null for a service as a whole. */
export interface NamedTarget {
  readonly service: string
  readonly real: string | null
}

/** A word that means nothing, or several things: a sentence that names what there is. */
export class TargetError extends Error {}
/** The word may be any of several real servers. */
export class AmbiguousTarget extends TargetError {}

/**
 * Returns what `word` means: `all`, a service, or SERVICE/REAL, where REAL is the name of a real server, its address, or
 * the end of either that only one server of the service has. A service of several parts is meant as a whole by the name
 * before its protocol and port (`mail` for `mail/tcp/25`). Throws a TargetError.
 */
export function targetsNamed(
  word: string,
  services: readonly Named[],
  scope: Scope = 'address',
): readonly NamedTarget[] {
  if (word === 'all') return services.map(({ service }) => ({ service, real: null }))
  const whole = servicesNamed(word, services)
  if (whole.length > 0) return whole.map(({ service }) => ({ service, real: null }))
  // The longest name first: names may contain slashes.
  const candidates = services
    .flatMap(({ service }) => prefixesOf(service))
    .filter(name => word.startsWith(`${name}/`))
    .sort((a, b) => b.length - a.length)
  const [name] = candidates
  if (name === undefined) throw new TargetError(unknownService(word, services))
  return realsNamed(word.slice(name.length + 1), name, servicesNamed(name, services), scope)
}

/**
 * Splits SERVICE/REAL into both, where a service of this name exists and none is called as the whole word. Null: the
 * word is anything else.
 */
export function splitTarget(word: string, services: readonly string[]): readonly [string, string] | null {
  const names = services.flatMap(prefixesOf)
  if (names.includes(word)) return null
  const [name] = names.filter(one => word.startsWith(`${one}/`)).sort((a, b) => b.length - a.length)
  return name === undefined ? null : [name, word.slice(name.length + 1)]
}

/** The service of this name, else the parts of the service that has it. */
function servicesNamed(name: string, services: readonly Named[]): readonly Named[] {
  const exact = services.filter(({ service }) => service === name)
  return exact.length > 0 ? exact : services.filter(({ service }) => service.startsWith(`${name}/`))
}

/** `mail/tcp/25` is meant by `mail/tcp/25`, `mail/tcp` and `mail`. */
function prefixesOf(service: string): string[] {
  const words = service.split('/')
  return words.map((_, i) => words.slice(0, i + 1).join('/'))
}

function unknownService(word: string, services: readonly Named[]): string {
  const [name = ''] = word.split('/')
  const server = canonical(word)
  const holder = services.find(({ reals }) => reals.some(real => formsOf(real).includes(server)))
  const meant = holder
    ? `; did you mean "${holder.service}/${word}"?`
    : didYouMeanOf(
        name,
        services.map(({ service }) => service),
      )
  return `there is no service "${name}"${meant}`
}

/**
 * Returns what `word` means among the real servers of the service `name`, which has these parts. Throws a TargetError.
 */
export function realsNamed(
  word: string,
  name: string,
  members: readonly Named[],
  scope: Scope = 'address',
): readonly NamedTarget[] {
  const all = members.flatMap(({ service, reals }) => reals.map(real => ({ service, real })))
  const exact = all.filter(({ real }) => formsOf(real).includes(canonical(word)))
  const found = exact.length > 0 ? exact : all.filter(({ real }) => hasEnd(real, word))
  if (found.length === 0) {
    const known = new Set(all.map(({ real }) => real))
    throw new TargetError(`"${name}" has no real server "${word}"${didYouMeanOf(word, known)}`)
  }
  const servers = scope === 'server' ? serversOf(found, members) : found.map(one => [one])
  // A server may be in each part of a service once.
  if (new Set(servers.map(([one]) => one?.service)).size < servers.length) {
    const names = new Set(found.map(({ real }) => real))
    throw new AmbiguousTarget(
      `"${word}" may be any of several real servers of "${name}": ${[...names].join(', ')}`,
    )
  }
  return servers.flat()
}

type FoundReal = NamedTarget & { readonly real: string }

/** Returns the servers that have these addresses, each with all of its addresses. */
function serversOf(
  found: readonly FoundReal[],
  members: readonly Named[],
): readonly (readonly FoundReal[])[] {
  const servers = new Map<string, readonly FoundReal[]>()
  for (const { service, real } of found) {
    const names = addressesOf(real, members.find(one => one.service === service)?.multihomed)
    servers.set(
      `${service} ${names[0]}`,
      names.map(name => ({ service, real: name })),
    )
  }
  return [...servers.values()]
}

/** Returns the names of real servers of which the word is the end: `::3` of `[fd00::3]:80`. */
export function namesWithEnd(names: readonly string[], word: string): readonly string[] {
  return names.filter(name => hasEnd(name, word))
}

/** `[fd00::3]:80` is called `[fd00::3]:80`, `[fd00::3]` and `fd00::3`. */
function formsOf(real: string): readonly string[] {
  const host = real.replace(/:\d+$/, '')
  return [real, host, host.replace(/^\[(.*)\]$/, '$1')]
}

function hasEnd(real: string, word: string): boolean {
  return word !== '' && formsOf(real).some(form => form.endsWith(word))
}

/** The address in its canonical form, `FD00:0::3` as `fd00::3`; any other word as it is. */
function canonical(word: string): string {
  const [, host = '', port = ''] = /^(\[.*\]|[^[\]]*?)(:\d+)?$/.exec(word) ?? []
  if (parseAddress(word)) return parseAddress(word)?.text ?? word
  const address = parseAddress(host)
  return address ? `${address.family === 'ipv6' ? `[${address.text}]` : address.text}${port}` : word
}
