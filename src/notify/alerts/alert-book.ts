/**
 * The alerts that fire, and those that ended and of which somebody is still to be told. Knows no receiver; keeps for each
 * alert which destinations know of it.
 */
import {
  ALERT_RULES,
  type AlertName,
  type AlertRule,
  alertsEndedBy,
  type EventFields,
  keyOfAlert,
  ruleOf,
} from '../../core/alert-rules.js'
import type { EntryForm } from '../../storage/state-file.js'
import type { Alert, AlertEvent } from './alert.js'

/** An alert with what destinations know of it. */
export interface TrackedAlert extends Alert {
  readonly name: AlertName
  readonly key: string
  endsAt: number | null
  end: AlertEvent | null
  /** Destinations that were told that it fires, and not yet that it is over. */
  readonly told: Set<string>
  /** Destinations for which a message that it fires is on its way. */
  readonly underWay: Set<string>
  /** Destinations that were told the end. */
  readonly closed: Set<string>
  /** By destination its fingerprint there, if the directors of the site have agreed on who tells it. */
  readonly prints: Map<string, string>
  /** It began in an earlier process, and nothing in this one has confirmed it. */
  isRestored: boolean
}

const NONE: readonly never[] = []
/** Limit of alerts that have ended and are kept for destinations that cannot be reached. */
const MOST_ENDED = 5000

export class AlertBook {
  readonly #firing = new Map<string, TrackedAlert>()
  readonly #ended = new Set<TrackedAlert>()

  get firing(): Iterable<TrackedAlert> {
    return this.#firing.values()
  }

  get firingCount(): number {
    return this.#firing.size
  }

  /** In the order of their ends. */
  get ended(): Iterable<TrackedAlert> {
    return this.#ended
  }

  /** Returns the alert of this name that fires for what the fields name, or undefined. */
  get(name: AlertName, fields: EventFields): TrackedAlert | undefined {
    return this.#firing.get(keyOfAlert(name, fields))
  }

  /**
   * Begins an alert. Returns null if it fires already. `fields`: those of the event that say what it is about, with the
   * service by its name in the configuration.
   */
  begin(name: AlertName, event: AlertEvent, fields: EventFields, at: number): TrackedAlert | null {
    const key = keyOfAlert(name, fields)
    const known = this.#firing.get(key)
    if (known) {
      known.isRestored = false
      return null
    }
    const { severity, of }: AlertRule = ALERT_RULES[name]
    const textOf = (field: AlertRule['of'][number]) => {
      const value = of.includes(field) ? fields[field] : undefined
      return typeof value === 'string' ? value : null
    }
    const alert: TrackedAlert = {
      key,
      name,
      severity,
      service: textOf('service'),
      real: textOf('real'),
      file: textOf('file'),
      director: textOf('director'),
      address: textOf('address'),
      startsAt: at,
      endsAt: null,
      begin: event,
      end: null,
      told: new Set(),
      underWay: new Set(),
      closed: new Set(),
      prints: new Map(),
      isRestored: false,
    }
    this.#firing.set(key, alert)
    return alert
  }

  /** Returns the alerts that an event ends. */
  endedBy(event: AlertEvent, fields: EventFields): readonly TrackedAlert[] {
    // Each event is asked about, thousands of servers at a start.
    if (this.#firing.size === 0) return NONE
    return alertsEndedBy(event.event).flatMap(name => this.get(name, fields) ?? [])
  }

  /** Ends an alert. It stays in `ended` until it is dropped. */
  end(alert: TrackedAlert, event: AlertEvent | null, at: number): void {
    this.#firing.delete(alert.key)
    alert.endsAt = Math.max(at, alert.startsAt)
    alert.end = event
    this.#ended.add(alert)
    const [oldest] = this.#ended
    if (oldest && this.#ended.size > MOST_ENDED) this.#ended.delete(oldest)
  }

  /** Keeps an alert that has ended and was dropped. */
  keep(alert: TrackedAlert): void {
    this.#ended.add(alert)
  }

  drop(alert: TrackedAlert): void {
    this.#ended.delete(alert)
  }

  /** The alerts as they are stored for the next process. */
  *entries(): Generator<SavedAlert> {
    for (const alert of [...this.#firing.values(), ...this.#ended]) {
      const { name, severity, service, real, file, director, address } = alert
      const { startsAt, endsAt, begin, end } = alert
      const known = { told: [...alert.told], prints: [...alert.prints] }
      yield {
        ...{ name, severity, service, real, file, director, address },
        ...{ startsAt, endsAt, begin, end, ...known },
      }
    }
  }

  restore(saved: readonly SavedAlert[]): void {
    for (const { told, prints, ...alert } of saved) {
      const key = keyOfAlert(alert.name, { ...alert.begin, service: alert.service })
      const tracked: TrackedAlert = {
        ...alert,
        key,
        told: new Set(told),
        underWay: new Set(),
        closed: new Set(),
        prints: new Map(prints),
        isRestored: true,
      }
      if (alert.endsAt === null) this.#firing.set(key, tracked)
      else this.#ended.add(tracked)
    }
  }
}

/** An alert in the state folder. */
export interface SavedAlert extends Alert {
  readonly name: AlertName
  readonly told: readonly string[]
  readonly prints: readonly (readonly [destination: string, print: string])[]
}

export const ALERT_FORM: EntryForm<SavedAlert> = {
  name: 'alerts',
  version: 1,
  read(value) {
    const alert = value as SavedAlert
    const isRight =
      ruleOf(alert.name) !== null &&
      Number.isFinite(alert.startsAt) &&
      (alert.endsAt === null || Number.isFinite(alert.endsAt)) &&
      typeof alert.begin?.event === 'string' &&
      Array.isArray(alert.told)
    if (!isRight) throw new Error('no alert')
    // What an earlier version has written has less.
    return {
      ...alert,
      director: alert.director ?? null,
      address: alert.address ?? null,
      prints: Array.isArray(alert.prints) ? alert.prints : [],
    }
  },
}
