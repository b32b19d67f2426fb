/** Builds the answer to `lvsd why` from a snapshot of one service. Pure. */
import type { Check } from '../check/check.js'
import { kernelServicesOf } from '../core/kernel-services.js'
import { keyOfReal, keyOfService } from '../core/model.js'
import { type Override, strongest } from '../core/override.js'
import type { CheckSnapshot, RealHealth, ServiceHealth } from '../health/health-snapshot.js'
import { expectationOf } from '../probe/expectation.js'
import type { Written } from '../reconcile/written.js'
import type { NextRun } from '../schedule/executor.js'
import type { WallClock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { shellQuoted } from '../util/shell-quoted.js'
import { dateTime, zonedTime } from '../util/time-text.js'
import { groupsOf } from './build-results.js'
import { buildStatus } from './build-status.js'
import { overrideStatus } from './override-status.js'
import type { Snapshot } from './snapshot.js'
import type { RealStatus, ServiceStatus } from './status-types.js'
import { sentenceOfReal } from './why-sentence.js'
import type { WhyAnswer, WhyCheck, WhyOverride, WhyReal, WhyService } from './why-types.js'

/** A snapshot of one service, with what only this answer needs. */
export interface WhySnapshot {
  /** Its health has one service. */
  readonly snapshot: Snapshot
  /** Position of the real server in the service; null: the service as a whole. */
  readonly index: number | null
  /** All overrides of a real server, of all sources. */
  overridesOf(real: RealHealth['real']): readonly Override[]
  isOnService(override: Override): boolean
  check(kind: string): Check | undefined
  nextRun(jobId: string): NextRun | null
  written(serviceKey: string, realKey: string): Written | null
}

type Dates = Pick<WallClock, 'at' | 'iso'>

/** What the functions below share. */
interface Facts extends WhySnapshot {
  readonly dates: Dates
  readonly service: ServiceHealth
  readonly status: ServiceStatus
}

export function buildWhy(why: WhySnapshot, dates: Dates): WhyAnswer {
  const [status] = buildStatus(why.snapshot, dates).services
  const [service] = why.snapshot.health.services
  if (!status || !service) throw new Error('the snapshot has no service')
  const facts = { ...why, dates, service, status }
  return why.index === null ? whyService(facts) : whyReal(facts, why.index)
}

// ---------------------------------------------------------------- a real server

function whyReal(facts: Facts, index: number): WhyReal {
  const { service, status, snapshot, dates } = facts
  const [health, real] = [service.reals[index], status.reals[index]]
  if (!health || !real) throw new Error('the service has no such real server')
  const { checks, ...rest } = real
  const overrides = overridesOn(facts, health)
  const { lastResync } = snapshot.reconcile
  const written = writtenFor(facts, health)
  return {
    kind: 'real',
    service: withoutReals(status),
    real: rest,
    sentence: realSentence(facts, health, real),
    checks: checks.map((check, i) => whyCheck(check, health.checks[i] as CheckSnapshot, facts)),
    overrides,
    table: {
      readAt: lastResync === null ? null : dates.iso(lastResync),
      written: written && { ...written, at: dates.iso(written.at) },
    },
  }
}

function withoutReals({ reals, ...rest }: ServiceStatus): Omit<ServiceStatus, 'reals'> {
  return rest
}

function realSentence(facts: Facts, health: RealHealth, status: RealStatus, isBrief = false): string {
  const { snapshot, service, dates, nextRun } = facts
  const now = dates.at(snapshot.now)
  const due = health.checks.flatMap(({ subscriber }) => nextRun(subscriber.jobId) ?? [])
  const sentence = sentenceOfReal({
    isBrief,
    health,
    since: health.since ?? snapshot.startedAt,
    nameTrouble: status.nameTrouble,
    wanted: status.weight.wanted,
    isOnService: health.override !== null && facts.isOnService(health.override),
    nextIn: due.length === 0 ? null : Math.min(...due.map(waitOf)),
    isRunning: due.some(next => next.isRunning),
    target: shellQuoted(`${service.service.name}/${status.name}`),
    serviceTarget: shellQuoted(service.service.name),
    at: steady => zonedTime(dates.at(steady), now),
    wall: ms => (ms > now ? dateTime(ms) : zonedTime(ms, now)),
  })
  return isBrief ? sentence : `${sentence}${lostNetwork(facts)}`
}

/** Why neither checks nor operators change the table at present. */
function lostNetwork({ snapshot }: Facts): string {
  const lost = snapshot.cluster?.connectivity?.lost
  return lost ? `; the network of this director is lost (${lost.detail}), so its table stays as it is` : ''
}

/** Who else answers for the virtual addresses of the service. */
function conflictWords({ status: { conflicts = [] } }: Facts): string {
  return conflicts.map(({ text }) => `; ${text}`).join('')
}

/** Returns the override that decides, then the others, the newest first. */
function overridesOn(
  { overridesOf, isOnService, snapshot, dates }: Facts,
  { real }: RealHealth,
): WhyOverride[] {
  const all = overridesOf(real)
  const deciding = strongest(all, dates.at(snapshot.now))
  const others = all.filter(each => each !== deciding).sort((a, b) => b.since - a.since)
  return [...(deciding ? [deciding] : []), ...others].flatMap(override => {
    const status = overrideStatus(override)
    const on = isOnService(override) ? 'service' : 'real'
    return status ? [{ ...status, on, counts: override === deciding } as const] : []
  })
}

function writtenFor({ service, written }: Facts, { real }: RealHealth): Written | null {
  const { address, port } = real
  const entries = kernelServicesOf(service.service, real).flatMap(({ id }) =>
    id && address ? (written(keyOfService(id), keyOfReal({ address, port })) ?? []) : [],
  )
  return entries.sort((a, b) => b.at - a.at)[0] ?? null
}

/** Of whole milliseconds, so that the sentence and the rows of the checks say the same. */
function waitOf(next: NextRun): number {
  return Math.max(0, Math.round(next.in))
}

function whyCheck(
  { last, lastAt, ...status }: RealStatus['checks'][number],
  { subscriber, recent, said = [] }: CheckSnapshot,
  { check, nextRun, dates, snapshot }: Facts,
): WhyCheck {
  const kind = check(subscriber.use.kind)
  const next = nextRun(subscriber.jobId)
  return {
    ...status,
    expects: kind ? expectationOf(kind, subscriber.target, subscriber.use.options) : '',
    nextAt: next && dates.iso(snapshot.now + next.in),
    nextIn: next && waitOf(next),
    isRunning: next?.isRunning ?? false,
    observers: said.map(({ host, isSelf, state, detail }) => ({ director: host, isSelf, state, detail })),
    strip: recent.strip,
    results: groupsOf(recent.groups, dates),
  }
}

// ---------------------------------------------------------------- a service

function whyService(facts: Facts): WhyService {
  const { service, status } = facts
  const reals = service.reals.flatMap((health, i) => {
    const real = status.reals[i]
    if (!real || isWell(health, real)) return []
    const { name, state, since, override, weight } = real
    return [{ name, state, since, override, weight, sentence: realSentence(facts, health, real, true) }]
  })
  return {
    kind: 'service',
    service: withoutReals(status),
    sentence: `${serviceSentence(facts)}${conflictWords(facts)}${lostNetwork(facts)}`,
    reals,
  }
}

/** True if a real server is in service as configured and nothing is about to change. */
function isWell({ checks, state }: RealHealth, { override, weight }: RealStatus): boolean {
  const isSteady = !checks.some(({ health, noVerdicts }) => health.streak > 0 || noVerdicts !== null)
  return state === 'up' && override === null && isSteady && weight.wanted === weight.configured
}

function withoutServer({ key, fallback }: NonNullable<ServiceStatus['addresses']>[number]): string {
  const instead = fallback?.inUse ? `the fallback ${fallback.name} serves` : 'clients are refused'
  return `no real server can serve ${key}, so ${instead}`
}

function serviceSentence({ status, snapshot, dates }: Facts): string {
  const { reals, fallback, state, nameTrouble, since, inKernel } = status
  const now = dates.at(snapshot.now)
  const from = since === null ? '' : ` since ${zonedTime(Date.parse(since), now)}`
  if (!inKernel && nameTrouble !== null) return `not in the kernel's table: ${nameTrouble}`
  const serving = reals.filter(one => (one.weight.wanted ?? 0) > 0).length
  const count = `${serving} of ${counted(reals.length, 'real server')} ${serving === 1 ? 'gets' : 'get'} new connections`
  const verdicts = state === 'unknown' ? missingVerdicts(reals) : ''
  const lacking = (status.addresses ?? []).filter(one => one.state === 'down')
  if (lacking.length > 0) return `${state}${from}: ${lacking.map(withoutServer).join('; ')}; ${count} in all`
  if (fallback === null) return `${state}${from}: ${count}; it has no fallback${verdicts}`
  const { name, inUse } = fallback
  if (inUse) return `${state}${from}: the fallback ${name} serves because no real server can; ${count}`
  if (state === 'up' && serving === 0)
    return `up${from}: ${count}; a server with configured weight 0 is up and keeps the fallback ${name} out`
  if (state === 'unknown')
    return `not judged yet: results are missing; ${count}; the fallback ${name} stays as it is${verdicts}`
  return `${state}${from}: ${count}; the fallback ${name} stays out while one does`
}

/** Why servers that are not judged stay so: `; no check has a verdict: …`. Empty if no check lacks a verdict. */
function missingVerdicts(reals: readonly RealStatus[]): string {
  const waiting = reals.filter(
    ({ state, checks }) => state === 'unknown' && checks.some(({ noVerdict }) => noVerdict),
  )
  const [first] = waiting.flatMap(({ checks }) => checks.flatMap(({ noVerdict }) => noVerdict ?? []))
  if (!first) return ''
  const isAll = waiting.length === reals.length
  const who = isAll
    ? 'no check has a verdict'
    : `the checks of ${counted(waiting.length, 'real server')} have no verdict`
  const isEmpty = isAll && reals.every(({ weight }) => weight.wanted === null)
  return `; ${who}${isEmpty ? ', so no real server is in the table and clients are refused' : ''}: ${first.detail}`
}
