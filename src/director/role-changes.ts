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
import { type IntervalOf, paceJobs } from './schedule-jobs.js'

export interface RoleChangesParts {
  readonly log: Pick<Log, 'warn' | 'info'>
  readonly events: Emitter<Events>
  readonly cluster: Cluster
  readonly health: { readonly store: Pick<HealthStore, 'jobs'> }
  readonly executors: Pick<Executors, 'set' | 'remove'>
  readonly reconciler: Pick<Reconciler, 'resync' | 'stats'>
}

/** Returns the rule for the intervals of checks in the present role. */
export function intervalIn(cluster: Pick<Cluster, 'role' | 'checks'>): IntervalOf {
  return interval => intervalBy(cluster.role, cluster.checks, interval)
}

/** Returns what follows from changes of the cluster. `parts` is called after the daemon has been built. */
export function followCluster(
  parts: () => RoleChangesParts,
): Required<Pick<ClusterParts, 'onChange' | 'onConnectivity'>> {
  return {
    onChange: change => void applyRole(change, parts()),
    onConnectivity: change => void applyConnectivity(change, parts()),
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
  { log, cluster, health, executors, reconciler }: RoleChangesParts,
): Promise<void> {
  const began = steadyNow()
  const before = reconciler.stats.changesApplied
  if (role === 'active') log.warn('role.active', { reason }, `this director is active: ${reason}`)
  else log.warn('role.standby', { reason, table }, `this director is standby: ${reason}`)
  if (cluster.checks !== 'on') paceJobs(executors, health.store.jobs, intervalIn(cluster))
  await Promise.all([reconciler.resync(), cluster.sync.now()])
  const ms = Math.round(steadyNow() - began)
  const changes = reconciler.stats.changesApplied - before
  log.info(
    'role.applied',
    { role, ms, changes },
    `the table follows the role: ${changes} changes in ${ms} ms`,
  )
}
