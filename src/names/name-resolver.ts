/**
 * Resolves the names of a configuration: looks them up periodically, stores addresses in the journal, reports changes.
 */
import type { Family } from '../core/address.js'
import type { Config, ResolvedConfig, ResolvedMember, ResolvedService } from '../core/model.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import type { Sliced } from '../util/time-slice.js'
import { choose, inUse, isAwaited, isFailure, troubleOf } from './choice.js'
import type { Answer, Resolver } from './lookup.js'
import {
  familyOfService,
  handedOn,
  hasNames,
  keyOfRequest,
  type LookupRequest,
  memberRequest,
  membersOf,
  type Names,
  requestsOf,
  virtualRequest,
  type Wanted,
} from './lookup-requests.js'
import { type Resolved, resolveConfig, resolvingConfig } from './resolve-config.js'
import type { Doubt, Doubts } from './unresolved-names.js'

/**
 * A sentence for each service, real server or fallback whose name has no address, or no longer has the address in use:
 * the reason.
 */
export type NamesSnapshot = ReadonlyMap<ResolvedService | ResolvedMember, string>

export interface NameResolverParts {
  readonly resolver: Resolver
  readonly journal: Pick<Journal, 'names' | 'recordNames'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** Called when addresses or doubts differ from those of the last `resolve`, which must then be called again. */
  onNews(): void
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}

/**
 * Milliseconds until the lack of an address takes effect. An answer that there is no address counts only after this
 * time, because a name server that has just started, or a hosts file that is being written, gives such an answer
 * briefly. A failed look-up never means that there is no address; after this time an address of the other family is
 * used instead, if the request accepts it.
 */
const PATIENCE = 15_000

/** A name that has been looked up and has no address. */
interface Lack {
  /** True if the look-up failed, false if the answer is that there is no address. */
  readonly isFailure: boolean
  readonly since: number
}

/** Minimum milliseconds for which answers are collected before they are applied. */
const GATHER = 20
/**
 * Applying answers takes long with thousands of servers. The next collection lasts this many times as long, up to
 * `LONGEST_GATHER` milliseconds, so that other work can run.
 */
const REST_SHARE = 4
const LONGEST_GATHER = 2000
/** Milliseconds between two look-ups of names without an address. */
const MISSING_NAMES_EVERY = 5000
/** Maximum number of services named in a log line. */
const MOST_NAMED = 10

const FAMILIES: readonly Family[] = ['ipv6', 'ipv4']

/**
 * Look-ups of different names are independent, and a pending look-up is not repeated. Both families of every name are
 * looked up, so that messages can state which addresses a name has instead of the wanted one.
 */
export class NameResolver {
  readonly #parts: NameResolverParts
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #all: Poller
  readonly #missing: Poller
  readonly #answers = new Map<string, Map<Family, Answer>>()
  readonly #asking = new Set<string>()
  readonly #told = new Map<string, string>()
  /** Names without an address, by `keyOfRequest`. */
  #lacks: ReadonlyMap<string, Lack> = new Map()
  #config: Config | null = null
  #hosts: ReadonlySet<string> = new Set()
  #names: Names
  /** The addresses that the last `resolve` used. */
  #inForce: Names | null = null
  /** The doubts at the time of the last `resolve`. */
  #doubtsInForce = ''
  #clashes: readonly string[] = []
  /** What `resolve` returned last. */
  #resolved: Resolved | null = null
  /** What `preparing` has made; null after the next `resolve`. */
  #prepared: Resolved | null = null
  /** Cancels the alarm that applies the answers; null while none is set. */
  #cancelSettle: (() => void) | null = null
  #gather = GATHER
  #isClosed = false
  /** True while the journal cannot be written: logged once. */
  #isUnkept = false
  #waiting: (() => void)[] = []

  /** Starts with the addresses of earlier runs, from the journal. */
  constructor(parts: NameResolverParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    const { log } = parts
    this.#all = new Poller('names', () => this.refresh(), { log, clock: this.#clock })
    this.#missing = new Poller('missing names', () => this.refresh(true), { log, clock: this.#clock })
    this.#names = new Map(parts.journal.names)
  }

  /** Takes a configuration: looks up the names that are new, and forgets the names that are gone. */
  follow(config: Config): void {
    this.#config = config
    this.#hosts = new Set([...requestsOf(config, this.#names).values()].map(({ host }) => host))
    for (const host of this.#answers.keys()) if (!this.#hosts.has(host)) this.#answers.delete(host)
    for (const host of this.#hosts) if (!this.#answers.has(host)) this.#ask(host)
    if (this.#hosts.size === 0) return
    // Applied together with the configuration: else a service would be removed briefly if only `family:` of its name
    // changes.
    this.#names = handedOn(this.#names, config)
    this.#choose()
    this.#settleSoon()
  }

  /** Looks up all names every `ms` milliseconds, and names without an address more often, until `close`. */
  refreshEvery(ms: number): void {
    this.#all.every(ms)
    this.#missing.every(MISSING_NAMES_EVERY)
  }

  /** Looks up all names again, or with `isMissing` only names without an address. Pending look-ups are not repeated. */
  refresh(isMissing = false): void {
    const missing =
      isMissing && new Set(this.#wanted().flatMap(request => (this.#addressOf(request) ? [] : request.host)))
    const asked = missing || this.#hosts
    for (const host of asked) this.#ask(host)
    if (asked.size > 0) this.#settleSoon()
  }

  /**
   * Prepares `resolve` of a configuration with many new servers, in time slices. What follows from names is made again
   * by `resolve`, because they may have other addresses by then.
   */
  *preparing(config: Config): Sliced<ResolvedConfig> {
    const { config: resolved } = yield* resolvingConfig(config, this.#names, this.#resolved)
    this.#prepared = { read: config, config: resolved }
    return resolved
  }

  /** Returns the configuration with the known addresses. Logs each new clash. */
  resolve(config: Config): ResolvedConfig {
    const before = this.#prepared?.read === config ? this.#prepared : this.#resolved
    const { config: resolved, clashes } = resolveConfig(config, this.#names, before)
    this.#prepared = null
    this.#resolved = { read: config, config: resolved }
    for (const clash of clashes)
      if (!this.#clashes.includes(clash)) this.#parts.log.error('name.clash', {}, clash)
    this.#clashes = clashes
    this.#inForce = this.#names
    this.#doubtsInForce = this.#doubts
    return resolved
  }

  /** Returns the names in doubt of a configuration from `resolve`: those without an address that may have one. */
  doubtsIn(config: ResolvedConfig): Doubts {
    const doubts = new Map<ResolvedService | ResolvedMember, Doubt>()
    for (const [named, request] of namedIn(config)) {
      const doubt = this.#doubtOf(request)
      if (doubt !== null) doubts.set(named, doubt)
    }
    return doubts
  }

  /** Returns the sentences about the names of a configuration from `resolve`. */
  snapshot(config: ResolvedConfig): NamesSnapshot {
    const troubles = new Map<ResolvedService | ResolvedMember, string>()
    for (const [named, request] of namedIn(config)) {
      const trouble = this.#clashOf(named) ?? this.#standingTroubleOf(request)
      if (trouble !== null) troubles.set(named, trouble)
    }
    return troubles
  }

  /** Returns why the last `resolve` left the service out, or null. */
  #clashOf(named: ResolvedService | ResolvedMember): string | null {
    if (!('id' in named) || named.id !== null) return null
    return this.#clashes.find(sentence => sentence.startsWith(`"${named.name}" `)) ?? null
  }

  /** Returns a sentence for each service that the last `resolve` left out. */
  get clashes(): readonly string[] {
    return this.#clashes
  }

  /** Returns why a name has no address, or no longer has the address in use, as a sentence. Null without a problem. */
  troubleOf(request: LookupRequest): string | null {
    const address = this.#addressOf(request)
    const trouble = troubleOf(request, this.#answersOf(request.host), address)
    return address === null ? (trouble ?? `${request.host} is being looked up`) : trouble
  }

  /** Returns the sentence of `troubleOf` with the consequence for the running daemon. */
  #standingTroubleOf(request: LookupRequest): string | null {
    const trouble = this.troubleOf(request)
    if (trouble === null || this.#doubtOf(request) !== 'unanswered') return trouble
    if (request.other === 'always') return `${trouble}; checks of this target have no verdict`
    const end = this.#lacks.get(keyOfRequest(request))?.isFailure
      ? 'until there is an answer'
      : `until this has lasted for ${PATIENCE / 1000} s`
    return `${trouble}; its entries in the kernel stay unchanged ${end}`
  }

  /** Returns a sentence for each name without the wanted address, with the names of the services that need it. */
  troubles(): string[] {
    return this.#wanted().flatMap(request => {
      const trouble = troubleOf(request, this.#answersOf(request.host), this.#addressOf(request))
      return trouble === null ? [] : `${trouble} (${named(request.services)})`
    })
  }

  /** Resolves when all answers that have arrived are applied. Other look-ups may still be pending. */
  async settled(): Promise<void> {
    while (!this.#isClosed && this.#cancelSettle)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** Resolves when no pending look-up can change anything, and all answers are applied. */
  async idle(): Promise<void> {
    while (!this.#isClosed && (this.#cancelSettle || this.#isAwaiting))
      await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  close(): void {
    this.#isClosed = true
    void this.#all.stop()
    void this.#missing.stop()
    this.#cancelSettle?.()
    this.#wake()
  }

  get #isAwaiting(): boolean {
    return this.#wanted().some(request => this.#isAwaited(request))
  }

  /** All doubts as a text, for comparison. */
  get #doubts(): string {
    const doubts = this.#wanted().flatMap(request => {
      const doubt = this.#doubtOf(request)
      return doubt === null ? [] : `${keyOfRequest(request)} ${doubt}`
    })
    return doubts.join()
  }

  #doubtOf(request: LookupRequest): Doubt | null {
    if (this.#addressOf(request) !== null) return null
    if (this.#isAwaited(request)) return 'asked'
    const key = keyOfRequest(request)
    const isAbsence = this.#lacks.get(key)?.isFailure === false
    return isAbsence && this.#isLasting(key) ? null : 'unanswered'
  }

  #isAwaited(request: LookupRequest): boolean {
    return isAwaited(inUse(request, this.#addressOf(request)), this.#answersOf(request.host))
  }

  #wanted(): readonly Wanted[] {
    return this.#config ? [...requestsOf(this.#config, this.#names).values()] : []
  }

  #addressOf(request: LookupRequest): string | null {
    return this.#names.get(keyOfRequest(request)) ?? null
  }

  #answersOf(host: string): ReadonlyMap<Family, Answer> {
    return this.#answers.get(host) ?? new Map()
  }

  #ask(host: string): void {
    for (const family of FAMILIES) void this.#askOne(host, family)
  }

  async #askOne(host: string, family: Family): Promise<void> {
    const key = `${host} ${family}`
    if (this.#isClosed || this.#asking.has(key)) return
    this.#asking.add(key)
    const answer = await this.#parts.resolver.addresses(host, family)
    this.#asking.delete(key)
    if (!this.#hosts.has(host)) return
    const answers = this.#answers.get(host) ?? new Map<Family, Answer>()
    this.#answers.set(host, answers.set(family, answer))
    this.#settleSoon()
  }

  #settleSoon(): void {
    if (this.#isClosed) return
    this.#cancelSettle ??= this.#clock.alarm(this.#gather, () => this.#settle())
  }

  /** Applies the answers that have arrived. */
  #settle(): void {
    const began = this.#clock.now()
    this.#cancelSettle = null
    try {
      this.#choose()
      this.#reportTroubles()
      // Doubts count too: a member in doubt changes when an answer has no address, and when that has lasted for
      // PATIENCE.
      if (this.#names !== this.#inForce || this.#doubts !== this.#doubtsInForce) this.#parts.onNews()
    } catch (error) {
      this.#parts.log.error('name.not-applied', { err: error }, 'the addresses of names cannot be applied')
    }
    this.#gather = Math.min(Math.max(GATHER, REST_SHARE * (this.#clock.now() - began)), LONGEST_GATHER)
    this.#wake()
  }

  #choose(): void {
    if (!this.#config) return
    // Servers take the family of their virtual service, which the first pass may choose. The second pass uses it.
    this.#noteLacks()
    let next: Names = this.#names
    for (let i = 0; i < 2; i++) next = this.#chosen(requestsOf(this.#config, next))
    const changes = [...next].filter(([key, address]) => this.#names.get(key) !== address)
    if (changes.length === 0 && next.size === this.#names.size) return
    for (const [name, address] of changes)
      this.#parts.log.info('name.resolved', { name, address, was: this.#names.get(name) }, 'name resolved')
    if (changes.length > 0) this.#names = next
    this.#remember(next)
  }

  #chosen(requests: ReadonlyMap<string, Wanted>): Names {
    const names = new Map<string, string>()
    for (const [key, request] of requests) {
      const isPatienceOver = this.#lacks.get(key)?.isFailure === true && this.#isLasting(key)
      const address = choose(
        request,
        this.#names.get(key) ?? null,
        this.#answersOf(request.host),
        isPatienceOver,
      )
      if (address !== null) names.set(key, address)
    }
    return names
  }

  #noteLacks(): void {
    const lacks = new Map<string, Lack>()
    for (const request of this.#wanted()) {
      if (this.#addressOf(request) !== null || this.#isAwaited(request)) continue
      const key = keyOfRequest(request)
      const before = this.#lacks.get(key)
      const now = isFailure(request, this.#answersOf(request.host))
      lacks.set(key, before?.isFailure === now ? before : { isFailure: now, since: this.#clock.now() })
    }
    this.#lacks = lacks
  }

  #isLasting(key: string): boolean {
    const now = this.#clock.now()
    return now - (this.#lacks.get(key)?.since ?? now) >= PATIENCE
  }

  /** Logs each problem of a name when it begins or its sentence changes, and once when it is over. */
  #reportTroubles(): void {
    const { log } = this.#parts
    for (const request of this.#wanted()) {
      if (this.#isAwaited(request)) continue
      const key = keyOfRequest(request)
      const address = this.#addressOf(request)
      const trouble = this.#standingTroubleOf(request)
      const before = this.#told.get(key)
      if (trouble === null) this.#told.delete(key)
      else this.#told.set(key, trouble)
      const fields = { services: request.services.slice(0, MOST_NAMED), address }
      const level = this.#lacks.get(key)?.isFailure ? 'error' : 'warn'
      if (trouble !== null && trouble !== before) log[level]('name.failed', fields, trouble)
      else if (trouble === null && before !== undefined)
        log.info('name.works', fields, `${request.host} resolves again`)
    }
  }

  #remember(names: Names): void {
    try {
      this.#parts.journal.recordNames(names)
      this.#isUnkept = false
    } catch (error) {
      if (!this.#isUnkept)
        this.#parts.log.error(
          'name.not-kept',
          { error: (error as Error).message },
          'the addresses of names cannot be saved for the next start',
        )
      this.#isUnkept = true
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Yields the services and members whose hosts are names, each with its request. */
function* namedIn({ services }: ResolvedConfig): Iterable<[ResolvedService | ResolvedMember, LookupRequest]> {
  for (const service of services) {
    if (!hasNames(service)) continue
    const request = virtualRequest(service.virtual)
    if (request) yield [service, request]
    for (const member of membersOf(service)) {
      const wanted = memberRequest(member, familyOfService(service))
      if (wanted) yield [member, wanted]
    }
    for (const { fallback, virtual } of service.also ?? []) {
      const wanted = fallback && memberRequest(fallback, virtual.family)
      if (wanted) yield [fallback, wanted]
    }
  }
}

function named(services: readonly string[]): string {
  const shown = services.slice(0, MOST_NAMED).join(', ')
  const more = services.length - MOST_NAMED
  return more > 0 ? `${shown} and ${more} more` : shown
}
