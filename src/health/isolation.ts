/**
 * Decides whether a failed check counts as evidence about its server. It does not while lvsd is isolated
 * (core/isolation.ts). Reads routes and interfaces when a failure has to be judged, and has no timer.
 */
import type { Address } from '../core/address.js'
import { isIsolated, type PathState, pathState } from '../core/isolation.js'
import type { Link, Paths } from '../netlink/paths.js'

export interface IsolationParts {
  readonly paths: Pick<Paths, 'routeTo' | 'link'>
  /** Returns milliseconds of the steady clock. */
  now(): number
  /** Called when the isolation begins and when it ends. */
  onChange(change: IsolationChange): void
  /** Called once, when the kernel cannot be asked. All failures count from then on. */
  onFailure(error: Error): void
}

export interface IsolationChange {
  /** False: it is over. */
  readonly isIsolated: boolean
  /** Milliseconds of the steady clock. */
  readonly since: number
  /** What is wrong with this machine, for people. */
  readonly detail: string
}

/** How a server was last reached. */
interface Reached {
  readonly link: number
  readonly at: number
}

/** Milliseconds after which the interface of a server that answers is read again: its route may have changed. */
const LEARN_EVERY = 60_000
/** Milliseconds. A pass that comes sooner after an interface was lost may be from before: results may come half a second late. */
const LATE = 1000
/** Milliseconds for which a detected isolation remains valid. Its end is detected at the next pass. */
const BELIEVED_FOR = 250
/** A search among many servers without a route is long; the next one starts after this many times its duration. */
const PAUSE_SHARE = 20

export class Isolation {
  readonly #parts: IsolationParts
  /** The checked addresses by their text, and how each was last reached. */
  #servers = new Map<string, { readonly address: Address; reached: Reached | null }>()
  /** The server whose path worked at the last look. */
  #witness: string | null = null
  /** Number of lost carriers by interface. */
  readonly #losses = new Map<number, number>()
  /** When interfaces were first seen not to work. */
  readonly #downSince = new Map<number, number>()
  #current: IsolationChange | null = null
  /** Until this time the isolation remains valid without a new search. */
  #believedUntil = Number.NEGATIVE_INFINITY
  /** A run that began before this time may have met an isolation. */
  #lastIsolated = Number.NEGATIVE_INFINITY
  #isBroken = false

  constructor(parts: IsolationParts) {
    this.#parts = parts
  }

  /** The current isolation, or null. */
  get current(): IsolationChange | null {
    return this.#current
  }

  /** Takes the addresses that are checked from now on. */
  follow(addresses: Iterable<Address>): void {
    const before = this.#servers
    this.#servers = new Map()
    for (const address of addresses)
      this.#servers.set(address.text, before.get(address.text) ?? { address, reached: null })
  }

  /** A check of this address has passed. */
  passed({ text }: Address): void {
    const server = this.#servers.get(text)
    if (!server || this.#isBroken) return
    const now = this.#parts.now()
    if (server.reached && now - server.reached.at < LEARN_EVERY && !this.#current) return
    this.#guarded(() => {
      const route = this.#parts.paths.routeTo(server.address)
      if (route?.kind !== 'by' || this.#mayBeLate(server.reached, route.link, now)) return
      server.reached = { link: route.link, at: now }
      this.#link(route.link, now)
      if (this.#current) this.#look(text, now)
    })
  }

  /** True if the pass may have come by the interface that is down by now, and not by that of the present route. */
  #mayBeLate(reached: Reached | null, link: number, now: number): boolean {
    if (!reached || reached.link === link || this.#link(reached.link, now)?.isWorking) return false
    return now - (this.#downSince.get(reached.link) ?? now) < LATE
  }

  /**
   * True if a failed check of this address is no evidence about its server: lvsd is isolated, or was so after the run
   * began `ms` milliseconds ago.
   */
  excuses({ text }: Address, ms: number): boolean {
    const server = this.#servers.get(text)
    if (!server || this.#isBroken) return false
    return this.#guarded(() => {
      const now = this.#parts.now()
      if (!this.#current || now >= this.#believedUntil) this.#look(text, now)
      const isMet = this.#current !== null || now - ms <= this.#lastIsolated
      return isMet && this.#parts.paths.routeTo(server.address)?.kind !== 'local'
    })
  }

  /** `first` is looked at first, then the witness: one of them nearly always works. */
  #look(first: string, now: number): void {
    const isOver = !isIsolated(this.#paths(first, now))
    const took = this.#parts.now() - now
    if (!isOver) {
      this.#lastIsolated = now
      this.#believedUntil = now + Math.max(BELIEVED_FOR, PAUSE_SHARE * took)
    }
    if (isOver === (this.#current === null)) return
    const { since, detail } = this.#current ?? { since: now, detail: this.#detail(first) }
    const change = { isIsolated: !isOver, since, detail }
    this.#current = isOver ? null : change
    if (isOver) this.#lastIsolated = now
    this.#parts.onChange(change)
  }

  *#paths(first: string, now: number): Iterable<PathState> {
    const links = new Map<number, Link | null>()
    const link = (index: number) => {
      if (!links.has(index)) links.set(index, this.#link(index, now))
      return links.get(index) ?? null
    }
    for (const text of new Set([first, this.#witness ?? first, ...this.#servers.keys()])) {
      const server = this.#servers.get(text)
      if (!server) continue
      const state = this.#pathOf(server.address, server.reached, link)
      if (state === 'works') this.#witness = text
      yield state
    }
  }

  #pathOf(address: Address, reached: Reached | null, link: (index: number) => Link | null): PathState {
    const last = reached && (link(reached.link) ?? GONE)
    if (last && !last.isWorking) return 'dead'
    const route = this.#parts.paths.routeTo(address)
    if (route === null) return 'unknown'
    return pathState(route.kind === 'by' ? (link(route.link) ?? GONE) : route.kind, last)
  }

  /** Notices that an interface has lost its carrier since the last look, although it works again. */
  #link(index: number, now: number): Link | null {
    const link = this.#parts.paths.link(index)
    const before = this.#losses.get(index)
    if (link?.isWorking) this.#downSince.delete(index)
    else if (!this.#downSince.has(index)) this.#downSince.set(index, now)
    if (!link) return null
    this.#losses.set(index, link.losses)
    if (link.isWorking && before !== undefined && link.losses !== before) this.#lastIsolated = now
    return link
  }

  #detail(text: string): string {
    const server = this.#servers.get(text)
    const route = server && this.#parts.paths.routeTo(server.address)
    const indexes = [server?.reached?.link, route?.kind === 'by' ? route.link : undefined]
    for (const index of indexes) {
      if (index === undefined) continue
      const link = this.#parts.paths.link(index)
      if (!link) return `the interface to ${text} does not exist any more`
      if (!link.isWorking) return `the interface ${link.name} is down or has no carrier`
    }
    return route?.kind === 'unreachable'
      ? `this machine has no route to ${text} (${route.code})`
      : `no path to ${text}`
  }

  #guarded<T>(look: () => T): T | false {
    try {
      return look()
    } catch (error) {
      this.#isBroken = true
      this.#current = null
      this.#parts.onFailure(error as Error)
      return false
    }
  }
}

const GONE = { isWorking: false }
