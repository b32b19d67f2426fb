/** A change of the role: the checks and the table follow it at once, and the log says how long that took. */
import type { Cluster, RoleChange } from '../cluster/cluster.js'
import { intervalBy } from '../core/role.js'
import type { HealthStore } from '../health/health-store.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { Executors } from '../schedule/executors.js'
import type { Log } from '../system/log.js'
import { steadyNow } from '../util/clock.js'
import { type IntervalOf, paceJobs } from './schedule-jobs.js'

export interface RoleChangesParts {
  readonly log: Pick<Log, 'warn' | 'info'>
  readonly cluster: Cluster
  readonly health: { readonly store: Pick<HealthStore, 'jobs'> }
  readonly executors: Pick<Executors, 'set' | 'remove'>
  readonly reconciler: Pick<Reconciler, 'resync' | 'stats'>
}

/** Returns the rule for the intervals of checks in the present role. */
export function intervalIn(cluster: Pick<Cluster, 'role' | 'checks'>): IntervalOf {
  return interval => intervalBy(cluster.role, cluster.checks, interval)
}

/** Puts a changed role in force. Never rejects. */
export async function applyRole(
  { state: { role, reason }, table }: RoleChange,
  { log, cluster, health, executors, reconciler }: RoleChangesParts,
): Promise<void> {
  const began = steadyNow()
  const before = reconciler.stats.changesApplied
  if (role === 'active') log.warn('role.active', { reason }, `this director is active: ${reason}`)
  else log.warn('role.standby', { reason, table }, `this director is standby: ${reason}`)
  if (cluster.checks !== 'on') paceJobs(executors, health.store.jobs, intervalIn(cluster))
  await reconciler.resync()
  const ms = Math.round(steadyNow() - began)
  const changes = reconciler.stats.changesApplied - before
  log.info(
    'role.applied',
    { role, ms, changes },
    `the table follows the role: ${changes} changes in ${ms} ms`,
  )
}
