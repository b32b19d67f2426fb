/** The role of this director, as the API asks for it. */
import { clusterStatusOf } from '../api/cluster-status.js'
import type { Control } from '../api/control.js'
import { ROLE_SCHEMA } from '../api/versions.js'
import type { Cluster } from '../cluster/cluster.js'
import type { Log } from '../system/log.js'
import { steadyNow, type WallClock } from '../util/clock.js'

export interface RoleControlParts {
  readonly cluster: Pick<Cluster, 'snapshot' | 'notify' | 'role'>
  readonly dates: WallClock
  readonly log: Pick<Log, 'info'>
}

export function roleControl({ cluster, dates, log }: RoleControlParts): Control['role'] {
  return {
    read() {
      const snapshot = cluster.snapshot()
      return {
        schema: ROLE_SCHEMA,
        now: dates.iso(steadyNow()),
        role: cluster.role,
        cluster: snapshot && clusterStatusOf(snapshot, dates),
      }
    },

    notify(word, who) {
      const outcome = cluster.notify(word)
      const { kind, name, state, priority } = word
      const counts = outcome === 'counts' ? 'yes' : 'no'
      log.info(
        'role.told',
        { who, kind, name, state, priority, counts },
        `keepalived says ${state} for ${name}${NOTES[outcome]}`,
      )
      return { outcome, role: cluster.role }
    },
  }
}

const NOTES = {
  counts: '',
  late: ', which is older than what is known',
  other: ', which is not the instance or group of the configuration',
  'not asked': ', but the configuration takes no role from VRRP',
}
