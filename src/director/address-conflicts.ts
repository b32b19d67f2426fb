/**
 * Asks again and again whether another machine answers for the virtual addresses of this one, and tells when that begins
 * and ends. It is a warning: the machine may work well, so nothing follows for the table.
 */
import {
  afterRound,
  type Conflict,
  conflictText,
  type SharedAddress,
  sharedAddresses,
} from '../core/address-conflict.js'
import { idsOf } from '../core/kernel-services.js'
import type { ResolvedConfig, ResolvedService } from '../core/model.js'
import type { EventSocket } from '../netlink/event-socket.js'
import type { AddressRoundParts, AddressRoundResult } from '../schedule/address-round.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { counted } from '../util/plural.js'

export interface AddressConflictsParts {
  readonly log: Pick<Log, 'warn' | 'info'>
  /** `now`: the steady clock. */
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  ask(parts: Pick<AddressRoundParts, 'about' | 'all' | 'signal'>): Promise<AddressRoundResult>
  /** Hears of addresses of this machine that come, go or change; null: any may have. */
  openEvents(onChange: (texts: ReadonlySet<string> | null) => void): EventSocket
}

const NOTHING_HELD: AddressRoundResult = { held: new Set(), asked: new Set(), answers: [], refusal: null }
/** Milliseconds from a change to the questions: an address that has just come is announced first. */
const SETTLING = 2000
/** Milliseconds at most until the next questions about addresses for which another machine has answered. */
const AGAIN = 5000
/** Services that an event names. */
const MOST_NAMED = 10

export class AddressConflicts {
  readonly #parts: AddressConflictsParts
  readonly #stop = new AbortController()
  #services: ResolvedConfig['services'] = []
  /** The addresses of the services; null: not looked up since a reload, which thousands of services would hold up. */
  #shared: ReadonlyMap<string, SharedAddress> | null = null
  /** Milliseconds; null: nothing is asked. */
  #interval: number | null = null
  #events: EventSocket | null = null
  #conflicts: readonly Conflict[] = []
  #disarm: () => void = () => {}
  /** When all addresses are due, by the clock. */
  #dueAt = Number.POSITIVE_INFINITY
  #running: Promise<void> | null = null
  #hasToldFailure = false

  constructor(parts: AddressConflictsParts) {
    this.#parts = parts
  }

  /** Takes a configuration that is active. It is asked about soon, unless it has the same services as before. */
  follow({ services, settings }: Pick<ResolvedConfig, 'services' | 'settings'>): void {
    if (this.#stop.signal.aborted) return
    const interval = services.length === 0 ? null : (settings.conflictCheck ?? null)
    const isNew = this.#interval === null || services !== this.#services
    this.#services = services
    if (isNew) this.#shared = null
    this.#interval = interval
    if (interval === null) {
      this.#rest()
      this.#take(NOTHING_HELD)
      return
    }
    this.#events ??= this.#openEvents()
    this.#dueBy(this.#parts.clock.now() + (isNew ? SETTLING : interval))
  }

  /** Returns the machines that are told of, for each of the addresses of a service. */
  of(service: Pick<ResolvedService, 'id' | 'also'>): readonly Conflict[] {
    if (this.#conflicts.length === 0) return []
    const texts = new Set(idsOf(service).flatMap(id => (id.kind === 'address' ? [id.address.text] : [])))
    return this.#conflicts.filter(({ address, isTold }) => isTold && texts.has(address.text))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#rest()
    await this.#running
  }

  get #addresses(): ReadonlyMap<string, SharedAddress> {
    this.#shared ??= sharedAddresses({ services: this.#services })
    return this.#shared
  }

  #rest(): void {
    this.#disarm()
    this.#events?.close()
    this.#events = null
    this.#interval = null
    this.#dueAt = Number.POSITIVE_INFINITY
  }

  #openEvents(): EventSocket | null {
    try {
      return this.#parts.openEvents(texts => {
        if (texts === null || [...texts].some(text => this.#addresses.has(text)))
          this.#dueBy(this.#parts.clock.now() + SETTLING)
      })
    } catch (error) {
      this.#tellFailure((error as Error).message)
      return null
    }
  }

  /** Told once: what a process may do does not change, and there is nothing else that follows from it. */
  #tellFailure(error: string): void {
    if (this.#hasToldFailure) return
    this.#hasToldFailure = true
    this.#parts.log.warn(
      'address.not-asked',
      { error },
      `lvsd cannot ask who else answers for the virtual addresses (${error}): that needs CAP_NET_RAW, and packet sockets of the kernel`,
    )
  }

  /** All addresses are asked about then, or earlier. */
  #dueBy(at: number): void {
    this.#dueAt = Math.min(this.#dueAt, at)
    if (!this.#running) this.#arm()
  }

  #arm(): void {
    this.#disarm()
    const { clock } = this.#parts
    if (this.#interval === null || this.#stop.signal.aborted) return
    const ms = Math.max(0, this.#dueAt - clock.now())
    const again = this.#conflicts.length > 0 ? Math.min(AGAIN, this.#interval) : ms
    this.#disarm = clock.alarm(Math.min(ms, again), () => {
      this.#running = this.#round().finally(() => {
        this.#running = null
        this.#arm()
      })
    })
  }

  /** Asks about all addresses if they are due, else about those for which another machine has answered. Never rejects. */
  async #round(): Promise<void> {
    const { clock, ask } = this.#parts
    const all = this.#addresses
    const isWhole = clock.now() >= this.#dueAt
    const doubtful = new Set(this.#conflicts.map(({ address }) => address.text))
    const about = isWhole ? all : new Map([...all].filter(([text]) => doubtful.has(text)))
    if (isWhole) this.#dueAt = clock.now() + (this.#interval ?? 0)
    try {
      const result = about.size === 0 ? NOTHING_HELD : await ask({ about, all, signal: this.#stop.signal })
      if (this.#stop.signal.aborted || this.#interval === null) return
      this.#take(result)
      if (result.refusal !== null) this.#tellFailure(result.refusal)
    } catch (error) {
      if (!this.#stop.signal.aborted) this.#tellFailure((error as Error).message)
    }
  }

  #take({ held, asked, answers }: AddressRoundResult): void {
    const at = this.#parts.clock.now()
    const { conflicts, began, over } = afterRound(this.#conflicts, { held, asked, answers, at })
    this.#conflicts = conflicts
    for (const conflict of began) this.#tellBegin(conflict)
    for (const address of over) {
      const fields = { address, services: this.#servicesOf(address) }
      // After a takeover the other machine has it, and answers.
      const why = held.has(address)
        ? 'no other machine answers for it any more'
        : 'this machine does not have it, or does not ask about it, any more'
      this.#parts.log.info('address.conflict-over', fields, `${address}: ${why}`)
    }
  }

  #tellBegin(conflict: Conflict): void {
    const { address, hardware, interface: link, who } = conflict
    const fields = {
      address: address.text,
      services: this.#servicesOf(address.text),
      interface: link,
      hardware,
      ...(who.real !== null && { server: who.real }),
    }
    this.#parts.log.warn('address.conflict', fields, conflictText(conflict))
  }

  #servicesOf(text: string): readonly string[] {
    const services = (this.#addresses.get(text)?.services ?? []).map(({ name }) => name)
    const more = services.length - MOST_NAMED
    return more > 0 ? [...services.slice(0, MOST_NAMED), counted(more, 'other')] : services
  }
}
