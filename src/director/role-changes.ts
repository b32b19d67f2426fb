/**
 * A change of the role or of the connectivity: the checks and the table follow it at once, and the log says so.
 */
import type { Cluster, ClusterParts, RoleChange } from '../cluster/cluster.js'
import type { ConnectivityChange } from '../cluster/connectivity/monitor.js'
import { intervalBy } from '../core/role.js'
import type { Events } from '../events/event-bus.js'
import type { HealthStore } from '../health/health-store.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { Executors } from '../schedule/executors.js'
import type { Log } from '../system/log.js'
import { steadyNow } from '../util/clock.js'
import type { Emitter } from '../util/emitter.js'
import { type Pace, placeJobs } from './schedule-jobs.js'

export interface RoleChangesParts {
  readonly log: Pick<Log, 'warn' | 'info'>
  readonly events: Emitter<Events>
  readonly cluster: Cluster
  readonly health: { readonly store: Pick<HealthStore, 'jobs'>; heard(ids: readonly string[]): void }
  readonly executors: Pick<Executors, 'set' | 'remove' | 'retime' | 'next'>
  readonly applier: { followRole(): void }
  readonly reconciler: Pick<Reconciler, 'resync' | 'stats'>
}

/** Returns the rules for the intervals of checks in the present role, and for those that directors share. */
export function paceIn(cluster: Pick<Cluster, 'role' | 'checks' | 'verdicts'>): Pace {
  return {
    intervalOf: interval => intervalBy(cluster.role, cluster.checks, interval),
    planOf: (job, interval) => cluster.verdicts.planOf(job, interval),
  }
}

/** A job that another director runs is run here as well when its next run is brought forward. */
export function runningHere(
  executors: Pick<Executors, 'soon'>,
  { verdicts }: Pick<Cluster, 'verdicts'>,
): Pick<Executors, 'soon'> {
  return {
    soon: (id, ms) => {
      verdicts.want(id)
      executors.soon(id, ms)
    },
  }
}

/** Returns what follows from changes of the cluster. `parts` is called after the daemon has been built. */
export function followCluster(
  parts: () => RoleChangesParts,
): Required<Pick<ClusterParts, 'onChange' | 'onConnectivity' | 'verdicts'>> {
  return {
    onChange: change => void applyRole(change, parts()),
    onConnectivity: change => void applyConnectivity(change, parts()),
    verdicts: {
      onAsk: ids => {
        const { executors, health, cluster } = parts()
        const jobs = ids.flatMap(id => health.store.jobs.get(id) ?? [])
        placeJobs(executors, jobs, paceIn(cluster))
      },
      onVotes: ids => parts().health.heard(ids),
    },
  }
}

/** Tells that the network is lost or back. The table stays, or follows the checks again. Never rejects. */
async function applyConnectivity(
  change: ConnectivityChange,
  { events, reconciler }: Pick<RoleChangesParts, 'events' | 'reconciler'>,
): Promise<void> {
  events.emit('connectivity', change)
  await reconciler.resync()
}

/** Puts a changed role in force. Never rejects. */
async function applyRole(
  { state: { role, reason }, table }: RoleChange,
  { log, cluster, applier, reconciler }: RoleChangesParts,
): Promise<void> {
  const began = steadyNow()
  const before = reconciler.stats.changesApplied
  if (role === 'active') log.warn('role.active', { reason }, `this director is active: ${reason}`)
  else log.warn('role.standby', { reason, table }, `this director is standby: ${reason}`)
  if (cluster.checks !== 'on') applier.followRole()
  await Promise.all([reconciler.resync(), cluster.sync.now()])
  const ms = Math.round(steadyNow() - began)
  const changes = reconciler.stats.changesApplied - before
  log.info(
    'role.applied',
    { role, ms, changes },
    `the table follows the role: ${changes} changes in ${ms} ms`,
  )
}
