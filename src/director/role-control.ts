/** The role of this director, as the API asks for it. */
import { clusterStatusOf } from '../api/cluster-status.js'
import type { Control } from '../api/control.js'
import { HEALTH_SCHEMA, ROLE_SCHEMA } from '../api/versions.js'
import type { Cluster } from '../cluster/cluster.js'
import { directorHealth } from '../core/director-health.js'
import type { ResolvedConfig, ResolvedService } from '../core/model.js'
import { intervalBy } from '../core/role.js'
import type { HealthTracker } from '../health/health-tracker.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { Log } from '../system/log.js'
import { steadyNow, type WallClock } from '../util/clock.js'
import { didYouMeanOf } from '../util/closest-match.js'

export interface RoleControlParts {
  readonly cluster: Pick<Cluster, 'snapshot' | 'notify' | 'role' | 'table' | 'checks' | 'connectivity'>
  readonly health: Pick<HealthTracker, 'availability' | 'isUnjudgedAndEmpty'>
  readonly reconciler: Pick<Reconciler, 'table'>
  readonly applier: { readonly config: ResolvedConfig }
  isReady(): boolean
  readonly dates: WallClock
  readonly log: Pick<Log, 'info'>
}

export function roleControl(parts: RoleControlParts): Control['role'] {
  const { cluster, dates, log } = parts
  return {
    health: names => healthOf(names, parts),

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

function healthOf(names: readonly string[], parts: RoleControlParts): ReturnType<Control['role']['health']> {
  const { cluster, health, applier, isReady } = parts
  const { services } = applier.config
  const asked = services.filter(({ name, part }) => names.includes(name) || names.includes(part?.of ?? name))
  const isThere = (wanted: string) =>
    services.some(({ name, part }) => name === wanted || part?.of === wanted)
  const missing = names.find(name => !isThere(name))
  if (missing !== undefined)
    return `there is no service "${missing}"${didYouMeanOf(
      missing,
      services.map(({ name }) => name),
    )}`
  const { isGood, reason } = directorHealth({
    isReady: isReady(),
    lost: cluster.connectivity.current?.detail ?? null,
    services: asked.map(service => ({
      name: service.name,
      isServed: health.availability.of(service)?.has ?? null,
      isUnjudged: isUnjudged(service, parts),
    })),
  })
  return { schema: HEALTH_SCHEMA, good: isGood, reason, role: cluster.role }
}

/** Where others write the table, or nothing is checked, nobody waits here for a verdict. */
function isUnjudged(service: ResolvedService, { cluster, health, reconciler }: RoleControlParts): boolean {
  if (cluster.table !== 'reconcile' || intervalBy(cluster.role, cluster.checks, 1) === null) return false
  return reconciler.table !== null && health.isUnjudgedAndEmpty(service, reconciler.table)
}

const NOTES = {
  counts: '',
  late: ', which is older than what is known',
  other: ', which is not the instance or group of the configuration',
  'not asked': ', but the configuration takes no role from VRRP',
}
