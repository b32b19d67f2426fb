/** This director as one of several, for the status document. Pure. */
import type { ClusterSnapshot } from '../cluster/cluster.js'
import type { ClusterStatus } from './status-types.js'

export function clusterStatusOf(
  { site, role, from, standby, table, trouble }: ClusterSnapshot,
  dates: { iso(at: number): string },
): ClusterStatus {
  return {
    site,
    role: role.role,
    since: dates.iso(role.since),
    reason: role.reason,
    from,
    table,
    checks: role.role === 'active' ? 'on' : standby.checks,
    trouble,
  }
}
