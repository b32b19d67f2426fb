/** The event listener that sends alerts. */
import { hostname } from 'node:os'
import type { AlertClaims } from '../cluster/alert-claims.js'
import type { EventMemory } from '../history/event-memory.js'
import type { Resolver } from '../names/lookup.js'
import { lookupBy } from '../names/net-lookup.js'
import { Alerts } from '../notify/alerts/alerts.js'
import { prepareHttp } from '../notify/alerts/http-post.js'
import { attempt } from '../notify/alerts/transport.js'
import type { Log } from '../system/log.js'
import { version } from '../system/version.js'
import { systemClock } from '../util/clock.js'

export interface AlertListenerParts {
  /** The log of the memory of events. */
  readonly log: Log
  readonly eventMemory: Pick<EventMemory, 'follow'>
  /** Resolves the names of receivers. */
  readonly resolver: Resolver
  /** File of the state folder, or null. */
  readonly path: string | null
  /** Agrees with the other directors of the site who sends an alert. */
  readonly claims?: AlertClaims
}

export async function openAlerts({
  log,
  eventMemory,
  resolver,
  path,
  claims,
}: AlertListenerParts): Promise<Alerts> {
  const sender = { host: hostname(), version: version(), lookup: lookupBy(resolver) }
  const alerts = await Alerts.open({
    clock: systemClock,
    log,
    path,
    ...(claims && { claims }),
    prepare: prepareHttp,
    attempt: (receiver, destination, batch, signal) =>
      attempt(receiver, destination, batch, { ...sender, site: claims?.site ?? null }, signal),
  })
  let isFailing = false
  eventMemory.follow(event => {
    // The line about a failure is an event, too.
    if (isFailing) return
    try {
      alerts.hear(event)
    } catch (error) {
      isFailing = true
      log.error('observer.failed', { error: (error as Error).message }, 'an event listener failed: alerts')
      isFailing = false
    }
  })
  return alerts
}
