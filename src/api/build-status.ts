/** Builds the status document from what the daemon knows. Pure, but for the version and the clock. */

import type { Problem } from '../config/problems/problem.js'
import { bracketed, endpoint } from '../core/address.js'
import { hostPort } from '../core/display-names.js'
import { isWithoutVerdict } from '../core/health.js'
import {
  type CheckResult,
  type Dump,
  type HealthState,
  keyOfReal,
  keyOfService,
  type ResolvedConfig,
  type ResolvedMember,
  type ResolvedReal,
  type ResolvedService,
  type Table,
} from '../core/model.js'
import type { Availability } from '../health/availability.js'
import type { CheckState } from '../health/check-state.js'
import { desiredTable, type HealthStore } from '../health/health-store.js'
import { nameOfCheck } from '../health/jobs.js'
import {
  familyOfService,
  type LookupRequest,
  memberRequest,
  virtualRequest,
} from '../names/lookup-requests.js'
import type { ReconcileStats } from '../reconcile/reconciler.js'
import { version } from '../system/version.js'
import type { WallClock } from '../util/clock.js'
import { dateTime } from '../util/time-text.js'
import { reasonOf } from './status-reason.js'
import {
  type CheckStatus,
  type RealStatus,
  type ReloadOutcome,
  SCHEMA,
  type ServiceStatus,
  type StatusDocument,
  type Totals,
} from './status-types.js'

export interface StatusParts {
  readonly healthStore: HealthStore
  readonly config: ResolvedConfig
  /** Why a name has no address, as a sentence. */
  readonly nameTroubleOf: (request: LookupRequest) => string | null
  /** Services that are left out, each as a sentence that begins with its name. */
  readonly clashes: readonly string[]
  readonly dump: Dump | null
  readonly traffic: Pick<Availability, 'of'>
  readonly wallClock: WallClock
  readonly kernel: StatusDocument['kernel']
  /** Milliseconds of the steady clock, as all times here. */
  readonly now: number
  readonly startedAt: number
  readonly loadedAt: number
  readonly warnings: readonly Problem[]
  readonly keptSince: string | null
  readonly lastReload: ReloadOutcome | null
  readonly reconcile: ReconcileStats
  readonly schedule: Omit<StatusDocument['schedule'], 'jobs'>
}

export function statusDocument(parts: StatusParts): StatusDocument {
  const { healthStore, config, dump, reconcile, wallClock, schedule } = parts
  const iso = (at: number) => wallClock.iso(at)
  const actual: Table = dump?.table ?? new Map()
  const wanted = desiredTable(healthStore, config.services, actual)
  const services = config.services.map(service =>
    serviceStatus(service, { healthStore, dump, wanted, parts }),
  )
  return {
    schema: SCHEMA,
    version: version(),
    pid: process.pid,
    now: iso(parts.now),
    startedAt: iso(parts.startedAt),
    kernel: parts.kernel,
    config: {
      file: config.file,
      loadedAt: iso(parts.loadedAt),
      warnings: parts.warnings,
      keptSince: parts.keptSince,
    },
    lastReload: parts.lastReload,
    reconcile: {
      lastResync: reconcile.lastResync === null ? null : iso(reconcile.lastResync),
      changesApplied: reconcile.changesApplied,
      driftRepaired: reconcile.driftRepaired,
      disputes: reconcile.disputes.map(dispute => ({ ...dispute, since: iso(dispute.since) })),
      errors: reconcile.errors,
    },
    schedule: { jobs: healthStore.jobs.size, ...schedule, lateness: roundedAll(schedule.lateness) },
    totals: totalsOf(services.flatMap(({ reals }) => reals)),
    services,
  }
}

function totalsOf(reals: readonly RealStatus[]): Totals {
  const count = (state: HealthState) => reals.filter(real => real.state === state).length
  const noVerdict = reals.filter(({ checks }) => checks.some(check => check.noVerdict !== null)).length
  return { up: count('up'), down: count('down'), unknown: count('unknown'), noVerdict }
}

interface Sources {
  readonly healthStore: HealthStore
  readonly dump: Dump | null
  readonly wanted: Table
  readonly parts: StatusParts
}

function serviceStatus(service: ResolvedService, sources: Sources): ServiceStatus {
  const { dump, wanted, parts } = sources
  const key = service.id && keyOfService(service.id)
  const { fallback } = service
  const fallbackKey = fallback?.address ? keyOfReal({ address: fallback.address, port: fallback.port }) : null
  const traffic = parts.traffic.of(service)
  const reals = service.reals.map(real => realStatus(service, real, sources))
  return {
    name: service.name,
    key,
    nameTrouble: virtualTrouble(service, parts) ?? fallbackTrouble(service, parts),
    state: traffic === undefined ? 'unknown' : traffic.has ? 'up' : 'down',
    since: traffic ? parts.wallClock.iso(traffic.since) : null,
    totals: totalsOf(reals),
    scheduler: service.attributes.scheduler,
    quiescent: service.quiescent,
    inKernel: key !== null && dump?.table.has(key) === true,
    counters: (key !== null && dump?.services.get(key)) || null,
    reals,
    fallback: fallback && {
      name: hostPort(fallback),
      host: fallback.host,
      address: fallback.address && bracketed(fallback.address),
      port: fallback.port,
      inUse: key !== null && fallbackKey !== null && isServing(wanted, key, fallbackKey),
    },
  }
}

function virtualTrouble({ id, name, virtual }: ResolvedService, parts: StatusParts): string | null {
  const request = virtualRequest(virtual)
  if (!request) return null
  const clash = id === null && parts.clashes.find(sentence => sentence.startsWith(`"${name}" `))
  return clash || parts.nameTroubleOf(request)
}

function fallbackTrouble(service: ResolvedService, parts: StatusParts): string | null {
  const trouble = service.fallback && memberTrouble(service, service.fallback, parts)
  return trouble && `fallback: ${trouble}`
}

function memberTrouble(
  service: ResolvedService,
  member: ResolvedMember,
  { nameTroubleOf }: StatusParts,
): string | null {
  const request = memberRequest(member, familyOfService(service))
  return request && nameTroubleOf(request)
}

function isServing(table: Table, service: string, real: string): boolean {
  return (table.get(service)?.reals.get(real)?.weight ?? 0) > 0
}

function realStatus(
  service: ResolvedService,
  real: ResolvedReal,
  { healthStore, dump, wanted, parts }: Sources,
): RealStatus {
  const { wallClock, startedAt } = parts
  const clock = (at: number) => dateTime(wallClock.at(at))
  const ofService = service.id && keyOfService(service.id)
  const key = real.address && keyOfReal({ address: real.address, port: real.port })
  const nameTrouble = memberTrouble(service, real, parts)
  const weightIn = (table: Table | undefined) =>
    table?.get(ofService ?? '')?.reals.get(key ?? '')?.weight ?? null
  return {
    name: hostPort(real),
    host: real.host,
    address: real.address && bracketed(real.address),
    nameTrouble,
    port: real.port,
    forwarding: real.attributes.forwarding,
    state: healthStore.stateOf(real),
    since: wallClock.iso(healthStore.standingOf(real)?.since ?? startedAt),
    passing: healthStore.passing(real),
    need: real.need,
    maintenance: maintenanceOf(service, real, parts),
    weight: {
      configured: real.attributes.weight,
      wanted: weightIn(wanted),
      kernel: weightIn(dump?.table),
    },
    reason:
      real.address === null && healthStore.heldBy(real) === null
        ? `name: ${nameTrouble}`
        : reasonOf(healthStore, real, clock),
    checks: healthStore.checkStatesOf(real).map(checkState => checkStatus(checkState, wallClock)),
    counters: dump?.reals.get(`${ofService} ${key}`) ?? null,
  }
}

function maintenanceOf(
  service: ResolvedService,
  real: ResolvedReal,
  { healthStore, wallClock, startedAt }: StatusParts,
): RealStatus['maintenance'] {
  const file = healthStore.heldBy(real)
  return file === null
    ? null
    : { file, since: wallClock.iso(healthStore.heldSince(service, real) ?? startedAt) }
}

function checkStatus(
  { subscriber, health, lastAt, noVerdicts }: CheckState,
  wallClock: WallClock,
): CheckStatus {
  const { use, target } = subscriber
  return {
    name: nameOfCheck(subscriber),
    kind: use.kind,
    target: target.port === 0 ? bracketed(target.address) : endpoint(target.address, target.port),
    state: health.state,
    streak: health.streak,
    since: wallClock.iso(health.since),
    policy: use.policy,
    last: health.last && roundedResult(health.last),
    lastAt: lastAt === null ? null : wallClock.iso(lastAt),
    noVerdict: isWithoutVerdict(noVerdicts)
      ? { since: wallClock.iso(noVerdicts.since), count: noVerdicts.count, detail: noVerdicts.detail }
      : null,
  }
}

function roundedResult(result: CheckResult): CheckResult {
  const phases = result.phases.map(({ phase, ms }) => ({ phase, ms: rounded(ms) }))
  return { ...result, ms: rounded(result.ms), phases }
}

function roundedAll<T extends Readonly<Record<string, number>>>(numbers: T): T {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, rounded(value)])) as T
}

/** Milliseconds with two digits: more of them are noise. */
function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
