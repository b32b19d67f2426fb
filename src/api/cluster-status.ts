/** This director as one of several, for the status document. Pure. */
import type { ClusterSnapshot, ConnectivitySnapshot } from '../cluster/cluster.js'
import type { RedisStatus } from '../cluster/redis/site-redis.js'
import type { ClusterStatus } from './status-types.js'

export function clusterStatusOf(
  { site, role, from, standby, table, trouble, redis, connectivity }: ClusterSnapshot,
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
    redis: redis && redisStatusOf(redis, dates),
    connectivity: connectivity && connectivityStatusOf(connectivity, dates),
  }
}

function connectivityStatusOf(
  { lost, isInDoubt, answering, tracked }: ConnectivitySnapshot,
  dates: { iso(at: number): string },
): ClusterStatus['connectivity'] {
  return {
    lost: lost && { since: dates.iso(lost.since), detail: lost.detail },
    inDoubt: isInDoubt,
    pings: [...answering].map(([address, answers]) => ({ address, answers })),
    tracked,
  }
}

function redisStatusOf(
  { state, since, place, version, fault }: RedisStatus,
  dates: { iso(at: number): string },
): ClusterStatus['redis'] {
  return {
    state: state === 'off' ? 'connecting' : state,
    since: dates.iso(since),
    place,
    version,
    reason: fault?.reason ?? null,
    detail: fault?.detail ?? null,
  }
}
