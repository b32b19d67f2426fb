/** ldirectord's mails: who is told by mail when servers go and come. */

import {
  type Change,
  type CheckResult,
  type Config,
  type DaemonPhase,
  keyOfReal,
  keyOfService,
  type Real,
  type Service,
  type ServiceId,
} from '../../core/model.js'
import type { EventListener } from '../../events/event-bus.js'
import type { Hold, Transition } from '../../health/health-store.js'
import type { Clock } from '../../util/clock.js'
import { Grouping } from './grouping.js'
import type { MailMessage } from './message.js'
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
  /** The name of this host. */
  readonly host: string
  readonly queue: { enqueue(message: MailMessage): void; close(patience: number): Promise<void> }
  /** Called once somebody is to get mails. */
  readonly prepare?: () => unknown
  /** Wall-clock milliseconds. */
  readonly wallClock?: () => number
}

/** Milliseconds that mails under way are given when lvsd stops. */
const LAST_PATIENCE = 5000
/**
 * Milliseconds after its first result for which changes of a server still count as part of the start or the reload that
 * brought it.
 */
const SETTLING = 5000

/**
 * Mails follow the changes that the kernel has taken. A server that is down without any change of the table (it was
 * never in) is told as inaccessible, and so is one that stays down, every `repeat`. A fallback is never repeated.
 */
export function mailAlerts({
  clock,
  host,
  queue,
  prepare,
  wallClock = Date.now,
}: MailAlertsParts): EventListener {
  const grouping = new Grouping({ clock, host, send: message => queue.enqueue(message) })
  const reminders = new Reminders(clock, member => remind(member))
  let known: ReadonlyMap<string, Known> = new Map()
  let members: ReadonlyMap<string, Place> = new Map()
  let phase: DaemonPhase = 'starting'
  let isPrepared = false
  /** Servers of this start or reload: what the daemon did when they came, and until when that counts. */
  const settling = new Map<string, { phase: DaemonPhase; until: number }>()

  /** Servers in maintenance: nobody is reminded of them. */
  const holds = new Set<string>()

  const tell = (news: ServerEvent, during: DaemonPhase, reason: string | null) => {
    const { mail } = news.service
    if (mail?.during.includes(during)) grouping.add({ news, phase: during, at: wallClock(), reason }, mail)
  }

  const remind = (member: string) => {
    const place = members.get(member)
    if (place?.service.id) tell(inaccessible(place, place.service.id), phase, reminders.reasonOf(member))
  }

  const phaseOf = (member: string): DaemonPhase => {
    const settles = settling.get(member)
    return settles && clock.now() < settles.until ? settles.phase : phase
  }

  const follow = (config: Config) => {
    const before = members
    known = knownServices(config)
    members = membersOf(known)
    for (const member of settling.keys()) if (!members.has(member)) settling.delete(member)
    for (const member of members.keys())
      if (!before.has(member)) settling.set(member, { phase, until: Number.POSITIVE_INFINITY })
    for (const member of holds) if (!members.has(member)) holds.delete(member)
    const repeatOf = (member: string, { service }: Place) =>
      holds.has(member) ? null : (service.mail?.repeat ?? null)
    reminders.follow(new Map([...members].map(([member, place]) => [member, repeatOf(member, place)])))
    if (isPrepared || !config.services.some(({ mail }) => mail)) return
    isPrepared = true
    prepare?.()
  }

  const transition = ({ service, real, from, to, result, hasMovedServer }: Transition) => {
    const member = memberOf(service, real)
    if (!hasMovedServer || member === null) return
    const settles = settling.get(member)
    if (from !== 'unknown') settling.delete(member)
    else if (settles) settles.until = clock.now() + SETTLING
    if (to === 'down') tellDown(service, real, member, result)
    else reminders.forget(member)
  }

  const tellDown = (service: Service, real: Real, member: string, { reason, detail }: CheckResult) => {
    // Drained by its configuration: that it is down changes nothing for anybody.
    if (service.quiescent && real.attributes.weight === 0) return reminders.forget(member)
    const place = members.get(member)
    const why = `${reason}: ${detail}`
    reminders.add(member, why, service.mail?.repeat ?? null)
    if (place && service.id) tell(inaccessible(place, service.id), phaseOf(member), why)
  }

  /**
   * Whoever has taken a server out of work is told of the change, as ldirectord does, and not reminded. One that is let
   * go while its checks fail is as down as any other.
   */
  const held = ({ service, real, reason, failure }: Hold) => {
    const member = memberOf(service, real)
    if (member === null) return
    if (reason !== null) {
      holds.add(member)
      return reminders.add(member, `maintenance: ${reason}`, null)
    }
    holds.delete(member)
    // It is not the start that brings it back.
    settling.delete(member)
    reminders.forget(member)
    if (failure) tellDown(service, real, member, failure)
  }

  const applied = (changes: readonly Change[]) => {
    for (const change of changes) {
      const place = known.get(keyOfService(change.id))
      if (!place) continue
      const during = phaseOfChange(change, place)
      for (const news of eventsOf(change, place, during)) {
        const isGain = news.word === 'Added' || news.word === 'Restored'
        if (isGain) reminders.forget(news.member)
        tell(news, during, reminders.reasonOf(news.member))
      }
    }
  }

  /** A fallback comes with a start as long as all servers of its service are new. */
  const phaseOfChange = (change: Change, { reals, fallback }: Known): DaemonPhase => {
    if (!('real' in change) && change.op !== 'delete-real') return phase
    const server = keyOfReal('real' in change ? change.real : change.was)
    if (reals.has(server)) return phaseOf(keyOfMember(change.id, server))
    if (server !== fallback || reals.size === 0) return phase
    const phases = new Set([...reals.keys()].map(key => phaseOf(keyOfMember(change.id, key))))
    const [only = phase] = phases
    return phases.size === 1 ? only : phase
  }

  return {
    phase(now) {
      phase = now
    },
    config: follow,
    transition,
    held,
    applied,
    async close() {
      reminders.close()
      grouping.flush()
      await queue.close(LAST_PATIENCE)
    },
  }
}

interface Place {
  readonly service: Service
  /** `keyOfReal`. */
  readonly server: string
}

/** Null where the server or its service has no address yet: then neither is in the table. */
function memberOf({ id }: Service, { address, port }: Real): string | null {
  return id && address && keyOfMember(id, keyOfReal({ address, port }))
}

function membersOf(known: ReadonlyMap<string, Known>): ReadonlyMap<string, Place> {
  const members = new Map<string, Place>()
  for (const { service, reals } of known.values())
    for (const server of reals.keys())
      if (service.id) members.set(keyOfMember(service.id, server), { service, server })
  return members
}

function inaccessible({ service, server }: Place, id: ServiceId): ServerEvent {
  return describeEvent(service, id, { word: 'Inaccessible', server, tag: 'real', weight: null })
}
