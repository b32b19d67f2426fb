/** The observers that every daemon has. */
import { hostname } from 'node:os'
import { endpoint } from './address.js'
import { deliverer, prepareDelivery } from './alert/deliver.js'
import { mailAlerts } from './alert/mail-alerts.js'
import { Outbox } from './alert/outbox.js'
import { systemClock } from './clock.js'
import { type Hooks, openHooks } from './hooks.js'
import type { Log } from './log.js'
import type { Service } from './model.js'
import { type MonitorFile, monitorLine, openMonitorFile } from './monitor-file.js'
import type { Observer } from './observer.js'

export function standardObservers(log: Log): readonly Observer[] {
  return [mails(log), fallbackCommands(openHooks(log)), monitorFiles(log)]
}

function mails(log: Log): Observer {
  const host = hostname()
  const outbox = new Outbox({ clock: systemClock, log, deliver: deliverer({ host }) })
  return mailAlerts({ clock: systemClock, host, outbox, prepare: prepareDelivery })
}

/** Runs each service's `fallbackcommand`, as `COMMAND start|stop VIRTUAL PROTOCOL`, like ldirectord. */
export function fallbackCommands(hooks: Hooks): Observer {
  return {
    traffic(service, hasTraffic) {
      const command = service.fallbackcommand
      if (command !== null)
        hooks.run(service.name, command, [hasTraffic ? 'stop' : 'start', ...virtualOf(service)])
    },
    close: () => hooks.idle(),
  }
}

/** `[2001:db8::80]:80 tcp`; `:0 fwm` for a firewall mark. */
function virtualOf({ id, unresolved }: Service): [string, string] {
  if (id?.kind === 'address') return [endpoint(id.address, id.port), id.protocol]
  return id ? [':0', 'fwm'] : [`:${unresolved?.port}`, unresolved?.protocol ?? 'tcp']
}

function monitorFiles(log: Log): Observer {
  const files = new Map<string, MonitorFile>()
  return {
    result(subscriber, result) {
      const path = subscriber.service.monitorfile
      if (path === null) return
      const file = files.get(path) ?? openMonitorFile(path, log)
      files.set(path, file)
      file.write(monitorLine(subscriber, result, new Date(), process.pid))
    },
    close: () => Promise.all([...files.values()].map(file => file.idle())),
  }
}
