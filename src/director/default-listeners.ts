/** The event listeners of every daemon, in addition to the log. */
import { hostname } from 'node:os'
import type { AlertClaims } from '../cluster/alert-claims.js'
import type { EventListener } from '../events/event-bus.js'
import { MonitorFiles } from '../events/monitor-file.js'
import { ResultRecord } from '../events/result-record.js'
import type { Resolver } from '../names/lookup.js'
import { lookupBy } from '../names/net-lookup.js'
import type { CommandQueue } from '../notify/command-queue.js'
import { FallbackCommands } from '../notify/fallback-commands.js'
import { MailAlerts } from '../notify/mail/mail-alerts.js'
import { mailQueue } from '../notify/mail/mail-queue.js'
import { deliverer, prepareDelivery } from '../notify/mail/transport.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { systemClock } from '../util/clock.js'

export interface ListenerParts {
  readonly log: Log
  /** Records which fallback commands have run, so that this is known after a restart. */
  readonly journal: Journal
  /** Resolves the names of mail servers. */
  readonly resolver: Resolver
  /** The daemon's queue. All commands of the operator share its limit. */
  readonly commands: CommandQueue
  /** Folder of the record of results; null or absent: nothing is recorded. */
  readonly recordFolder?: string | null
  /** Agrees with the other directors of the site who sends a mail. */
  readonly claims?: AlertClaims
}

export function defaultListeners({
  log,
  journal,
  resolver,
  commands,
  recordFolder = null,
  claims,
}: ListenerParts): readonly EventListener[] {
  return [
    mails(log, resolver, claims),
    new FallbackCommands({ queue: commands, journal, log }),
    new MonitorFiles(log),
    new ResultRecord({ folder: recordFolder, log }),
  ]
}

function mails(log: Log, resolver: Resolver, claims: AlertClaims | undefined): EventListener {
  const host = hostname()
  const queue = mailQueue({
    clock: systemClock,
    log,
    host,
    ...(claims && { claims }),
    deliver: deliverer({ host, lookup: lookupBy(resolver) }),
  })
  return new MailAlerts({ clock: systemClock, host, queue, prepare: prepareDelivery })
}
