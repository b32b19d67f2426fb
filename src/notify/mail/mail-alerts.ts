/** Sends mails when servers go down or come back, as ldirectord does. */

import type { ConnectivityChange } from '../../cluster/connectivity/monitor.js'
import { kernelServicesOf } from '../../core/kernel-services.js'
import {
  type Change,
  type CheckResult,
  type DaemonPhase,
  keyOfReal,
  keyOfService,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
  type ServiceId,
} from '../../core/model.js'
import { isHold, withReason } from '../../core/override.js'
import { differingOf } from '../../core/shared-config.js'
import type { EventListener } from '../../events/event-bus.js'
import type { OverrideChange, Transition } from '../../health/health-changes.js'
import type { IsolationChange } from '../../health/isolation.js'
import type { PanicChange } from '../../health/panics.js'
import { type Clock, steadyNow } from '../../util/clock.js'
import type { Grouping } from '../grouping.js'
import { mailGrouping } from './mail-grouping.js'
import type { Item, MailMessage, News, Route } from './message.js'
import {
  connectivityLost,
  connectivityRestored,
  type DownServer,
  isolationBegins,
  isolationEnds,
  panicBegins,
  panicEnds,
} from './notices.js'
import { Reminders } from './reminders.js'
import {
  describeEvent,
  eventsOf,
  type Known,
  keyOfMember,
  knownServices,
  type ServerEvent,
} from './server-event.js'

export interface MailAlertsParts {
  readonly clock: Clock
  /** Name of this host. */
  readonly host: string
  readonly queue: { enqueue(message: MailMessage): void; close(patience: number): Promise<void> }
  /** Called once when a configuration has recipients of mails. */
  readonly prepare?: () => unknown
  /** Returns wall-clock milliseconds. */
  readonly wallClock?: () => number
  /** Returns milliseconds of the steady clock. */
  readonly steadyClock?: () => number
}

/** Milliseconds that mails in progress have when lvsd stops. */
const LAST_PATIENCE = 5000
/** Milliseconds after a server's first result in which changes belong to the start or reload that added it. */
const SETTLING = 5000

/**
 * Sends mails about changes that the kernel has accepted. A server that goes down without a change of the table (it was
 * never in it) is reported as inaccessible, and so is a server that stays down, every `repeat` milliseconds. Mails
 * about a fallback are never repeated. A panic, an isolation and a lost network have a mail when they begin and when they end; until then
 * there are no mails about single real servers of a service in panic, and no reminders while this director is cut off.
 */
export class MailAlerts implements EventListener {
  readonly #parts: MailAlertsParts
  readonly #grouping: Grouping<Item, Route, MailMessage>
  readonly #reminders: Reminders
  #services: readonly ResolvedService[] = []
  readonly #known = new Map<string, Known>()
  readonly #members = new Map<string, Place>()
  #phase: DaemonPhase = 'starting'
  #isPrepared = false
  /** False until a configuration has mails. Until then no server needs to be known by its name. */
  #isFollowing = false
  /** Servers added by a start or reload: the phase of the daemon at that time, and the time until which it applies. */
  readonly #settling = new Map<string, { phase: DaemonPhase; until: number }>()
  /** Held servers, for which there are no reminders. */
  readonly #holds = new Set<string>()
  /** Names of the services in panic. There are no mails about their single real servers. */
  readonly #panics = new Set<string>()
  /**
   * Start of the current isolation, and of the current loss of the network, in wall-clock milliseconds. There are no
   * reminders meanwhile.
   */
  readonly #cutOffAt = new Map<CutOff, number>()

  constructor(parts: MailAlertsParts) {
    const { clock, host, queue } = parts
    this.#parts = parts
    this.#grouping = mailGrouping({ clock, host, send: message => queue.enqueue(message) })
    this.#reminders = new Reminders(clock, member => this.#remind(member))
  }

  phase(phase: DaemonPhase): void {
    this.#phase = phase
  }

  config(config: ResolvedConfig): void {
    const areMails = config.services.some(({ mail }) => mail)
    if (areMails && !this.#isFollowing) this.#catchUp()
    if (this.#isFollowing) this.#takeOver(config)
    this.#services = config.services
    if (this.#isPrepared || !areMails) return
    this.#isPrepared = true
    this.#parts.prepare?.()
  }

  /** Takes the services that were there before the first mail: their servers are no news of this configuration. */
  #catchUp(): void {
    this.#isFollowing = true
    this.#follow([], this.#services)
    this.#settling.clear()
    for (const member of this.#holds) if (!this.#members.has(member)) this.#holds.delete(member)
  }

  #takeOver(config: ResolvedConfig): void {
    this.#follow(...differingOf(this.#services, config.services))
    const names = new Set(config.services.map(({ name }) => name))
    for (const name of this.#panics) if (!names.has(name)) this.#panics.delete(name)
    this.#reminders.follow(member => {
      const place = this.#members.get(member)
      return place && (this.#holds.has(member) ? null : (place.service.mail?.repeat ?? null))
    })
  }

  /** Takes the services that a configuration does not have any more, and those that it has instead. */
  #follow(gone: readonly ResolvedService[], fresh: readonly ResolvedService[]): void {
    const left = knownServices({ services: gone })
    const before = membersOf(left)
    for (const member of before.keys()) this.#members.delete(member)
    for (const key of left.keys()) this.#known.delete(key)
    const known = knownServices({ services: fresh })
    for (const [key, one] of known) this.#known.set(key, one)
    for (const [member, place] of membersOf(known)) {
      this.#members.set(member, place)
      if (!before.has(member))
        this.#settling.set(member, { phase: this.#phase, until: Number.POSITIVE_INFINITY })
    }
    for (const member of before.keys()) {
      if (this.#members.has(member)) continue
      this.#settling.delete(member)
      this.#holds.delete(member)
    }
  }

  transition({ service, real, from, to, result, hasMovedServer }: Transition): void {
    if (!hasMovedServer) return
    const members = membersOfReal(service, real)
    const [member] = members
    if (member === undefined) return
    for (const one of members) {
      const settles = this.#settling.get(one)
      if (from !== 'unknown') this.#settling.delete(one)
      else if (settles) settles.until = this.#parts.clock.now() + SETTLING
    }
    if (to === 'down') this.#serverDown(service, real, member, result)
    else this.#reminders.forget(member)
  }

  /**
   * Handles an override. The change of the table is reported, as in ldirectord, but there are no reminders. A server
   * that is released while its checks fail is reported as down.
   */
  override({ service, real, after, failure }: OverrideChange): void {
    const member = memberOf(service, real)
    if (member === null) return
    if (isHold(after)) {
      this.#holds.add(member)
      this.#reminders.add(member, `maintenance: ${withReason(after)}`, null)
      return
    }
    if (!this.#holds.delete(member)) return
    // The override, and not the start, brings the server back.
    for (const one of membersOfReal(service, real)) this.#settling.delete(one)
    this.#reminders.forget(member)
    if (failure) this.#serverDown(service, real, member, failure)
  }

  panic({ service, isPanic, since, reals, of }: PanicChange): void {
    const lasted = this.#steady() - since
    if (!isPanic) {
      if (!this.#panics.delete(service.name)) return
      this.#notify(service, panicEnds({ service, lasted, down: this.#downOf(service) }))
      return
    }
    this.#panics.add(service.name)
    const members = new Set(reals.flatMap(real => memberOf(service, real) ?? []))
    const others = new Set(this.#downOf(service).flatMap(({ member }) => (members.has(member) ? [] : member)))
    const held = () => this.#downOf(service).filter(({ member }) => !others.has(member))
    const until = this.#wall() - lasted + (service.panic?.for ?? 0)
    this.#notify(service, panicBegins({ service, members, of, until, held }))
  }

  isolation({ isIsolated, ...change }: IsolationChange): void {
    this.#cutOff('isolation', isIsolated, change, [isolationBegins, isolationEnds])
  }

  connectivity({ isLost, ...change }: ConnectivityChange): void {
    this.#cutOff('connectivity', isLost, change, [connectivityLost, connectivityRestored])
  }

  /** Sends a notice to all recipients when this director is cut off, and when it is not any more. */
  #cutOff(
    kind: CutOff,
    isCutOff: boolean,
    { since, detail }: Omit<IsolationChange, 'isIsolated'>,
    [begins, ends]: readonly [typeof isolationBegins, typeof isolationEnds],
  ): void {
    const { host } = this.#parts
    const now = this.#wall()
    const from = this.#cutOffAt.get(kind) ?? now - (this.#steady() - since)
    if (isCutOff) this.#cutOffAt.set(kind, from)
    else this.#cutOffAt.delete(kind)
    const notice = { host, since: from, detail }
    const news = isCutOff ? begins(notice) : ends({ ...notice, until: now })
    const told = new Set<string>()
    for (const { service } of this.#known.values()) {
      const route = JSON.stringify(service.mail && [service.mail.to, service.mail.from, service.mail.server])
      if (told.has(route)) continue
      if (this.#notify(service, news)) told.add(route)
    }
  }

  /** Returns true if the service has mails in this phase. */
  #notify({ mail }: ResolvedService, news: News): boolean {
    if (!mail?.during.includes(this.#phase)) return false
    this.#grouping.add({ news, phase: this.#phase, at: this.#wall(), reason: null }, mail)
    return true
  }

  /** Returns the real servers of the service that fail, those that a panic holds included; none in maintenance. */
  #downOf(service: ResolvedService): readonly (DownServer & { readonly member: string })[] {
    return service.reals.flatMap(real => {
      const member = memberOf(service, real)
      const reason = member === null ? null : this.#reminders.reasonOf(member)
      if (member === null || reason === null || !real.address || this.#holds.has(member)) return []
      return { member, reason, name: keyOfReal({ address: real.address, port: real.port }) }
    })
  }

  #wall(): number {
    const { wallClock = Date.now } = this.#parts
    return wallClock()
  }

  #steady(): number {
    const { steadyClock = steadyNow } = this.#parts
    return steadyClock()
  }

  applied(changes: readonly Change[]): void {
    for (const change of changes) {
      const place = this.#known.get(keyOfService(change.id))
      if (!place) continue
      const during = this.#phaseOfChange(change, place)
      for (const event of eventsOf(change, place, during)) {
        const isGain = event.word === 'Added' || event.word === 'Restored'
        // A panic puts servers back that still fail.
        if (isGain && !this.#panics.has(event.service.name)) this.#reminders.forget(event.member)
        this.#add(event, during, this.#reminders.reasonOf(event.member))
      }
    }
  }

  async close(): Promise<void> {
    this.#reminders.close()
    this.#grouping.flush()
    await this.#parts.queue.close(LAST_PATIENCE)
  }

  #add(event: ServerEvent, during: DaemonPhase, reason: string | null): void {
    const { mail, name } = event.service
    if (!mail?.during.includes(during)) return
    if (this.#panics.has(name) && event.tag === 'real' && event.word !== 'Purged') return
    this.#grouping.add({ news: event, phase: during, at: this.#wall(), reason }, mail)
  }

  #remind(member: string): void {
    if (this.#cutOffAt.size > 0) return
    const place = this.#members.get(member)
    if (place) this.#add(inaccessible(place), this.#phase, this.#reminders.reasonOf(member))
  }

  #serverDown(
    service: ResolvedService,
    real: ResolvedReal,
    member: string,
    { reason, detail }: CheckResult,
  ): void {
    // A server drained by its configuration: its failure has no effect.
    if (service.quiescent && real.attributes.weight === 0) {
      this.#reminders.forget(member)
      return
    }
    const place = this.#members.get(member)
    const why = `${reason}: ${detail}`
    this.#reminders.add(member, why, service.mail?.repeat ?? null)
    if (place) this.#add(inaccessible(place), this.#phaseOf(member), why)
  }

  #phaseOf(member: string): DaemonPhase {
    const settles = this.#settling.get(member)
    return settles && this.#parts.clock.now() < settles.until ? settles.phase : this.#phase
  }

  /** A change of the fallback counts as part of a start while all servers of its service are new. */
  #phaseOfChange(change: Change, { reals, fallback }: Known): DaemonPhase {
    if (!('real' in change) && change.op !== 'delete-real') return this.#phase
    const server = keyOfReal('real' in change ? change.real : change.was)
    if (reals.has(server)) return this.#phaseOf(keyOfMember(change.id, server))
    if (server !== fallback || reals.size === 0) return this.#phase
    const phases = new Set([...reals.keys()].map(key => this.#phaseOf(keyOfMember(change.id, key))))
    const [only = this.#phase] = phases
    return phases.size === 1 ? only : this.#phase
  }
}

/** How this director is cut off. */
type CutOff = 'isolation' | 'connectivity'

interface Place {
  readonly service: ResolvedService
  readonly id: ServiceId
  /** `keyOfReal`. */
  readonly server: string
}

/** Returns null if the real server or its service has no address yet and is therefore not in the table. */
function memberOf(service: ResolvedService, real: ResolvedReal): string | null {
  return membersOfReal(service, real)[0] ?? null
}

/** A real server of a service with several addresses may have several entries. The first one stands for it. */
function membersOfReal(service: ResolvedService, real: ResolvedReal): readonly string[] {
  const { address, port } = real
  if (!address) return []
  const server = keyOfReal({ address, port })
  return kernelServicesOf(service, real).flatMap(({ id }) => (id ? keyOfMember(id, server) : []))
}

function membersOf(known: ReadonlyMap<string, Known>): ReadonlyMap<string, Place> {
  const members = new Map<string, Place>()
  for (const { service, id, reals } of known.values())
    for (const server of reals.keys()) members.set(keyOfMember(id, server), { service, id, server })
  return members
}

function inaccessible({ service, id, server }: Place): ServerEvent {
  return describeEvent(service, id, { word: 'Inaccessible', server, tag: 'real', weight: null })
}
