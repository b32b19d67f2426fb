/**
 * Connectivity: whether this director still has its network, by addresses that it pings (the gateways above all), its
 * interfaces and its routes. A director that has lost it must not judge servers, and should give its role up. Pure.
 *
 * Each fact has a state of its own. Unknown counts as good, so nothing is lost before it has been judged:
 *
 *   fact                state      seen                                       next
 *   pinged address      unknown    a reply                                    good
 *   pinged address      any        `fall` pings in a row without a reply      bad
 *   pinged address      bad        `rise` replies in a row                    good
 *   pinged address      any        the kernel finds no neighbour of it        as three pings without a reply
 *   interface, route    any        does not work, is not there                bad, at once
 *   interface, route    unknown    works                                      good
 *   interface, route    bad        works for `rise` intervals without a break good
 *
 * The connectivity follows from them:
 *
 *   each group has as many addresses that are not bad as it needs,
 *   and no interface and no route is bad                             connected
 *   anything else                                                    lost
 *   connected, but it would be lost if the addresses whose last
 *   ping had no reply were bad                                       connected, in doubt
 *
 * A gateway that loses single pings is never bad, and one that loses many does not make the state change with each
 * reply. Doubt is short: the next pings end it, or the network is lost.
 */
import type { Address } from './address.js'
import type { Role, TableMode } from './role.js'

/** Addresses of which some must answer. */
export interface PingGroup {
  readonly ping: readonly Address[]
  /** How many of them must answer. */
  readonly need: number
}

export interface ConnectivityPolicy {
  /** One of them must answer. */
  readonly gateways: readonly Address[]
  readonly groups: readonly PingGroup[]
  /** Names. Each must be up and have a carrier. */
  readonly interfaces: readonly string[]
  /** The kernel must have a route to each. */
  readonly routes: readonly Address[]
  /** Milliseconds between two pings of an address. */
  readonly interval: number
  /** Milliseconds for a reply; at most the interval. */
  readonly timeout: number
  readonly rise: number
  readonly fall: number
}

export type LinkState = 'works' | 'down' | 'absent'

/** The kernel asks this many times for a neighbour before it gives up (mcast_solicit, ucast_solicit). */
const NEIGHBOUR_ATTEMPTS = 3

interface Fact {
  state: 'unknown' | 'good' | 'bad'
}

interface Pinged extends Fact {
  /** Pings in a row with this outcome. */
  streak: number
  hasReplied: boolean
}

interface Watched extends Fact {
  /** Since when it works without a break; null: it does not. */
  worksSince: number | null
}

export class Connectivity {
  #policy: ConnectivityPolicy
  #pinged = new Map<string, Pinged>()
  #links = new Map<string, Watched & { isAbsent: boolean }>()
  #routes = new Map<string, Watched>()

  constructor(policy: ConnectivityPolicy) {
    this.#policy = policy
    this.follow(policy)
  }

  /** Takes another policy. What both have keeps its state. */
  follow(policy: ConnectivityPolicy): void {
    this.#policy = policy
    const texts = addressesOf(policy).map(({ text }) => text)
    this.#pinged = kept(this.#pinged, texts, () => ({ state: 'unknown', streak: 0, hasReplied: true }))
    this.#links = kept(this.#links, policy.interfaces, () => ({
      state: 'unknown',
      worksSince: null,
      isAbsent: false,
    }))
    const routes = policy.routes.map(({ text }) => text)
    this.#routes = kept(this.#routes, routes, () => ({ state: 'unknown', worksSince: null }))
  }

  /** A ping of this address (its text) had a reply in time, or none. */
  pinged(address: string, hasReplied: boolean): void {
    this.#count(address, hasReplied, 1)
  }

  /** The kernel has asked for this neighbour, and nobody has answered. */
  neighbourFailed(address: string): void {
    this.#count(address, false, NEIGHBOUR_ATTEMPTS)
  }

  link(name: string, link: LinkState, now: number): void {
    const fact = this.#links.get(name)
    if (!fact) return
    fact.isAbsent = link === 'absent'
    this.#watch(fact, link === 'works', now)
  }

  route(address: string, isThere: boolean, now: number): void {
    const fact = this.#routes.get(address)
    if (fact) this.#watch(fact, isThere, now)
  }

  /** Makes the changes that time alone brings. */
  pass(now: number): void {
    for (const fact of this.#watched())
      if (fact.state === 'bad' && fact.worksSince !== null && now - fact.worksSince >= this.#settles)
        fact.state = 'good'
  }

  /** When `pass` changes something next; null: never. */
  get nextChange(): number | null {
    const times = [...this.#watched()].flatMap(({ state, worksSince }) =>
      state === 'bad' && worksSince !== null ? worksSince + this.#settles : [],
    )
    return times.length === 0 ? null : Math.min(...times)
  }

  /** Why the network is lost, in one sentence without its full stop; null: it is not. The cause before its effects. */
  get lost(): string | null {
    const { interfaces, routes, gateways, groups } = this.#policy
    for (const name of interfaces) {
      const fact = this.#links.get(name)
      if (fact?.state === 'bad')
        return fact.isAbsent
          ? `there is no interface ${name}`
          : `the interface ${name} is down or has no carrier`
    }
    for (const { text } of routes)
      if (this.#routes.get(text)?.state === 'bad') return `this machine has no route to ${text}`
    const isBad = ({ text }: Address) => this.#pinged.get(text)?.state === 'bad'
    if (gateways.length > 0 && gateways.every(isBad)) return gatewaysSilent(gateways)
    for (const group of groups) {
      const answering = group.ping.filter(address => !isBad(address)).length
      if (answering < group.need) return groupSilent(group, answering)
    }
    return null
  }

  /** True if the network is not lost, and would be if the addresses whose last ping had no reply were bad. */
  get isInDoubt(): boolean {
    if (this.lost !== null) return false
    const { gateways, groups } = this.#policy
    const mayAnswer = ({ text }: Address) => {
      const { state = 'unknown', hasReplied = true } = this.#pinged.get(text) ?? {}
      return state !== 'bad' && hasReplied
    }
    if (gateways.length > 0 && !gateways.some(mayAnswer)) return true
    return groups.some(({ ping, need }) => ping.filter(mayAnswer).length < need)
  }

  /** True if each fact has been judged. */
  get isKnown(): boolean {
    return [...this.#pinged.values(), ...this.#watched()].every(({ state }) => state !== 'unknown')
  }

  /** What is known of each address that is pinged: null before its first result. */
  get answering(): ReadonlyMap<string, boolean | null> {
    return new Map(
      [...this.#pinged].map(([text, { state }]) => [text, state === 'unknown' ? null : state === 'good']),
    )
  }

  /** Milliseconds for which an interface or a route must work again before it counts. */
  get #settles(): number {
    return this.#policy.rise * this.#policy.interval
  }

  *#watched(): Iterable<Watched> {
    yield* this.#links.values()
    yield* this.#routes.values()
  }

  #count(address: string, hasReplied: boolean, times: number): void {
    const fact = this.#pinged.get(address)
    if (!fact) return
    fact.streak = (fact.hasReplied === hasReplied ? fact.streak : 0) + times
    fact.hasReplied = hasReplied
    if (!hasReplied && fact.streak >= this.#policy.fall) fact.state = 'bad'
    else if (hasReplied && (fact.state === 'unknown' || fact.streak >= this.#policy.rise)) fact.state = 'good'
  }

  #watch(fact: Watched, works: boolean, now: number): void {
    if (!works) {
      fact.state = 'bad'
      fact.worksSince = null
      return
    }
    if (fact.state === 'unknown') fact.state = 'good'
    fact.worksSince ??= now
  }
}

/**
 * What the reconciler does while the network is lost: it keeps what is there, because the checks say nothing about the
 * servers. That a standby removes its services does not follow from checks.
 *
 *   mode        lost   mode then
 *   any         no     the same
 *   reconcile   yes    keep
 *   keep        yes    keep
 *   empty       yes    empty
 */
export function modeWhile(isLost: boolean, mode: TableMode): TableMode {
  return isLost && mode === 'reconcile' ? 'keep' : mode
}

/**
 * The number for a track_file of keepalived, which it adds to the priority of this director. Null: keep that of an
 * earlier run, because nothing has been judged yet.
 *
 *   network                            role      number
 *   not judged yet                     any       null
 *   connected                          active    0
 *   in doubt                           active    0
 *   connected for `rise` intervals     standby   0
 *   in doubt, or connected for less    standby   -weight
 *   lost                               any       -weight
 *
 * A standby lowers its number early and raises it late. So if both directors lose their gateway, the active one, which
 * gives its priority up only when it is certain, finds a standby that is no better, whichever of them notices first; and
 * when the gateway is back, the standby is not better for a moment.
 */
export function trackedNumber(
  state: { readonly isJudged: boolean; readonly isLost: boolean; readonly isSettled: boolean },
  role: Role,
  weight: number,
): number | null {
  if (state.isLost || (!state.isSettled && role === 'standby')) return -weight
  return state.isJudged ? 0 : null
}

/** The addresses that are pinged, each once. */
export function addressesOf({
  gateways,
  groups,
}: Pick<ConnectivityPolicy, 'gateways' | 'groups'>): Address[] {
  const all = [...gateways, ...groups.flatMap(({ ping }) => ping)]
  return [...new Map(all.map(address => [address.text, address])).values()]
}

function kept<T>(before: ReadonlyMap<string, T>, keys: readonly string[], fresh: () => T): Map<string, T> {
  return new Map(keys.map(key => [key, before.get(key) ?? fresh()]))
}

function gatewaysSilent([first, ...others]: readonly Address[]): string {
  if (others.length === 0) return `the gateway ${first?.text} does not answer pings`
  return `no gateway answers pings: ${[first, ...others].map(each => each?.text).join(', ')}`
}

function groupSilent({ ping, need }: PingGroup, answering: number): string {
  const names = ping.map(({ text }) => text).join(', ')
  if (ping.length === 1) return `${names} does not answer pings`
  const count = answering === 0 ? 'none' : String(answering)
  return `${count} of ${names} ${answering > 1 ? 'answer' : 'answers'} pings, and ${need} must`
}
