/** The addresses of the configuration's names: asked for again and again, kept in the journal, told when they change. */
import type { Family } from '../core/address.js'
import type { Config, ResolvedConfig, ResolvedMember, ResolvedService } from '../core/model.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'
import { Poller } from '../util/poller.js'
import { choose, inUse, isAwaited, isFailure, troubleOf } from './choice.js'
import type { Answer, Resolver } from './lookup.js'
import {
  familyOfService,
  handedOn,
  keyOfRequest,
  type LookupRequest,
  memberRequest,
  membersOf,
  type Names,
  requestsOf,
  virtualRequest,
  type Wanted,
} from './lookup-requests.js'
import { resolveConfig } from './resolve-config.js'
import type { Doubt, Doubts } from './unresolved-names.js'

/**
 * Why a name has no address, or no longer the one in use, as a sentence: by the service, real server or fallback that has
 * the name.
 */
export type NamesSnapshot = ReadonlyMap<ResolvedService | ResolvedMember, string>

export interface NameResolverParts {
  readonly resolver: Resolver
  readonly journal: Pick<Journal, 'names' | 'recordNames'>
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  /** What is known differs from what `resolve` has given last: it is to be called again. */
  onNews(): void
  readonly clock?: Pick<Clock, 'now' | 'alarm'>
}

/**
 * Milliseconds that a name without an address is waited for. An answer that there is none counts then: a name server that
 * has just started, or a hosts file that is being written, says so for a moment. A failure to get an answer never means that
 * there is none; an address of the other family is made do with then, where that is allowed.
 */
const PATIENCE = 15_000

/** Of a name without an address that has been asked for. */
interface Lack {
  /** There is no answer, as opposed to one that there is no address. */
  readonly isFailure: boolean
  readonly since: number
}

/** Milliseconds that answers are gathered, at least, before use is made of them. */
const GATHER = 20
/** Making use of answers takes long where there are thousands of servers; the rest of lvsd gets so many times as long. */
const REST_SHARE = 4
const LONGEST_GATHER = 2000
/** Milliseconds between two look-ups of names that have no address yet. */
const MISSING_NAMES_EVERY = 5000
/** Services that a line of the log names. */
const MOST_NAMED = 10

const FAMILIES: readonly Family[] = ['ipv6', 'ipv4']

/**
 * Each answer is taken as it comes. A name that is being looked up is not looked up again, and no name waits for another.
 * Both families of every name are asked for, so that it can be said what a name has instead of what is wanted.
 */
export class NameResolver {
  readonly #parts: NameResolverParts
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #all: Poller
  readonly #missing: Poller
  readonly #answers = new Map<string, Map<Family, Answer>>()
  readonly #asking = new Set<string>()
  readonly #told = new Map<string, string>()
  /** By `keyOfRequest`. */
  #lacks: ReadonlyMap<string, Lack> = new Map()
  #config: Config | null = null
  #hosts: ReadonlySet<string> = new Set()
  #names: Names
  /** What `resolve` has given last. */
  #inForce: Names | null = null
  /** The doubts that there were when `resolve` was asked last. */
  #doubtsInForce = ''
  #clashes: readonly string[] = []
  /** Takes back the alarm at which use is made of answers; null while none is set. */
  #cancelSettle: (() => void) | null = null
  #gather = GATHER
  #isClosed = false
  #waiting: (() => void)[] = []

  /** Begins with the last good addresses of earlier runs. */
  constructor(parts: NameResolverParts) {
    this.#parts = parts
    this.#clock = parts.clock ?? systemClock
    const { log } = parts
    this.#all = new Poller('names', () => this.refresh(), { log, clock: this.#clock })
    this.#missing = new Poller('missing names', () => this.refresh(true), { log, clock: this.#clock })
    this.#names = new Map(parts.journal.names)
  }

  /** Takes over a configuration: names that have not been asked for are asked for now, others are forgotten. */
  follow(config: Config): void {
    this.#config = config
    this.#hosts = new Set([...requestsOf(config, this.#names).values()].map(({ host }) => host))
    for (const host of this.#answers.keys()) if (!this.#hosts.has(host)) this.#answers.delete(host)
    for (const host of this.#hosts) if (!this.#answers.has(host)) this.#ask(host)
    if (this.#hosts.size === 0) return
    // In force with the configuration itself: no service goes for a moment because its name is written in another way.
    this.#names = handedOn(this.#names, config)
    this.#choose()
    this.#settleSoon()
  }

  /** Asks for every name again each `ms` milliseconds, and more often for those without an address; until `close`. */
  refreshEvery(ms: number): void {
    this.#all.every(ms)
    this.#missing.every(MISSING_NAMES_EVERY)
  }

  /** Asks for every name again, but for those that are being asked for; with `isMissing` those without an address alone. */
  refresh(isMissing = false): void {
    const missing =
      isMissing && new Set(this.#wanted().flatMap(request => (this.#addressOf(request) ? [] : request.host)))
    const asked = missing || this.#hosts
    for (const host of asked) this.#ask(host)
    if (asked.size > 0) this.#settleSoon()
  }

  /** The configuration with the addresses that are known. */
  resolve(config: Config): ResolvedConfig {
    const { config: resolved, clashes } = resolveConfig(config, this.#names)
    for (const clash of clashes)
      if (!this.#clashes.includes(clash)) this.#parts.log.error('name.clash', {}, clash)
    this.#clashes = clashes
    this.#inForce = this.#names
    this.#doubtsInForce = this.#doubts
    return resolved
  }

  /** What of a configuration from `resolve` has no address although it may have one, for all that is known. */
  doubtsIn(config: ResolvedConfig): Doubts {
    const doubts = new Map<ResolvedService | ResolvedMember, Doubt>()
    for (const [named, request] of namedIn(config)) {
      const doubt = this.#doubtOf(request)
      if (doubt !== null) doubts.set(named, doubt)
    }
    return doubts
  }

  /** Of a configuration from `resolve`. */
  snapshot(config: ResolvedConfig): NamesSnapshot {
    const troubles = new Map<ResolvedService | ResolvedMember, string>()
    for (const [named, request] of namedIn(config)) {
      const trouble = this.#clashOf(named) ?? this.#standingTroubleOf(request)
      if (trouble !== null) troubles.set(named, trouble)
    }
    return troubles
  }

  /** Why `resolve` has left a service out last; null where it has not. */
  #clashOf(named: ResolvedService | ResolvedMember): string | null {
    if (!('id' in named) || named.id !== null) return null
    return this.#clashes.find(sentence => sentence.startsWith(`"${named.name}" `)) ?? null
  }

  /** Services that `resolve` has left out last, each as a sentence. */
  get clashes(): readonly string[] {
    return this.#clashes
  }

  /** Why a name has no address, or no longer the one in use, as a sentence; null where all is well. */
  troubleOf(request: LookupRequest): string | null {
    const address = this.#addressOf(request)
    const trouble = troubleOf(request, this.#answersOf(request.host), address)
    return address === null ? (trouble ?? `${request.host} is being looked up`) : trouble
  }

  /** The same with what follows from it, for a daemon. */
  #standingTroubleOf(request: LookupRequest): string | null {
    const trouble = this.troubleOf(request)
    if (trouble === null || this.#doubtOf(request) !== 'unanswered') return trouble
    if (request.other === 'always') return `${trouble}; checks of this target have no verdict`
    const end = this.#lacks.get(keyOfRequest(request))?.isFailure
      ? 'until there is an answer'
      : `until this has lasted for ${PATIENCE / 1000} s`
    return `${trouble}; its entries in the kernel stay unchanged ${end}`
  }

  /** Names without the address that is wanted, each as a sentence with the services that it is for. */
  troubles(): string[] {
    return this.#wanted().flatMap(request => {
      const trouble = troubleOf(request, this.#answersOf(request.host), this.#addressOf(request))
      return trouble === null ? [] : `${trouble} (${named(request.services)})`
    })
  }

  /** Resolves when use is made of every answer that has come; others may still be awaited. */
  async settled(): Promise<void> {
    while (!this.#isClosed && this.#cancelSettle)
      await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** Resolves when nothing is awaited that could change anything, and use is made of it. */
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

  /** All doubts as a text. */
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

  /** Makes use of the answers that have come. */
  #settle(): void {
    const began = this.#clock.now()
    this.#cancelSettle = null
    try {
      this.#choose()
      this.#tellTroubles()
      // For what waits for an address, an answer without one is news too, and so is that it lasts.
      if (this.#names !== this.#inForce || this.#doubts !== this.#doubtsInForce) this.#parts.onNews()
    } catch (error) {
      this.#parts.log.error('name.not-applied', { err: error }, 'the addresses of names cannot be applied')
    }
    this.#gather = Math.min(Math.max(GATHER, REST_SHARE * (this.#clock.now() - began)), LONGEST_GATHER)
    this.#wake()
  }

  #choose(): void {
    if (!this.#config) return
    // The family of servers is that of their virtual service, which may be chosen only now.
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

  /** Each once, and again only after it has been over. */
  #tellTroubles(): void {
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
    } catch (error) {
      this.#parts.log.error(
        'name.not-kept',
        { error: (error as Error).message },
        'the addresses of names cannot be saved for the next start',
      )
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Services and their members that are names, each with what is wanted of its name. */
function* namedIn({ services }: ResolvedConfig): Iterable<[ResolvedService | ResolvedMember, LookupRequest]> {
  for (const service of services) {
    const request = virtualRequest(service.virtual)
    if (request) yield [service, request]
    for (const member of membersOf(service)) {
      const wanted = memberRequest(member, familyOfService(service))
      if (wanted) yield [member, wanted]
    }
  }
}

function named(services: readonly string[]): string {
  const shown = services.slice(0, MOST_NAMED).join(', ')
  const more = services.length - MOST_NAMED
  return more > 0 ? `${shown} and ${more} more` : shown
}
