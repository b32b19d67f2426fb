/** The observers that every daemon has. */
import { hostname } from 'node:os'
import { deliverer, prepareDelivery } from './alert/deliver.js'
import { mailAlerts } from './alert/mail-alerts.js'
import { Outbox } from './alert/outbox.js'
import { systemClock } from './clock.js'
import { fallbackCommands } from './fallback-commands.js'
import { openHooks } from './hooks.js'
import { type Journal, memoryJournal } from './journal/journal.js'
import type { Log } from './log.js'
import { type MonitorFile, monitorLine, openMonitorFile } from './monitor-file.js'
import { lookupBy } from './names/net-lookup.js'
import { openResolver, type Resolver } from './names/resolver.js'
import type { Observer } from './observer.js'
import { openWriter } from './writer.js'

export interface ObserverParts {
  /** What was begun before a restart is known after it. */
  readonly journal?: Journal
  /** For the names of mail servers. */
  readonly resolver?: Resolver
}

export function standardObservers(
  log: Log,
  { journal = memoryJournal(), resolver = openResolver() }: ObserverParts = {},
): readonly Observer[] {
  return [mails(log, resolver), fallbackCommands({ hooks: openHooks(log), journal, log }), monitorFiles(log)]
}

function mails(log: Log, resolver: Resolver): Observer {
  const host = hostname()
  const outbox = new Outbox({
    clock: systemClock,
    log,
    deliver: deliverer({ host, lookup: lookupBy(resolver) }),
  })
  return mailAlerts({ clock: systemClock, host, outbox, prepare: prepareDelivery })
}

function monitorFiles(log: Log): Observer {
  const files = new Map<string, MonitorFile>()
  const writer = openWriter()
  return {
    result(subscriber, result) {
      const path = subscriber.service.monitorfile
      const line = path && monitorLine(subscriber, result, new Date(), process.pid)
      if (!path || !line) return
      const file = files.get(path) ?? openMonitorFile(path, writer, log)
      files.set(path, file)
      file.write(line)
    },
    close: () => Promise.all([...files.values()].map(file => file.idle())),
  }
}
