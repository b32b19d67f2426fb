/** Builds the status document from a snapshot. Pure. */

import { bracketed, endpoint } from '../core/address.js'
import { type Conflict, conflictText } from '../core/address-conflict.js'
import { sumOf } from '../core/counters.js'
import { hostPort } from '../core/display-names.js'
import { isWithoutVerdict } from '../core/health.js'
import {
  fallbacksOf,
  kernelServices,
  kernelServicesOf,
  keysOfKernel,
  nameOfKernelService,
} from '../core/kernel-services.js'
import {
  type CheckResult,
  type HealthState,
  keyAsWritten,
  keyOfReal,
  keyOfService,
  type RealCounters,
  type ResolvedReal,
  type ResolvedService,
  type Table,
} from '../core/model.js'
import { isHold } from '../core/override.js'
import { type CheckState, NO_RESULT } from '../health/check-state.js'
import type { RealHealth, ServiceHealth } from '../health/health-snapshot.js'
import { nameOfCheck } from '../health/jobs.js'
import { NO_HINTS } from '../hints/snapshot.js'
import type { WallClock } from '../util/clock.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import { dateTime } from '../util/time-text.js'
import { checkHintsOf, hintsStatusOf } from './build-hints.js'
import { disputesOf } from './build-table.js'
import { endedWindowOf } from './build-windows.js'
import { clusterStatusOf } from './cluster-status.js'
import { overrideStatus } from './override-status.js'
import type { Snapshot } from './snapshot.js'
import { reasonOf, reasonOfChecks } from './status-reason.js'
import type {
  AddressConflict,
  CheckStatus,
  DampingStatus,
  RealStatus,
  ServiceStatus,
  SlowStartStatus,
  SourceStatus,
  StatusDocument,
  Totals,
} from './status-types.js'
import { STATUS_SCHEMA } from './versions.js'

/** Converts times of the steady clock to dates. */
type Dates = Pick<WallClock, 'at' | 'iso'>

export function buildStatus(snapshot: Snapshot, dates: Dates): StatusDocument {
  return runSync(buildingStatus(snapshot, dates))
}

/** Same as `buildStatus`, in time slices. */
export function* buildingStatus(snapshot: Snapshot, dates: Dates): Sliced<StatusDocument> {
  const { version, pid, kernel, reload, reconcile, schedule, health, isolation, cluster } = snapshot
  const services: ServiceStatus[] = []
  for (const service of health.services) {
    services.push(yield* serviceStatus(service, snapshot, dates))
    yield
  }
  return {
    schema: STATUS_SCHEMA,
    version,
    pid,
    now: dates.iso(snapshot.now),
    startedAt: dates.iso(snapshot.startedAt),
    kernel,
    config: {
      file: reload.file,
      loadedAt: dates.iso(reload.loadedAt),
      warnings: reload.warnings,
      keptSince: reload.keptSince,
      fromNextStart: reload.fromNextStart,
      ...(reload.waits && {
        waits: { files: reload.waits.files, until: dates.iso(snapshot.now + reload.waits.left) },
      }),
      ...(reload.unkept && { unkept: reload.unkept }),
    },
    lastReload: reload.last,
    reconcile: {
      lastResync: reconcile.lastResync === null ? null : dates.iso(reconcile.lastResync),
      countersAt: reconcile.dumpAt === null ? null : dates.iso(reconcile.dumpAt),
      readEvery: reconcile.reading && Math.round(reconcile.reading.interval),
      servicesEvery: reconcile.reading && Math.round(reconcile.reading.services),
      readCost: reconcile.reading?.cost == null ? null : rounded(reconcile.reading.cost),
      changesApplied: reconcile.changesApplied,
      driftRepaired: reconcile.driftRepaired,
      disputes: disputesOf(
        reconcile.disputes,
        health.services.map(one => one.service),
        dates,
      ),
      errors: reconcile.errors,
    },
    schedule: { ...schedule, lateness: roundedAll(schedule.lateness) },
    hints: hintsStatusOf(snapshot.hints ?? NO_HINTS),
    alerts: snapshot.alerts,
    sysctls: snapshot.sysctls,
    isolation: isolation && { since: dates.iso(isolation.since), detail: isolation.detail },
    cluster: cluster && clusterStatusOf(cluster, dates),
    totals: sumOfTotals(services),
    services,
  }
}

function totalsOf(reals: readonly RealStatus[]): Totals {
  const count = { up: 0, down: 0, unknown: 0 } satisfies Record<HealthState, number>
  let noVerdict = 0
  for (const { state, checks } of reals) {
    count[state]++
    if (checks.some(check => check.noVerdict !== null)) noVerdict++
  }
  return { ...count, noVerdict }
}

/** Those of the services are known: to count all real servers of the document again takes a turn. */
function sumOfTotals(services: readonly ServiceStatus[]): Totals {
  const sum = { up: 0, down: 0, unknown: 0, noVerdict: 0 }
  for (const { totals } of services) {
    sum.up += totals.up
    sum.down += totals.down
    sum.unknown += totals.unknown
    sum.noVerdict += totals.noVerdict
  }
  return sum
}

function* serviceStatus(health: ServiceHealth, snapshot: Snapshot, dates: Dates): Sliced<ServiceStatus> {
  const { service, traffic } = health
  const { dump } = snapshot.reconcile
  const key = service.id && keyOfService(service.id)
  const keys = keysOfKernel(service)
  const fallbacks = kernelServices(service).map(one => fallbackStatus(one, snapshot))
  const reals: RealStatus[] = []
  yield* eachInSteps(health.reals, real => {
    reals.push(realStatus(real, service, snapshot, dates))
  })
  const conflicts = snapshot.conflictsOf?.(service) ?? []
  return {
    name: service.name,
    key,
    nameTrouble: nameTroubleOf(service, snapshot),
    state: traffic === null ? 'unknown' : traffic.has ? 'up' : 'down',
    since: traffic && dates.iso(traffic.since),
    panic: health.panic && {
      since: dates.iso(health.panic.since),
      until: dates.iso(health.panic.until),
      held: health.panic.held.map(hostPort),
    },
    ...(conflicts.length > 0 && { conflicts: conflicts.map(one => conflictStatus(one, dates)) }),
    endedWindows: snapshot.endedWindows
      .filter(({ target }) => target.key === keyAsWritten(service.virtual))
      .map(endedWindowOf),
    totals: totalsOf(reals),
    scheduler: service.attributes.scheduler,
    quiescent: service.quiescent,
    onDown: service.onDown ?? null,
    inKernel: key !== null && keys.every(one => dump?.table.has(one)),
    counters: sumOf(keys.flatMap(one => dump?.services.get(one) ?? [])),
    reals,
    fallback: fallbacks.find(one => one?.inUse) ?? fallbacks.find(one => one) ?? null,
    ...(service.multihomed && { multihomed: service.multihomed }),
    ...(service.also && {
      addresses: kernelServices(service).map(one => addressStatus(one, health, snapshot)),
    }),
  }
}

function conflictStatus(conflict: Conflict, dates: Dates): AddressConflict {
  const { address, interface: link, hardware, who, since } = conflict
  return {
    address: address.text,
    interface: link,
    hardware,
    server: who.real,
    since: dates.iso(since),
    text: conflictText(conflict),
  }
}

function fallbackStatus(
  { id, fallback }: ResolvedService,
  { health: { desired } }: Snapshot,
): ServiceStatus['fallback'] {
  const { address = null, port = 0 } = fallback ?? {}
  const weight = weightIn(desired, id && keyOfService(id), address && keyOfReal({ address, port }))
  return (
    fallback && {
      name: hostPort(fallback),
      host: fallback.host,
      address: fallback.address && bracketed(fallback.address),
      port: fallback.port,
      inUse: (weight ?? 0) > 0,
    }
  )
}

type AddressStatus = NonNullable<ServiceStatus['addresses']>[number]

/** `one`: the service with one of its addresses. */
function addressStatus(one: ResolvedService, health: ServiceHealth, snapshot: Snapshot): AddressStatus {
  const { dump } = snapshot.reconcile
  const key = one.id ? keyOfService(one.id) : ''
  const isLacking = health.lacking?.includes(nameOfKernelService(one))
  return {
    key,
    state: health.traffic === null ? 'unknown' : isLacking ? 'down' : 'up',
    inKernel: dump?.table.has(key) === true,
    counters: dump?.services.get(key) ?? null,
    fallback: fallbackStatus(one, snapshot),
  }
}

/** What the tables have for a real server. */
interface Entries {
  readonly wanted: number | null
  readonly kernel: number | null
  readonly counters: RealCounters | null
}

/** With several entries, the weights are those of one that is not as wanted, if there is one. */
function entriesOf(
  service: ResolvedService,
  real: ResolvedReal,
  { health, reconcile: { dump } }: Snapshot,
): Entries {
  const key = real.address && keyOfReal({ address: real.address, port: real.port })
  const found = kernelServicesOf(service, real).map(({ id }) => {
    const serviceKey = id && keyOfService(id)
    return {
      wanted: weightIn(health.desired, serviceKey, key),
      kernel: weightIn(dump?.table, serviceKey, key),
      counters: dump?.reals.get(`${serviceKey} ${key}`) ?? null,
    }
  })
  const shown = found.find(({ wanted, kernel }) => wanted !== kernel) ?? found[0]
  const { wanted = null, kernel = null } = shown ?? {}
  return { wanted, kernel, counters: sumOf(found.flatMap(({ counters }) => counters ?? [])) }
}

/** Returns the problem with the name of the virtual address or of the fallback, or null. */
function nameTroubleOf(service: ServiceHealth['service'], { names }: Snapshot): string | null {
  const [ofFallback] = fallbacksOf(service).flatMap(one => names.get(one) ?? [])
  return names.get(service) ?? (ofFallback ? `fallback: ${ofFallback}` : null)
}

/** Returns the weight of a real server by the keys of service and server; null if it is not in the table. */
function weightIn(table: Table | undefined, service: string | null, real: string | null): number | null {
  return table?.get(service ?? '')?.reals.get(real ?? '')?.weight ?? null
}

function realStatus(
  health: RealHealth,
  service: ResolvedService,
  snapshot: Snapshot,
  dates: Dates,
): RealStatus {
  const { names, startedAt } = snapshot
  const { real, override } = health
  const { wanted, kernel, counters } = entriesOf(service, real, snapshot)
  const nameTrouble = names.get(real) ?? null
  const nameReason = real.address === null ? `name: ${nameTrouble}` : null
  const clock = (at: number) => dateTime(dates.at(at))
  return {
    name: hostPort(real),
    host: real.host,
    address: real.address && bracketed(real.address),
    nameTrouble,
    port: real.port,
    forwarding: real.attributes.forwarding,
    state: health.state,
    since: dates.iso(health.since ?? startedAt),
    remembered: health.remembered && {
      state: health.remembered.state,
      since: dates.iso(health.remembered.since),
    },
    passing: health.passing,
    need: real.need,
    override: overrideStatus(override),
    down: health.down && {
      action: health.down.action,
      cause: health.down.cause,
      removedAt: health.down.removedAt === null ? null : dates.iso(health.down.removedAt),
    },
    slowStart: slowStartStatus(health, dates),
    damping: dampingStatus(health, dates),
    weight: {
      configured: real.attributes.weight,
      wanted,
      kernel,
    },
    reason: nameReason !== null && !isHold(override) ? nameReason : reasonOf(health, clock),
    checkReason: nameReason ?? reasonOfChecks(health, clock),
    checks: health.checks.map(check => checkStatus(check, snapshot, dates)),
    counters,
  }
}

function slowStartStatus({ rise }: RealHealth, dates: Dates): SlowStartStatus | null {
  if (!rise) return null
  const { share, weight, since, until } = rise
  return { percent: rounded(share * 100), weight, since: dates.iso(since), until: dates.iso(until) }
}

function dampingStatus({ hold }: RealHealth, dates: Dates): DampingStatus | null {
  if (!hold) return null
  const { since, until, isSpared } = hold
  return { since: dates.iso(since), until: dates.iso(until), isSpared }
}

/** The name of a check as in the log, its kind, and what it checks. */
export function checkIdentity(subscriber: CheckState['subscriber']) {
  const { use, target } = subscriber
  return {
    name: nameOfCheck(subscriber),
    kind: use.kind,
    target: target.port === 0 ? bracketed(target.address) : endpoint(target.address, target.port),
  }
}

function throughOf({ real, target }: CheckState['subscriber']): string {
  return `${real.attributes.forwarding} to ${endpoint(target.real.address, target.real.port)}`
}

function checkStatus(
  { subscriber, health, lastAt, noVerdicts }: CheckState,
  { sources, hints = NO_HINTS }: Pick<Snapshot, 'sources' | 'hints'>,
  dates: Dates,
): CheckStatus {
  const { use } = subscriber
  const given = checkHintsOf(hints.of(subscriber.jobId), dates)
  return {
    ...checkIdentity(subscriber),
    ...(use.path === 'service' && { through: throughOf(subscriber) }),
    state: health.state,
    streak: health.streak,
    since: dates.iso(health.since),
    policy: use.policy,
    // The times of the phases are in `lvsd why` only: they would make this document 50 % longer.
    last: health.last && { ...roundedResult(health.last), phases: [] },
    lastAt: lastAt === NO_RESULT ? null : dates.iso(lastAt),
    noVerdict: isWithoutVerdict(noVerdicts)
      ? { since: dates.iso(noVerdicts.since), count: noVerdicts.count, detail: noVerdicts.detail }
      : null,
    source: sourceStatus(subscriber, sources),
    ...(given && { hints: given }),
  }
}

function sourceStatus(
  { use, target }: CheckState['subscriber'],
  sources: Snapshot['sources'],
): SourceStatus | null {
  if (use.source === 'kernel') return null
  if (use.source) return { address: use.source.text, by: 'configuration', insteadOf: null }
  const choice = sources.get(target.address.text) ?? { kind: 'kernel' }
  if (choice.kind === 'kernel') return null
  const [by, instead] =
    choice.kind === 'virtual' ? (['kernel', null] as const) : (['lvsd', choice.insteadOf.text] as const)
  return { address: choice.source.text, by, insteadOf: instead }
}

/** Rounds all milliseconds of a result. */
export function roundedResult(result: CheckResult): CheckResult {
  const ms = rounded(result.ms)
  const last = result.phases.length - 1
  const phases = result.phases.map((each, i) => ({
    phase: each.phase,
    ms: i === last ? ms : rounded(each.ms),
  }))
  return { ...result, ms, phases }
}

function roundedAll<T extends Readonly<Record<string, number>>>(numbers: T): T {
  return Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, rounded(value)])) as T
}

/** Rounds to two decimal places. */
export function rounded(ms: number): number {
  return Math.round(ms * 100) / 100
}
