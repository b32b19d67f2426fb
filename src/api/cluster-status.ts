/** This director as one of several, for the status document. Pure. */
import type { ClusterSnapshot, ConnectivitySnapshot } from '../cluster/cluster.js'
import type { DirectorView } from '../cluster/members.js'
import type { RedisStatus } from '../cluster/redis/site-redis.js'
import type { SharingSnapshot } from '../cluster/verdicts/verdict-types.js'
import type { ClusterStatus, DirectorsDocument } from './cluster-status-types.js'
import type { StatusDocument } from './status-types.js'

export function clusterStatusOf(
  {
    site,
    role,
    from,
    standby,
    table,
    trouble,
    activeTrouble,
    redis,
    connectivity,
    sync,
    verdicts,
    directors,
  }: ClusterSnapshot,
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
    activeTrouble,
    redis: redis && redisStatusOf(redis, dates),
    verdicts: verdicts && sharingStatusOf(verdicts),
    sync: sync && { daemons: [...sync.daemons], trouble: sync.trouble },
    directors: directors.map(each => directorStatusOf(each, dates)),
    connectivity: connectivity && connectivityStatusOf(connectivity, dates),
  }
}

function sharingStatusOf({
  outliers,
  directors,
  shares,
  heartbeat: _,
  ...rest
}: SharingSnapshot): ClusterStatus['verdicts'] {
  return {
    ...rest,
    directors: [...directors],
    shares: shares.map(({ oldest, ...share }) => ({
      ...share,
      oldestSeconds: oldest === null ? null : Math.round(oldest) / 1000,
    })),
    differing: [...outliers],
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

export function buildDirectors({ now, cluster }: Pick<StatusDocument, 'now' | 'cluster'>): DirectorsDocument {
  const { site = null, redis = null, activeTrouble = null, directors = [], verdicts = null } = cluster ?? {}
  return { schema: 1, now, site, redis, activeTrouble, directors, verdicts }
}

function directorStatusOf(
  { id, host, version, role, config, isSelf, startedAt, seenAt, differs, goneAt }: DirectorView,
  dates: { iso(at: number): string },
): ClusterStatus['directors'][number] {
  return {
    ...{ id, host, version, role, config, isSelf },
    startedAt: dates.iso(startedAt),
    seenAt: dates.iso(seenAt),
    differs,
    goneAt: goneAt === null ? null : dates.iso(goneAt),
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
