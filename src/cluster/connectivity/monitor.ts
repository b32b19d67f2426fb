/**
 * Watches the connectivity of this director (core/connectivity.ts): pings at each interval, and reads interfaces and
 * routes when the kernel reports a change.
 */
import type { Address } from '../../core/address.js'
import {
  addressesOf,
  Connectivity,
  type ConnectivityPolicy,
  type LinkState,
} from '../../core/connectivity.js'
import type { EventSocket } from '../../netlink/event-socket.js'
import { EVERYTHING, type PathEvent, type PathEventsParts } from '../../netlink/path-events.js'
import type { Clock } from '../../util/clock.js'
import type { Pinger } from './pinger.js'

export interface ConnectivityChange {
  /** False: the network is back. */
  readonly isLost: boolean
  /** When it was lost, in milliseconds of the steady clock. */
  readonly since: number
  /** What was wrong when it was lost, in one sentence without its full stop. */
  readonly detail: string
}

/** What this machine knows without the network. */
export interface OwnPaths {
  link(name: string): LinkState
  hasRoute(address: Address): boolean
  /** The name of an interface by its index, for link-local neighbours. */
  nameOf(index: number): string | null
  /** It may be asked again afterwards. */
  close?(): void
}

export interface ConnectivityMonitorParts {
  readonly clock: Clock
  /** Returns milliseconds of the steady clock. */
  readonly steady: () => number
  readonly pinger: Pinger
  readonly paths: OwnPaths
  /** Throws if the kernel does not report changes; paths are then read at each interval. */
  openEvents(parts: PathEventsParts): EventSocket
  onChange(change: ConnectivityChange): void
  /** Called each time that anything may have changed. */
  onLook?(): void
  /** A ping cannot be sent, or changes cannot be heard. Called once for each text until the next `follow`. */
  onTrouble(error: Error): void
}

/** Milliseconds between two readings of routes: a routing daemon may change them all the time. */
const ROUTES_EVERY = 100

export class ConnectivityMonitor {
  readonly #parts: ConnectivityMonitorParts
  #policy: ConnectivityPolicy | null = null
  #facts: Connectivity | null = null
  #current: ConnectivityChange | null = null
  /** From this time the state counts as judged, also where pings cannot be sent. */
  #judgedAt = Number.POSITIVE_INFINITY
  /** A run that began before this time may have met the loss. */
  #lastLost = Number.NEGATIVE_INFINITY
  /** When it was lost or in doubt last. */
  #lastUneasy = Number.NEGATIVE_INFINITY
  #isUneasy = false
  #events: EventSocket | null = null
  #hearsRoutes = false
  #cancelRound = () => {}
  #cancelChange = () => {}
  #cancelRoutes: (() => void) | null = null
  /** Stop waiting for the replies of a round. */
  readonly #waiting = new Set<() => void>()
  readonly #told = new Set<string>()

  constructor(parts: ConnectivityMonitorParts) {
    this.#parts = parts
  }

  /** Set while the network is lost. `detail` is what is wrong now. */
  get current(): ConnectivityChange | null {
    return this.#current && { ...this.#current, detail: this.#facts?.lost ?? this.#current.detail }
  }

  /** True while the next pings decide whether the network is lost. */
  get isInDoubt(): boolean {
    return this.#facts?.isInDoubt ?? false
  }

  /** True if the network has not been lost, and not in doubt, for `rise` intervals. */
  get isSettled(): boolean {
    const { rise = 0, interval = 0 } = this.#policy ?? {}
    return !this.#isUneasy && this.#parts.clock.now() - this.#lastUneasy >= rise * interval
  }

  /** True if each condition has been judged since it is watched. */
  get isJudged(): boolean {
    return (this.#facts?.isKnown ?? false) || this.#parts.clock.now() >= this.#judgedAt
  }

  /** True if the configuration has conditions. */
  get isWatching(): boolean {
    return this.#facts !== null
  }

  /** What is known of each pinged address: null before its first result. */
  get answering(): ReadonlyMap<string, boolean | null> {
    return this.#facts?.answering ?? new Map()
  }

  /** Takes the conditions; null: none. What stays the same keeps its state. */
  follow(policy: ConnectivityPolicy | null): void {
    const isSame = JSON.stringify(policy) === JSON.stringify(this.#policy)
    if (isSame) return
    this.#policy = policy
    this.#told.clear()
    this.#stopRounds()
    if (!policy) {
      this.#leave()
      this.#look()
      return
    }
    this.#judgedAt = this.#parts.clock.now() + policy.fall * policy.interval + policy.timeout
    if (this.#facts) this.#facts.follow(policy)
    else this.#facts = new Connectivity(policy)
    this.#listen(policy)
    this.#read(EVERYTHING)
    this.#round()
  }

  /**
   * Returns why a failure of a run that took `ms` milliseconds is no evidence about a server: the network is lost, was
   * lost while the run went on, or the next pings decide whether it is. Else null.
   */
  excuseOf(ms: number): string | null {
    const lost = this.#facts?.lost
    if (lost) return `lvsd has lost its network: ${lost}`
    if (this.#parts.clock.now() - ms <= this.#lastLost) return 'lvsd had lost its network while the check ran'
    return this.isInDoubt ? 'the last ping of lvsd had no reply: its own network may be at fault' : null
  }

  close(): void {
    this.#stopRounds()
    this.#policy = null
    this.#leave()
  }

  #leave(): void {
    this.#closeEvents()
    this.#parts.paths.close?.()
    this.#facts = null
  }

  // -------------------------------------------------------------- pings

  #round(): void {
    const policy = this.#policy
    if (!policy) return
    if (!this.#events) this.#read(EVERYTHING)
    const addresses = addressesOf(policy)
    if (addresses.length > 0) this.#ping(addresses, policy)
    this.#parts.onLook?.()
    if (addresses.length > 0 || !this.#events)
      this.#cancelRound = this.#parts.clock.alarm(policy.interval, () => this.#round())
  }

  #ping(addresses: readonly Address[], { timeout }: ConnectivityPolicy): void {
    const { clock, pinger } = this.#parts
    const due = clock.now() + timeout
    const cancels = new Map<string, () => void>()
    for (const address of addresses) {
      const { text } = address
      const cancel = pinger.ping(address, (outcome, error?: Error) => {
        if (!cancels.delete(text)) return
        if (error) this.#tell(error)
        if (outcome !== 'not sent') this.#pinged(text, outcome === 'reply')
      })
      cancels.set(text, cancel)
    }
    const stopTimer = clock.alarm(timeout, () =>
      clock.afterReading(() => {
        this.#waiting.delete(stop)
        // lvsd itself was held up, perhaps with the whole machine: what is missing may have been lost meanwhile.
        const isHeldUp = clock.now() - due > timeout
        const missing = [...cancels]
        cancels.clear()
        for (const [text, cancel] of missing) {
          cancel()
          if (!isHeldUp) this.#facts?.pinged(text, false)
        }
        if (missing.length > 0 && !isHeldUp) this.#look()
      }),
    )
    const stop = () => {
      stopTimer()
      for (const cancel of cancels.values()) cancel()
      cancels.clear()
    }
    this.#waiting.add(stop)
  }

  #pinged(text: string, hasReplied: boolean): void {
    this.#facts?.pinged(text, hasReplied)
    this.#look()
  }

  #stopRounds(): void {
    this.#cancelRound()
    this.#cancelChange()
    this.#cancelRoutes?.()
    this.#cancelRoutes = null
    for (const stop of this.#waiting) stop()
    this.#waiting.clear()
  }

  // -------------------------------------------------------------- interfaces, routes, neighbours

  #listen({ routes }: ConnectivityPolicy): void {
    const hearsRoutes = routes.length > 0
    if (this.#events && this.#hearsRoutes === hearsRoutes) return
    this.#closeEvents()
    this.#hearsRoutes = hearsRoutes
    try {
      this.#events = this.#parts.openEvents({ routes: hearsRoutes, onEvent: event => this.#heard(event) })
    } catch (error) {
      this.#tell(error as Error)
    }
  }

  #closeEvents(): void {
    this.#events?.close()
    this.#events = null
  }

  #heard(event: PathEvent): void {
    const { clock, paths } = this.#parts
    for (const { address, link } of event.failed) {
      const isLocal = address.text.startsWith('fe80:')
      this.#facts?.neighbourFailed(isLocal ? `${address.text}%${paths.nameOf(link)}` : address.text)
    }
    if (event.links) this.#read({ links: true, routes: false })
    if (event.links || event.routes)
      this.#cancelRoutes ??= clock.alarm(event.links ? 0 : ROUTES_EVERY, () => {
        this.#cancelRoutes = null
        this.#read({ links: false, routes: true })
      })
    if (event.failed.length > 0) this.#look()
  }

  #read({ links, routes }: Pick<PathEvent, 'links' | 'routes'>): void {
    const policy = this.#policy
    if (!policy) return
    const { paths, clock } = this.#parts
    const now = clock.now()
    try {
      if (links) for (const name of policy.interfaces) this.#facts?.link(name, paths.link(name), now)
      if (routes)
        for (const address of policy.routes) this.#facts?.route(address.text, paths.hasRoute(address), now)
    } catch (error) {
      this.#tell(error as Error)
    }
    this.#look()
  }

  // -------------------------------------------------------------- the outcome

  #look(): void {
    const { clock, steady, onChange, onLook } = this.#parts
    const now = clock.now()
    this.#facts?.pass(now)
    const lost = this.#facts?.lost ?? null
    if (lost !== null || this.#current) this.#lastLost = now
    const isUneasy = lost !== null || this.isInDoubt
    if (isUneasy || this.#isUneasy) this.#lastUneasy = now
    this.#isUneasy = isUneasy
    if (lost !== null && !this.#current) {
      this.#current = { isLost: true, since: steady(), detail: lost }
      onChange(this.#current)
    } else if (lost === null && this.#current) {
      const change = { ...this.#current, isLost: false }
      this.#current = null
      onChange(change)
    }
    this.#cancelChange()
    const next = this.#facts?.nextChange ?? null
    if (next !== null) this.#cancelChange = clock.alarm(Math.max(0, next - now), () => this.#look())
    onLook?.()
  }

  #tell(error: Error): void {
    if (this.#told.has(error.message)) return
    this.#told.add(error.message)
    this.#parts.onTrouble(error)
  }
}
