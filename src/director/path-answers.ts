/**
 * Whether this machine takes the answers of checks through the paths of services. They come from the virtual address. Where
 * that is an address of this machine, IPv4 takes them only with the sysctl accept_local on the interface
 * (ip-sysctl.rst, fib_validate_source).
 */
import type { OwnAddress } from '../core/check-source.js'
import type { ServicePath } from '../core/service-path.js'
import type { Paths } from '../netlink/paths.js'
import { readSysctl } from '../system/sysctl.js'

export interface PathAnswersParts {
  readonly paths: Pick<Paths, 'routeTo' | 'addresses' | 'link'>
  /** Returns the value of a sysctl; undefined or null: it is not known. */
  readonly read?: (name: string) => string | null | undefined
  /** Milliseconds of the steady clock. */
  now(): number
}

type ValueOn = (link: number, key: string) => number

/** The addresses of this machine, and its sysctls. */
interface Machine {
  readonly own: ReadonlyMap<string, OwnAddress>
  readonly valueOn: ValueOn
  readonly at: number
}

/** Milliseconds for which the addresses and sysctls of this machine stay as they were found. */
const RECENT = 20
/** Milliseconds for which the interface to a real server stays as it was found. */
const VALID_FOR = 60_000

export class PathAnswers {
  readonly #parts: PathAnswersParts
  #known: Machine | null = null
  readonly #links = new Map<string, { readonly link: number | null; readonly at: number }>()

  constructor(parts: PathAnswersParts) {
    this.#parts = parts
  }

  /** Returns why the answers of a path would be dropped, by its key. Throws an error of netlink. */
  refusals(paths: Iterable<ServicePath>): ReadonlyMap<string, string> {
    const found = new Map<string, string>()
    const asked = [...paths].filter(needsAcceptance)
    if (asked.length === 0) return found
    const { own, valueOn } = this.#machine()
    const links = new Set([...own.values()].map(({ link }) => link))
    // Then the interface to each server need not be asked for: a request takes some 10 µs.
    if ([...links].every(link => valueOn(link, 'accept_local') > 0 && valueOn(link, 'rp_filter') !== 1))
      return found
    for (const path of asked) {
      const holder = own.get(path.virtual.text)
      const why = holder ? this.#refusal(path, holder, valueOn) : null
      if (why !== null) found.set(path.key, why)
    }
    return found
  }

  /** Many checks that fail at once are one question. */
  #machine(): Machine {
    const now = this.#parts.now()
    if (this.#known && now - this.#known.at < RECENT) return this.#known
    const own = new Map(this.#parts.paths.addresses().map(each => [each.address.text, each]))
    this.#known = { own, valueOn: this.#valuesOn(), at: now }
    return this.#known
  }

  #refusal(path: ServicePath, holder: OwnAddress, valueOn: ValueOn): string | null {
    const index = this.#linkTo(path)
    const name = index === null ? null : this.#nameOf(index)
    if (index === null || name === null) return null
    const value = (key: string) => valueOn(index, key)
    const source = `answers from ${path.virtual.text}, an address of this machine`
    if (value('accept_local') === 0)
      return `the kernel drops ${source}: set the sysctl net.ipv4.conf.${name}.accept_local to 1`
    if (value('rp_filter') === 1 && holder.link !== index)
      return `the kernel drops ${source} that is not on ${name}, because rp_filter is strict: set net.ipv4.conf.${name}.rp_filter to 2`
    return null
  }

  /** What the kernel uses for an interface is the larger one of its value and that of `all`. */
  #valuesOn(): ValueOn {
    const read = remembering(this.#parts.read ?? readSysctl)
    return (link, key) => Math.max(read(`all.${key}`), read(`${this.#nameOf(link) ?? 'all'}.${key}`))
  }

  /** As sysctls write it, with slashes for dots. */
  #nameOf(link: number): string | null {
    return this.#parts.paths.link(link)?.name.replaceAll('.', '/') ?? null
  }

  #linkTo({ real: { address } }: ServicePath): number | null {
    const now = this.#parts.now()
    const known = this.#links.get(address.text)
    if (known && now - known.at < VALID_FOR) return known.link
    const route = this.#parts.paths.routeTo(address)
    const link = route?.kind === 'by' ? route.link : null
    this.#links.set(address.text, { link, at: now })
    return link
  }
}

/** With NAT the kernel translates the source before an application sees it, and it is no local address before. */
function needsAcceptance({ virtual, real }: ServicePath): boolean {
  return virtual.family === 'ipv4' && real.forwarding !== 'masq'
}

/** Reads each value of net.ipv4.conf once. An unknown one counts as 1: the check then shows what happens. */
function remembering(read: NonNullable<PathAnswersParts['read']>): (name: string) => number {
  const known = new Map<string, number>()
  return name => {
    const value = known.get(name) ?? Number(read(`net.ipv4.conf.${name}`) ?? 1)
    known.set(name, value)
    return value
  }
}
