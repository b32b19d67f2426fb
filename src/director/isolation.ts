/** Notices that lvsd itself cannot reach any server, from the routes and interfaces of this machine. */
import type { Events } from '../events/event-bus.js'
import { Isolation } from '../health/isolation.js'
import type { Paths } from '../netlink/paths.js'
import type { Log } from '../system/log.js'
import { steadyNow } from '../util/clock.js'
import type { Emitter } from '../util/emitter.js'

export function isolationBy(paths: Paths, events: Emitter<Events>, log: Pick<Log, 'warn'>): Isolation {
  return new Isolation({
    paths,
    now: steadyNow,
    onChange: change => events.emit('isolation', change),
    onFailure: ({ message }) =>
      log.warn(
        'director.paths-unknown',
        { error: message },
        'lvsd cannot ask the kernel for its routes: it would not notice that it is isolated',
      ),
  })
}
