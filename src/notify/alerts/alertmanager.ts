/** Alerts in the form of Alertmanager's API, POST /api/v2/alerts. Pure. */
import type { AlertEntry } from '../../api/webhook-types.js'
import { ruleOf } from '../../core/alert-rules.js'
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
export function amAlertOf(notice: Notice, now: number, sender: Sender): AmAlert {
  const entry = entryOf(notice, sender.host)
  return {
    labels: labelsOf(entry, notice, sender),
    annotations: annotationsOf(entry, sender),
    startsAt: entry.startsAt,
    endsAt: entry.endsAt ?? new Date(now + EXPIRES_AFTER).toISOString(),
  }
}

/**
 * The labels identify an alert: they are the same for its beginning and its end, and on all directors of a site if it is
 * about the site, so that Alertmanager makes one of theirs.
 */
function labelsOf({ alert, severity, service, real }: AlertEntry, notice: Notice, sender: Sender) {
  const { file, director, address } = notice.alert
  return {
    alertname: alert,
    severity,
    ...(siteOf(alert, sender) ?? { director: sender.host }),
    ...(service !== null && { service }),
    ...(real !== null && { real }),
    ...(file !== null && { file }),
    ...(director !== null && { member: director }),
    ...(address !== null && { address }),
  }
}

function annotationsOf({ alert, summary, event }: AlertEntry, sender: Sender) {
  const told = siteOf(alert, sender) && { director: sender.host }
  return { summary, ...told, event: String(event.event ?? ''), event_id: String(event.id ?? '') }
}

/** Null: the alert is about this director. */
function siteOf(alert: string, { site = null }: Sender): { readonly site: string } | null {
  return site !== null && ruleOf(alert)?.isOfSite ? { site } : null
}
