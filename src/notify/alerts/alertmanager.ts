/** Alerts in the form of Alertmanager's API, POST /api/v2/alerts. Pure. */
import type { AlertEntry } from '../../api/webhook-types.js'
import { entryOf, type Notice, type Sender } from './alert.js'

/** Milliseconds between two repetitions of what fires. A client of Alertmanager must repeat it before `endsAt`. */
export const RESEND_EVERY = 60_000
/** Milliseconds after which Alertmanager counts an alert as resolved that is not repeated: a restart is shorter. */
const EXPIRES_AFTER = 4 * RESEND_EVERY

export interface AmAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
}

/** `now`: milliseconds of the wall clock. */
export function amAlertOf(notice: Notice, now: number, { host }: Sender): AmAlert {
  const entry = entryOf(notice, host)
  return {
    labels: labelsOf(entry, notice, host),
    annotations: annotationsOf(entry),
    startsAt: entry.startsAt,
    endsAt: entry.endsAt ?? new Date(now + EXPIRES_AFTER).toISOString(),
  }
}

/** The labels identify an alert: they are the same for its beginning and its end. */
function labelsOf({ alert, severity, service, real }: AlertEntry, notice: Notice, host: string) {
  const { file, director } = notice.alert
  return {
    alertname: alert,
    severity,
    director: host,
    ...(service !== null && { service }),
    ...(real !== null && { real }),
    ...(file !== null && { file }),
    ...(director !== null && { member: director }),
  }
}

function annotationsOf({ summary, event }: AlertEntry) {
  return { summary, event: String(event.event ?? ''), event_id: String(event.id ?? '') }
}
