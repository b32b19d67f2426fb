/** An alert, and the documents that receivers get about alerts. Pure. */

import { createHash } from 'node:crypto'
import type { AlertEntry } from '../../api/webhook-types.js'
import type { AlertName, Severity, TEST_ALERT } from '../../core/alert-rules.js'
import { type EventFields, summaryOf } from '../../core/alert-rules.js'

/** An event as the log and `lvsd events` have it. */
export type AlertEvent = EventFields & { readonly id: number; readonly time: string; readonly event: string }

export interface Alert {
  readonly name: AlertName | typeof TEST_ALERT
  readonly severity: Severity
  /** Null where it is not about a service, or not about a real server. */
  readonly service: string | null
  readonly real: string | null
  readonly file: string | null
  /** Host of the director that it is about, if that is another one. */
  readonly director: string | null
  /** The virtual address that it is about. */
  readonly address: string | null
  /** Milliseconds of the wall clock. `endsAt`: null while it fires. */
  readonly startsAt: number
  readonly endsAt: number | null
  /** The event that began it, and the one that ended it. */
  readonly begin: AlertEvent
  readonly end: AlertEvent | null
}

export type AlertStatus = 'firing' | 'resolved'

/** An alert at one moment, for receivers. */
export interface Notice {
  readonly status: AlertStatus
  readonly alert: Alert
  /** Its fingerprint, if another director has begun to tell of it; absent: that of this director. */
  readonly print?: string | undefined
}

/** Who sends. */
export interface Sender {
  /** Name of this host. */
  readonly host: string
  readonly version: string
  /** Name of its site, if the directors share what they tell. */
  readonly site?: string | null
}

export function entryOf({ status, alert, print }: Notice, host: string): AlertEntry {
  const { name, severity, service, real, startsAt, endsAt } = alert
  const isOver = status === 'resolved'
  const event = isOver ? (alert.end ?? alert.begin) : alert.begin
  return {
    status,
    alert: name,
    severity,
    service,
    real,
    summary: summaryOf(event),
    startsAt: new Date(startsAt).toISOString(),
    endsAt: isOver && endsAt !== null ? new Date(endsAt).toISOString() : null,
    fingerprint: print ?? fingerprintOf(alert, host),
    event,
  }
}

const fingerprints = new WeakMap<Alert, string>()

/** An alert does not change what identifies it; an Alertmanager gets it again every minute. */
export function fingerprintOf(alert: Alert, host: string): string {
  const known = fingerprints.get(alert) ?? newFingerprint(alert, host)
  fingerprints.set(alert, known)
  return known
}

function newFingerprint(
  { name, service, real, file, director, address, startsAt }: Alert,
  host: string,
): string {
  const identity = JSON.stringify([host, name, service, real, file ?? director ?? address, startsAt])
  return createHash('sha256').update(identity).digest('hex').slice(0, 16)
}

/** Returns one line about all the alerts of a document. */
export function headlineOf(alerts: readonly AlertEntry[]): string {
  const [first] = alerts
  if (first && alerts.length === 1) return first.summary
  const firing = alerts.filter(({ status }) => status === 'firing').length
  const parts = [
    ...(firing > 0 ? [`${firing} firing`] : []),
    ...(firing < alerts.length ? [`${alerts.length - firing} resolved`] : []),
  ]
  return `${alerts.length} alerts: ${parts.join(', ')}`
}
