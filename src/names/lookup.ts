/**
 * Looks up addresses of names, and names of addresses, without blocking a thread.
 *
 * getaddrinfo of the C library blocks a thread of libuv's pool for each name, for half a minute if the name server does
 * not answer. The pool has four threads and also serves file access. Therefore /etc/hosts is parsed here, and name
 * servers are queried through c-ares, which is part of Node. /etc/resolv.conf (servers, search list, ndots, timeout,
 * attempts, rotate) and its environment variables are supported. Both files are read again when they change.
 *
 * Only the C library supports sources of /etc/nsswitch.conf other than files and dns (mDNS, the machine's own name by
 * systemd, LDAP). It is called, for one name at a time, if such a source is configured and the other sources do not
 * have the name. Not supported: the order of the sources and their actions (files come first, then dns), sortlist, and
 * link-local name servers with a zone, which c-ares cannot reach; if there is no other server, the C library is called.
 */
import { type Address, bytesOf, type Family, parseAddress } from '../core/address.js'
import { openQuestions, type Questions } from './dns-queries.js'
import { type Hosts, isLocalhost, parseHosts } from './hosts.js'
import { type HostSources, parseNsswitch } from './nsswitch.js'
import { candidates, parseResolvConf, type ResolvConf } from './resolv-conf.js'
import { systemFile } from './system-file.js'

/** Canonical addresses, the preferred one first, or an error code. */
export type Answer = { readonly addresses: readonly string[] } | { readonly code: string }

export interface Resolver {
  /** Never rejects. */
  addresses(name: string, family: Family): Promise<Answer>
  /** Returns the names of an address: empty if it has none, null if the look-up fails. Never rejects. */
  names(address: Address): Promise<readonly string[] | null>
  /** Cancels the pending look-ups. */
  close(): void
}

export interface ResolverParts {
  readonly hosts?: string
  readonly resolvConf?: string
  readonly nsswitch?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Port of the name servers, for tests. */
  readonly port?: number
  /** Looks up addresses through the C library. */
  readonly system?: (name: string, family: Family) => Promise<readonly string[]>
}

/** Codes that state that the name, or a record of the type, does not exist. They are answers, not failures. */
const NOT_THERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA'])
/** Codes after which the other candidates of a name are not queried, because they would fail too. */
const SILENT: ReadonlySet<string> = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED', 'ENONAME'])

export function openResolver(parts: ResolverParts = {}): Resolver {
  return new SystemResolver(parts)
}

class SystemResolver implements Resolver {
  readonly #hosts: () => Hosts
  readonly #conf: () => ResolvConf
  readonly #sources: () => HostSources
  readonly #port: number
  readonly #system: NonNullable<ResolverParts['system']>
  #questions: Questions | null = null
  #isClosed = false
  /** The last call of the C library. Calls run one after another. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(parts: ResolverParts) {
    const { env = process.env, port = 53, system = bySystem } = parts
    this.#hosts = systemFile(parts.hosts ?? '/etc/hosts', parseHosts)
    this.#conf = systemFile(parts.resolvConf ?? '/etc/resolv.conf', text => parseResolvConf(text, env))
    this.#sources = systemFile(parts.nsswitch ?? '/etc/nsswitch.conf', parseNsswitch)
    this.#port = port
    this.#system = system
  }

  async addresses(name: string, family: Family): Promise<Answer> {
    const literal = parseAddress(name)
    if (literal) return literal.family === family ? { addresses: [literal.text] } : { code: 'ENODATA' }
    const here = this.#hosts().addressesOf(name, family)
    if (here.length > 0) return { addresses: here }
    if (isLocalhost(name)) return { code: 'ENODATA' }
    const found = await this.#fromDns(name, family)
    if ('addresses' in found || !NOT_THERE.has(found.code)) return found
    return this.#sources().others || this.#ask().isEmpty ? this.#fromSystem(name, family, found) : found
  }

  async names({ text, family }: Address): Promise<readonly string[] | null> {
    const here = this.#hosts().namesOf(text)
    if (here.length > 0) return here
    if (!this.#sources().dns) return []
    const found = await this.#ask().pointers(pointerName(text, family))
    if (typeof found !== 'string') return found
    return NOT_THERE.has(found) ? [] : null
  }

  close(): void {
    this.#isClosed = true
    this.#questions?.close()
  }

  /** Returns the queries to the servers of the current resolv.conf. Queries to the previous servers are cancelled. */
  #ask(): Questions {
    const conf = this.#conf()
    if (this.#questions?.conf === conf) return this.#questions
    this.#questions?.close()
    this.#questions = openQuestions(conf, this.#port)
    return this.#questions
  }

  async #fromDns(name: string, family: Family): Promise<Answer> {
    if (!this.#sources().dns) return { code: 'ENOTFOUND' }
    const questions = this.#ask()
    if (questions.isEmpty) return { code: 'ENOTFOUND' }
    let worst = 'ENOTFOUND'
    for (const candidate of candidates(name, questions.conf)) {
      const code = await questions.addresses(candidate, family)
      if (typeof code !== 'string') return { addresses: code }
      if (code === 'ECANCELLED' && !this.#isClosed && this.#ask() !== questions)
        return this.#fromDns(name, family)
      if (SILENT.has(code)) return { code }
      // If one candidate fails and the others do not exist, the result is the failure.
      if (!NOT_THERE.has(code) || worst === 'ENOTFOUND') worst = code
    }
    return { code: worst }
  }

  #fromSystem(name: string, family: Family, before: Answer): Promise<Answer> {
    const asked = this.#last.then(async (): Promise<Answer> => {
      if (this.#isClosed) return before
      const found = await this.#system(name, family).catch(() => [])
      return found.length > 0 ? { addresses: found } : before
    })
    this.#last = asked
    return asked
  }
}

async function bySystem(name: string, family: Family): Promise<readonly string[]> {
  const { lookup } = await import('node:dns/promises')
  const found = await lookup(name, { family: family === 'ipv6' ? 6 : 4, all: true, order: 'verbatim' })
  return found.flatMap(({ address }) => parseAddress(address)?.text ?? [])
}

/** Returns the name of a PTR record: `1.2.0.192.in-addr.arpa`, or the nibbles of an IPv6 address below ip6.arpa. */
export function pointerName(text: string, family: Family): string {
  if (family === 'ipv4') return `${text.split('.').reverse().join('.')}.in-addr.arpa`
  const bytes = bytesOf({ family, text, zone: null })
  const nibbles = [...bytes].flatMap(byte => [byte >> 4, byte & 15]).map(nibble => nibble.toString(16))
  return `${nibbles.reverse().join('.')}.ip6.arpa`
}
