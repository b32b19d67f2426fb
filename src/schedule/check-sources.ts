/**
 * Keeps virtual addresses from being the source of checks: asks the kernel which source it would choose for each target,
 * and chooses another address of this machine where that is a virtual one (core/check-source.ts). The kernel reports
 * changes of addresses and routes, so a run costs a look into a map; a target is asked for again after a change.
 */
import type { Address } from '../core/address.js'
import { chooseSource, type OwnAddress, pathSource, type SourceChoice } from '../core/check-source.js'
import { idsOf } from '../core/kernel-services.js'
import type { ResolvedService } from '../core/model.js'
import { NO_CHANGES, type PathWatch } from '../netlink/path-changes.js'
import { openPaths, type Paths } from '../netlink/paths.js'
import { openSocket } from '../netlink/socket.js'
import type { Log } from '../system/log.js'
import { type Clock, systemClock } from '../util/clock.js'

export interface CheckSourcesParts {
  readonly paths: Pick<Paths, 'routeTo' | 'addresses'>
  /** Closed with this object. */
  readonly changes: PathWatch
  readonly log: Pick<Log, 'info' | 'warn'>
  readonly now: Clock['now']
}

/** Milliseconds between two looks at what the kernel has reported. A check that starts in between may be late to know. */
const LOOK_EVERY = 20
/** Minimum milliseconds after which changed routes count: with a routing daemon they may change all the time. */
const ROUTES_EVERY = 1000
/** Milliseconds after which a choice is made again. The kernel does not report all changes, such as address labels. */
const VALID_FOR = 60_000

interface Entry<Choice> {
  readonly choice: Choice
  readonly generation: number
  readonly at: number
}

interface TargetEntry extends Entry<SourceChoice> {
  /** The text of the source of this choice; null: not known. */
  readonly from: string | null
}

/**
 * False: the last check of this target did not begin from an address that has become a virtual one. True: it may have. `bound`: the
 * source that was chosen for it; null: the kernel chose.
 */
export type MayBeFromVirtual = (target: Address, bound: Address | null) => boolean

/** `mayBeFrom`: null if no address has become a virtual one. */
type Follower = (virtual: readonly string[], mayBeFrom: MayBeFromVirtual | null) => void

export const SOURCES_UNKNOWN =
  'lvsd cannot ask the kernel for source addresses: it would not notice that a virtual address is the source of checks'

const KERNEL: SourceChoice = { kind: 'kernel' }

export class CheckSources {
  readonly #parts: CheckSourcesParts
  #virtual: ReadonlySet<string> = new Set()
  readonly #followers: Follower[] = []
  #own: readonly OwnAddress[] | null = null
  /** By the text of the target's address. */
  #entries = new Map<string, TargetEntry>()
  /** By the virtual address and the address of the real server. */
  readonly #towards = new Map<string, Entry<Address | null>>()
  /** Increases when all choices must be made again. */
  #generation = 0
  #lookedAt = Number.NEGATIVE_INFINITY
  #routesAt = Number.NEGATIVE_INFINITY
  #areRoutesNew = false
  #moves = 0
  readonly #told = new Set<string>()
  #isBroken = false

  constructor(parts: CheckSourcesParts) {
    this.#parts = parts
  }

  /** Takes the services, whose addresses no check may have as its source. */
  follow(services: readonly Pick<ResolvedService, 'id' | 'also'>[]): void {
    const virtual = services.flatMap(idsOf).flatMap(id => (id.kind === 'address' ? id.address : []))
    this.followAddresses(virtual.map(withoutZone))
  }

  /** Takes the virtual addresses themselves, as texts without zones. Returns which checks may have begun from a new one; null: none. */
  followAddresses(virtual: readonly string[]): MayBeFromVirtual | null {
    const next = new Set(virtual)
    // Each choice that is kept is a question to the kernel less.
    if (next.size === this.#virtual.size && virtual.every(one => this.#virtual.has(one))) return null
    const added = new Set(virtual.filter(one => !this.#virtual.has(one)))
    const before = this.#entries
    this.#virtual = next
    this.#entries = new Map()
    this.#towards.clear()
    const mayBeFrom: MayBeFromVirtual | null =
      added.size === 0
        ? null
        : ({ text }, bound) => {
            const from = bound?.text ?? before.get(text)?.from ?? null
            return from === null || added.has(from)
          }
    for (const follow of this.#followers) follow(virtual, mayBeFrom)
    return mayBeFrom
  }

  /** Calls `follow` with the virtual addresses, now and after each change. */
  passOn(follow: Follower): void {
    this.#followers.push(follow)
    follow(this.virtual, null)
  }

  /** Virtual addresses, as texts without zones. */
  get virtual(): readonly string[] {
    return [...this.#virtual]
  }

  /** Returns the address to bind a check of this target to, or null: the kernel chooses. */
  of(target: Address): Address | null {
    if (this.#isBroken || this.#virtual.size === 0) return null
    try {
      const choice = this.#choice(target)
      return choice.kind === 'replaced' ? choice.source : null
    } catch (error) {
      this.#break(error as Error)
      return null
    }
  }

  /**
   * Returns the address to bind a check of this virtual address to that goes through the real server at `via`; null: this
   * machine has none, or cannot be asked.
   */
  towards(virtual: Address, via: Address): Address | null {
    if (this.#isBroken) return null
    try {
      const now = this.#lookIfDue()
      const key = `${virtual.text} ${via.text}`
      const known = this.#towards.get(key)
      if (known && this.#isValid(known, now)) return known.choice
      const choice = this.#chooseTowards(virtual, via)
      this.#towards.set(key, { choice, generation: this.#generation, at: now })
      return choice
    } catch (error) {
      this.#break(error as Error)
      return null
    }
  }

  /** Increases when a virtual address has come to this machine, has left it or has changed. */
  get moves(): number {
    return this.#moves
  }

  /** Returns the last choices that are not the kernel's, or a virtual address: by the text of the target's address. */
  choices(): ReadonlyMap<string, SourceChoice> {
    const found = new Map<string, SourceChoice>()
    for (const [target, { choice }] of this.#entries) if (choice.kind !== 'kernel') found.set(target, choice)
    return found
  }

  close(): void {
    this.#parts.changes.close()
  }

  #break({ message }: Error): void {
    this.#isBroken = true
    this.#entries.clear()
    this.#parts.log.warn('check.sources-unknown', { error: message }, SOURCES_UNKNOWN)
  }

  #lookIfDue(): number {
    const now = this.#parts.now()
    if (now - this.#lookedAt >= LOOK_EVERY) this.#look(now)
    return now
  }

  #isValid({ generation, at }: Entry<unknown>, now: number): boolean {
    return generation === this.#generation && now - at < VALID_FOR
  }

  #choice(target: Address): SourceChoice {
    const now = this.#lookIfDue()
    const known = this.#entries.get(target.text)
    if (known && this.#isValid(known, now)) return known.choice
    const { choice, from } = this.#choose(target)
    this.#entries.set(target.text, { choice, from, generation: this.#generation, at: now })
    this.#tell(choice, target)
    return choice
  }

  #look(now: number): void {
    this.#lookedAt = now
    const { addresses, routes, isLost } = this.#parts.changes.take()
    if (isLost || [...addresses].some(text => this.#virtual.has(text))) this.#moves++
    this.#areRoutesNew ||= routes
    const isNew = isLost || addresses.size > 0
    if (isNew) this.#own = null
    const isDue = this.#areRoutesNew && now - this.#routesAt >= ROUTES_EVERY
    if (!isNew && !isDue) return
    this.#generation++
    this.#areRoutesNew = false
    this.#routesAt = now
  }

  #choose(target: Address): Pick<TargetEntry, 'choice' | 'from'> {
    const { paths } = this.#parts
    const route = paths.routeTo(target)
    if (route?.kind !== 'by' || route.source === null) return { choice: KERNEL, from: null }
    this.#own ??= paths.addresses()
    const { link, gateway, source } = route
    const towards = { link, gateway, source }
    const choice = chooseSource(target, towards, this.#own, ({ text }) => this.#virtual.has(text))
    return { choice, from: choice.kind === 'kernel' ? source.text : choice.source.text }
  }

  #chooseTowards(virtual: Address, via: Address): Address | null {
    const { paths } = this.#parts
    const route = paths.routeTo(via)
    this.#own ??= paths.addresses()
    const known = route?.kind === 'by' ? route : null
    return pathSource(virtual, known, this.#own, address => this.#virtual.has(withoutZone(address)))
  }

  /** False if this pair of addresses has been told: here, or by the engine's thread, which chooses sources too. */
  isNews(address: string, source: string): boolean {
    const key = `${address} ${source}`
    if (this.#told.has(key)) return false
    this.#told.add(key)
    return true
  }

  /** Reports each pair of addresses once. */
  #tell(choice: SourceChoice, { text: server }: Address): void {
    if (choice.kind === 'kernel') return
    const { log } = this.#parts
    const source = choice.source.text
    const address = choice.kind === 'replaced' ? choice.insteadOf.text : source
    if (!this.isNews(address, source)) return
    if (choice.kind === 'virtual')
      log.warn(
        'check.virtual-source',
        { address, server },
        `checks have the virtual address ${address} as source, so answers may go elsewhere: this machine has no other address for ${server}; lvsd doctor says what to do`,
      )
    else
      log.info(
        'check.source-replaced',
        { address, source, server },
        `checks have the source ${source}, because for ${server} the kernel would choose ${this.#virtual.has(address) ? `the virtual address ${address}` : `${address}, which is deprecated or tentative`}`,
      )
  }
}

/** Opens what chooses sources for commands that run once. It does not log. Returns null if the kernel cannot be asked. */
export function openCheckSources(
  services: readonly Pick<ResolvedService, 'id' | 'also'>[],
): CheckSources | null {
  try {
    const paths = openPaths(openSocket(PATHS_BUFFER, 'route'))
    const changes: PathWatch = { take: () => NO_CHANGES, close: () => paths.close() }
    const log = { info: () => {}, warn: () => {} }
    const sources = new CheckSources({ paths, changes, log, now: systemClock.now })
    sources.follow(services)
    return sources
  } catch {
    return null
  }
}

/** Bytes of the buffers of the socket for routes. An answer has about 2 KiB. */
const PATHS_BUFFER = 64 * 1024

function withoutZone({ text }: Address): string {
  return text.split('%')[0] ?? text
}
