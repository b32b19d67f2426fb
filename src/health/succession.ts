/**
 * What changes with the next configuration: jobs, states of checks, records of servers. It follows from both configurations
 * alone, not from results, so it is made in time slices before the configuration takes effect; then all of a service changes in
 * one turn, in which little is left to do. Pure.
 */
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import { isSameValue } from '../util/same-value.js'
import type { Sliced } from '../util/time-slice.js'
import type { CheckStates } from './check-states.js'
import type { ChangedChecks, CheckSuccession } from './check-succession.js'
import type { JobChanges } from './health-changes.js'
import { differingJobs, isSameJob, type Jobs, type ServiceJobs, type Subscriber } from './jobs.js'
import type { RecalledHealth } from './remembered-health.js'
import { type StandingSuccession, succeedingStandings } from './standings.js'

export interface Succession extends Omit<JobChanges, 'rescheduled'> {
  /** What it begins with. It does not hold for other jobs. */
  readonly before: Jobs
  readonly checks: CheckSuccession
  readonly standings: StandingSuccession
  /**
   * For each changed service of which the servers alone have changed: those that the rules of time have to look at. All others
   * stay, with their checks.
   */
  readonly unsettled: ReadonlyMap<ResolvedService, readonly ResolvedReal[]>
  /** Services that have fresh checks. */
  readonly rejudged: ReadonlySet<ResolvedService>
}

/** A configuration and what follows from it. */
interface Followed {
  readonly jobs: Jobs
  readonly services: readonly ResolvedService[]
}

export function* succeedingAll(
  before: Followed,
  next: Followed,
  states: Pick<CheckStates, 'succeeding'>,
  recalled: Pick<RecalledHealth, 'hasCheck' | 'hasReal'>,
): Sliced<Succession> {
  const [gone, fresh] = differingJobs(before.jobs, next.jobs)
  const changed: ChangedChecks = {
    gone: yield* subscribersIn(gone),
    fresh: yield* subscribersIn(fresh),
    services: next.services,
    areMoved: areMoved(before.services, next.services),
  }
  const checks = yield* states.succeeding(changed, subscriber => recalled.hasCheck(subscriber))
  const standings = yield* succeedingStandings(before.services, next.services, (service, real) =>
    recalled.hasReal(service, real),
  )
  yield
  const ids = [...new Set([...changed.fresh, ...changed.gone].map(({ jobId }) => jobId))]
  yield
  const added = ids.flatMap(id => {
    const job = next.jobs.jobs.get(id)
    return job && !isSameJob(job, before.jobs.jobs.get(id)) ? job : []
  })
  yield
  const removed = [...new Set(changed.gone.map(({ jobId }) => jobId))].flatMap(id =>
    next.jobs.jobs.has(id) ? [] : (before.jobs.jobs.get(id) ?? []),
  )
  yield
  const newlySubscribed = new Set(
    checks.heirs.flatMap(({ old, state }) => (old ? [] : state.subscriber.jobId)),
  )
  for (const { id } of added) newlySubscribed.delete(id)
  const rejudged = new Set(changed.fresh.map(({ service }) => service))
  yield
  const unsettled = new Map(unsettledIn(before.services, next.services, standings, checks))
  return { before: before.jobs, checks, standings, added, removed, newlySubscribed, rejudged, unsettled }
}

function* unsettledIn(
  before: readonly ResolvedService[],
  next: readonly ResolvedService[],
  { staying }: StandingSuccession,
  { left, heirs }: CheckSuccession,
): Iterable<readonly [ResolvedService, readonly ResolvedReal[]]> {
  const states = [...left, ...heirs.map(({ state }) => state)]
  const changed = new Set(states.map(({ subscriber }) => subscriber.real))
  const byName = new Map(before.map(service => [service.name, service]))
  for (const now of next) {
    const old = byName.get(now.name)
    if (!old || old === now || now.also || !isSameValue({ ...old, reals: null }, { ...now, reals: null }))
      continue
    yield [now, now.reals.filter(real => !staying.has(real) || changed.has(real))]
  }
}

function* subscribersIn(some: readonly ServiceJobs[]): Sliced<readonly Subscriber[]> {
  const subscribers: Subscriber[] = []
  for (const { each } of some) {
    for (const { subscriber } of each) subscribers.push(subscriber)
    yield
  }
  return subscribers
}

/** True if what is in both lists has another order in the second one. */
function areMoved<T>(before: readonly T[], next: readonly T[]): boolean {
  const [old, now] = [new Set(before), new Set(next)]
  const [stayed, staying] = [before.filter(one => now.has(one)), next.filter(one => old.has(one))]
  return stayed.length !== staying.length || stayed.some((one, i) => one !== staying[i])
}
