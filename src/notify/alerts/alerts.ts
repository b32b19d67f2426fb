/**
 * Sends alerts to webhooks, Alertmanagers and commands. An alert begins and ends with events, which it takes from the
 * memory of events; so it has their ids and names. Nothing waits for a receiver.
 *
 * What fires, and who knows of it, is kept in the state folder: a restart repeats no message and omits none. A message
 * whose answer got lost in a crash is sent again, with the same fingerprint.
 */

import type { AlertsStatus } from '../../api/status-types.js'
import { endpoint } from '../../core/address.js'
import type { AlertReceiver } from '../../core/alert-receiver.js'
import { type AlertName, ruleOf } from '../../core/alert-rules.js'
import { keysOfKernel } from '../../core/kernel-services.js'
import type { DaemonPhase, ResolvedConfig, ResolvedService } from '../../core/model.js'
import type { EventListener } from '../../events/event-bus.js'
import type { OverrideChange } from '../../health/health-changes.js'
import { StateFile } from '../../storage/state-file.js'
import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import { waitAtMost } from '../../util/with-timeout.js'
import type { Grouping } from '../grouping.js'
import type { Alert, AlertEvent, Notice } from './alert.js'
import { ALERT_FORM, AlertBook, type SavedAlert, type TrackedAlert } from './alert-book.js'
import { alertFilter } from './alert-filter.js'
import { alertGrouping, type Route } from './alert-grouping.js'
import { type AlertMessage, AlertQueue, type AlertQueueParts, alertMessage } from './alert-queue.js'
import { RESEND_EVERY } from './alertmanager.js'
import { destinationsOf } from './transport.js'

export interface AlertsParts extends Pick<AlertQueueParts, 'clock' | 'attempt' | 'claims'> {
  readonly log: Log
  /** File of the state folder; null: what fires is forgotten at the end of the process. */
  readonly path: string | null
  /** Called when a configuration first has receivers that speak HTTP. */
  readonly prepare?: () => unknown
  /** Milliseconds of the wall clock. */
  readonly now?: () => number
}

/** Milliseconds that messages in progress have when lvsd stops, and that the last write has. */
const LAST_PATIENCE = 5000
/** Milliseconds from a change to its write. */
const SAVE_AFTER = 1000
/** Milliseconds from a change to its request to an Alertmanager, which groups by itself. */
const SYNC_AFTER = 1000
/** Milliseconds for which an Alertmanager is told of an alert that is over. */
const TOLD_FOR = 5 * RESEND_EVERY
/** Milliseconds after which nobody is told of an alert that is over. */
const FORGOTTEN_AFTER = 3_600_000
interface Receiver extends Route {
  gets(alert: Pick<Alert, 'name' | 'service' | 'severity'>): boolean
}

export class Alerts implements EventListener {
  readonly #parts: AlertsParts
  readonly #clock: Pick<Clock, 'now' | 'alarm'>
  readonly #now: () => number
  readonly #book = new AlertBook()
  readonly #queue: AlertQueue
  readonly #grouping: Grouping<Notice, Route, AlertMessage>
  #receivers: readonly Receiver[] = []
  #byDestination = new Map<string, Receiver>()
  /** Names of services by their keys in the kernel, and by part the name in the configuration. */
  #names = new Map<string, string>()
  #groups = new Map<string, string>()
  /** `keyOfMember` of each server that an override takes out of service. */
  readonly #held = new Set<string>()
  #lastEvent: AlertEvent | null = null
  #file: StateFile<SavedAlert> | null = null
  readonly #timers = new Map<string, () => void>()
  #isPrepared = false
  /** The file differs from what fires. Without any alert there is no file. */
  #hasChanged = false
  #isClosed = false

  /** Reads what fired when an earlier process ended. If the file cannot be read, that is logged. */
  static async open(parts: AlertsParts): Promise<Alerts> {
    const alerts = new Alerts(parts)
    await alerts.#load()
    return alerts
  }

  private constructor(parts: AlertsParts) {
    const { clock, log, attempt, claims, now = Date.now } = parts
    this.#parts = parts
    this.#clock = clock
    this.#now = now
    this.#queue = new AlertQueue({
      clock,
      log,
      attempt,
      now,
      ...(claims && { claims }),
      isKept: parts.path !== null,
      receiverOf: destination => this.#byDestination.get(destination)?.config,
      settled: message => this.#settled(message),
    })
    this.#grouping = alertGrouping({
      clock,
      send: message => this.#queue.enqueue(message),
      skipped: (alert, destination) => {
        alert.underWay.delete(destination)
        this.#dropIfDone(alert)
      },
    })
  }

  /** State of each destination, in the order of the configuration; null without receivers. */
  status(): AlertsStatus | null {
    if (this.#receivers.length === 0) return null
    const destinations = this.#receivers.flatMap(({ config: { name, kind }, destinations }) =>
      destinations.map(destination => ({ receiver: name, kind, ...this.#queue.status(destination) })),
    )
    return { firing: this.#book.firingCount, destinations }
  }

  // -------------------------------------------------------------- what happens

  /** Takes an event of the memory of events. */
  hear(event: AlertEvent): void {
    if (this.#isClosed) return
    this.#lastEvent = event
    const fields = this.#fieldsOf(event)
    for (const alert of this.#book.endedBy(event, fields)) this.#end(alert, event, timeOf(event))
    const { service, real } = fields
    const isHeld = event.event === 'real.down' && this.#held.has(`${service} ${real}`)
    if (ruleOf(event.event) !== null && !isHeld) this.#begin(event.event as AlertName, event, fields)
  }

  phase(phase: DaemonPhase): void {
    if (phase === 'running') this.#settleRestored()
  }

  config(config: ResolvedConfig): void {
    this.#names = new Map(
      config.services.flatMap(service => keysOfKernel(service).map(key => [key, service.name])),
    )
    this.#groups = new Map(config.services.flatMap(({ name, part }) => (part ? [[name, part.of]] : [])))
    this.#follow(config.alerts ?? [])
    this.#endUnconfigured(config.services)
    for (const alert of this.#book.firing) this.#announce(alert)
    for (const alert of this.#book.ended) this.#tellEnd(alert)
    this.#sync()
  }

  /** A server that an override takes out of service causes no alert; one that is released while its checks fail does. */
  override({ service, real, after, failure }: OverrideChange): void {
    const fields = { service: service.name, real: endpoint(real.host, real.port) }
    const member = `${fields.service} ${fields.real}`
    const effect = after?.effect.kind
    if (effect === 'force-down' || effect === 'disable' || effect === 'drain') {
      this.#held.add(member)
      return
    }
    const event = this.#lastEvent
    if (!this.#held.delete(member) || !failure || !event || effect === 'force-up') return
    if (event.service === fields.service && event.real === fields.real)
      this.#begin('real.down', { ...event, reason: failure.reason, detail: failure.detail }, fields)
  }

  /** After a start an available server is no event. */
  traffic({ name }: ResolvedService, hasTraffic: boolean, before: boolean | null): void {
    if (!hasTraffic || before !== null) return
    for (const alert of ['service.fallback-in', 'service.refused'] as const)
      this.#endBy(this.#book.get(alert, { service: name }), 'a real server is available at the start')
  }

  /** Delivers for a bounded time what waits, and writes the state. */
  async close(): Promise<void> {
    this.#isClosed = true
    const isSyncDue = this.#timers.has('sync')
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    if (isSyncDue) this.#sync()
    this.#grouping.flush()
    await this.#queue.close(LAST_PATIENCE)
    if (this.#hasChanged) await waitAtMost(LAST_PATIENCE, this.#save())
    await this.#file?.close(LAST_PATIENCE)
  }

  // -------------------------------------------------------------- begin and end

  #fieldsOf(event: AlertEvent): AlertEvent {
    const name = typeof event.service === 'string' ? this.#names.get(event.service) : undefined
    return name === undefined ? event : { ...event, service: name }
  }

  #begin(name: AlertName, event: AlertEvent, fields: Readonly<Record<string, unknown>>): void {
    const alert = this.#book.begin(name, event, fields, timeOf(event))
    if (!alert) return
    this.#announce(alert)
    this.#changed()
  }

  #end(alert: TrackedAlert, event: AlertEvent | null, at: number): void {
    this.#book.end(alert, event, at)
    this.#tellEnd(alert)
    this.#changed()
  }

  /** Ends an alert that no event ends, with an event of its own. */
  #endBy(alert: TrackedAlert | undefined, why: string): void {
    if (!alert) return
    const { name, service, real } = alert
    const fields = { alert: name, ...(service !== null && { service }), ...(real !== null && { real }), why }
    this.#parts.log.info('alert.ended', fields, `an alert is over: ${why}`)
    const event = this.#lastEvent?.event === 'alert.ended' ? this.#lastEvent : null
    this.#end(alert, event, this.#now())
  }

  #endUnconfigured(services: readonly ResolvedService[]): void {
    if (this.#held.size === 0 && this.#book.firingCount === 0) return
    const known = new Set<string>()
    for (const { name, reals } of services) {
      known.add(name)
      for (const { host, port } of reals) known.add(`${name} ${endpoint(host, port)}`)
    }
    for (const member of this.#held) if (!known.has(member)) this.#held.delete(member)
    for (const alert of [...this.#book.firing]) {
      const { service, real } = alert
      if (service === null || known.has(real === null ? service : `${service} ${real}`)) continue
      this.#endBy(alert, 'it is about something that is no longer configured')
    }
  }

  /** Ends alerts of an earlier process whose cause nothing in this one has confirmed in time. */
  #settleRestored(): void {
    const restored = [...this.#book.firing].filter(({ isRestored }) => isRestored)
    const waits = new Set(restored.flatMap(({ name }) => ruleOf(name)?.settles ?? []))
    for (const wait of waits)
      this.#after(`settle ${wait}`, wait, () => {
        for (const alert of [...this.#book.firing])
          if (alert.isRestored && ruleOf(alert.name)?.settles === wait)
            this.#endBy(alert, 'it is from an earlier run of lvsd, and its cause did not occur again')
      })
  }

  // -------------------------------------------------------------- receivers

  /** Takes the receivers of a configuration. One that stays keeps its queue. */
  #follow(configs: readonly AlertReceiver[]): void {
    this.#receivers = configs.map(config => ({
      config,
      destinations: destinationsOf(config),
      gets: alertFilter(config, service => this.#groups.get(service)),
    }))
    const before = this.#byDestination
    this.#byDestination = new Map(
      this.#receivers.flatMap(receiver => receiver.destinations.map(name => [name, receiver] as const)),
    )
    for (const name of before.keys()) if (!this.#byDestination.has(name)) this.#queue.forget(name)
    for (const alert of [...this.#book.firing, ...this.#book.ended])
      for (const known of [alert.told, alert.underWay])
        for (const name of known) if (!this.#byDestination.has(name)) known.delete(name)
    if (this.#isPrepared || !configs.some(({ kind }) => kind !== 'command')) return
    this.#isPrepared = true
    this.#parts.prepare?.()
  }

  #announce(alert: TrackedAlert): void {
    for (const receiver of this.#receivers) {
      const [name = ''] = receiver.destinations
      if (receiver.config.kind === 'alertmanager') this.#syncSoon()
      else if (receiver.gets(alert) && !alert.told.has(name) && !alert.underWay.has(name)) {
        alert.underWay.add(name)
        this.#grouping.add({ status: 'firing', alert }, receiver)
      }
    }
  }

  #tellEnd(alert: TrackedAlert): void {
    for (const receiver of this.#receivers) {
      const [name = ''] = receiver.destinations
      if (receiver.config.kind === 'alertmanager') this.#syncSoon()
      else if ((alert.told.has(name) || alert.underWay.has(name)) && !alert.closed.has(name)) {
        alert.closed.add(name)
        this.#grouping.add({ status: 'resolved', alert }, receiver)
      }
    }
    this.#dropIfDone(alert)
  }

  /** A message has arrived, or is given up. */
  #settled({ destination, notices, current }: AlertMessage): void {
    for (const { status, alert } of notices) {
      const tracked = alert as TrackedAlert
      if (status === 'firing') {
        tracked.told.add(destination)
        tracked.underWay.delete(destination)
        // It ended while the Alertmanager was told that it fires.
        if (current && tracked.endsAt !== null) this.#keepForEnd(tracked)
      } else if (current) tracked.closed.add(destination)
      else tracked.told.delete(destination)
      this.#dropIfDone(tracked)
    }
    this.#changed()
  }

  #keepForEnd(alert: TrackedAlert): void {
    this.#book.keep(alert)
    this.#syncSoon()
  }

  #dropIfDone(alert: TrackedAlert): void {
    if (alert.endsAt === null) return
    const age = this.#now() - alert.endsAt
    const isTelling = [...alert.told].some(
      name => !(alert.closed.has(name) && age > TOLD_FOR && this.#isAlertmanager(name)),
    )
    if ((!isTelling && alert.underWay.size === 0) || age > FORGOTTEN_AFTER) this.#book.drop(alert)
  }

  #isAlertmanager(destination: string): boolean {
    return this.#byDestination.get(destination)?.config.kind === 'alertmanager'
  }

  // -------------------------------------------------------------- Alertmanagers

  #syncSoon(): void {
    if (!this.#isClosed) this.#after('sync', SYNC_AFTER, () => this.#sync(), { isKept: true })
  }

  /** Sends what fires, and what has ended, to each Alertmanager, and again before it expires there. */
  #sync(): void {
    for (const alert of [...this.#book.ended]) this.#dropIfDone(alert)
    const managers = this.#receivers.filter(({ config }) => config.kind === 'alertmanager')
    for (const receiver of managers)
      for (const destination of receiver.destinations) {
        const current = () => this.#stateFor(receiver, destination)
        if (!this.#queue.hasUntried(destination) && current().length > 0)
          this.#queue.enqueue(alertMessage(destination, { current }))
      }
    if (managers.length > 0 && !this.#isClosed) this.#after('resend', RESEND_EVERY, () => this.#sync())
  }

  #stateFor({ gets }: Receiver, destination: string): readonly Notice[] {
    const notices = new Map<string, Notice>()
    // A later alert about the same takes the place of an earlier one: for Alertmanager they are one.
    for (const alert of this.#book.ended)
      if (alert.told.has(destination)) notices.set(alert.key, { status: 'resolved', alert })
    for (const alert of this.#book.firing)
      if (gets(alert) || alert.told.has(destination)) notices.set(alert.key, { status: 'firing', alert })
    return [...notices.values()]
  }

  // -------------------------------------------------------------- the state folder

  async #load(): Promise<void> {
    const { path, log } = this.#parts
    if (path === null) return
    try {
      const { file, entries } = await StateFile.open({
        path,
        form: ALERT_FORM,
        log,
        alarm: this.#clock.alarm,
      })
      this.#file = file
      this.#book.restore(entries)
    } catch (error) {
      log.error(
        'state.failed',
        { file: path, error: (error as Error).message },
        'the alerts of earlier runs cannot be read; those that still fire may be sent again',
      )
    }
  }

  #changed(): void {
    this.#hasChanged = true
    if (!this.#isClosed) this.#after('save', SAVE_AFTER, () => void this.#save(), { isKept: true })
  }

  async #save(): Promise<void> {
    this.#hasChanged = false
    await this.#file?.saveSliced(this.#book.entries())
  }

  /** Sets the timer of this name, in place of an earlier one. `isKept`: an earlier one stays. */
  #after(name: string, ms: number, then: () => void, { isKept = false } = {}): void {
    const before = this.#timers.get(name)
    if (before && isKept) return
    before?.()
    const cancel = this.#clock.alarm(ms, () => {
      this.#timers.delete(name)
      then()
    })
    this.#timers.set(name, cancel)
  }
}

function timeOf({ time }: AlertEvent): number {
  return Date.parse(time)
}
