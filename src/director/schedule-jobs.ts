import type { JobChanges } from '../health/health-changes.js'
import type { HealthStore } from '../health/health-store.js'
import { type Job, workOf } from '../health/jobs.js'
import type { Timing } from '../schedule/executor.js'
import type { Executors } from '../schedule/executors.js'

/** Returns the interval at which a check runs in the present role; null: it does not run. */
export type IntervalOf = (interval: number) => number | null

const asConfigured: IntervalOf = interval => interval

/**
 * Returns the grid on which a job runs, if several directors share the checks; null: it does not run here. Undefined: it
 * runs as without other directors.
 */
export type PlanOf = (job: string, interval: number) => { readonly grid: number } | null | undefined

export interface Pace {
  readonly intervalOf?: IntervalOf
  readonly planOf?: PlanOf | undefined
  readonly random?: () => number
}

/**
 * Passes the job changes of a new configuration to the executors. A rescheduled job starts at a random time within its
 * interval.
 */
export function scheduleJobs(
  executors: Pick<Executors, 'set' | 'remove' | 'soon'>,
  changes: JobChanges,
  pace: Pace = {},
): void {
  for (const [, order] of jobOrders(executors, changes, pace)) order()
}

export type Order = readonly [id: string, order: () => void, isFurther?: true]

/**
 * Yields what `scheduleJobs` orders: for each job what is to be called, with the pace at the time of that call.
 * `isFurther`: an earlier order of this job is to be called before, not replaced.
 */
export function* jobOrders(
  executors: Pick<Executors, 'set' | 'remove' | 'soon'>,
  { removed, added, rescheduled, newlySubscribed }: JobChanges,
  { intervalOf = asConfigured, planOf, random = Math.random }: Pace = {},
): Generator<Order> {
  for (const { id } of removed) yield [id, () => executors.remove(id)]
  for (const job of added) {
    const phase = rescheduled.has(job.id) ? random() : 0
    yield [job.id, () => setJob(executors, job, { intervalOf, planOf }, phase)]
  }
  for (const id of newlySubscribed) yield [id, () => executors.soon(id, 0), true]
}

/**
 * Yields what gives every job the interval of a new role, with the pace at the time of the call. All run at once: a role that
 * changes asks for fresh results.
 */
export function* paceOrders(
  executors: Pick<Executors, 'set' | 'remove'>,
  jobs: HealthStore['jobs'],
  pace: Pace,
): Generator<Order> {
  for (const job of jobs.values()) yield [job.id, () => setJob(executors, job, pace, 0)]
}

/** Moves jobs to the times that the directors of the site have for them. A run in progress goes on. */
export function placeJobs(
  executors: Pick<Executors, 'set' | 'remove' | 'retime' | 'next'>,
  jobs: readonly Job[],
  { intervalOf = asConfigured, planOf, random = Math.random }: Pace,
): void {
  for (const job of jobs) {
    const { timeout } = job.use.policy
    const interval = intervalOf(job.use.policy.interval)
    const plan = interval === null ? null : planOf?.(job.id, interval)
    if (interval === null || plan === null) {
      executors.remove(job.id)
      continue
    }
    const timing = { interval, timeout, ...(plan ?? {}), firstIn: plan?.grid ?? random() * interval }
    if (executors.next(job.id)) executors.retime(job.id, timing)
    else executors.set(job.id, workOf(job), timing)
  }
}

/** `phase` is the part of the interval that passes before the first run. */
function setJob(
  executors: Pick<Executors, 'set' | 'remove'>,
  job: Job,
  { intervalOf = asConfigured, planOf }: Pace,
  phase: number,
): void {
  const { timeout } = job.use.policy
  const interval = intervalOf(job.use.policy.interval)
  const plan = interval === null ? null : planOf?.(job.id, interval)
  if (interval === null || plan === null) executors.remove(job.id)
  else executors.set(job.id, workOf(job), timingOf({ interval, timeout, firstIn: phase * interval, ...plan }))
}

let last: Timing | null = null

/** Most jobs have the timing of the one before: it is one object then, which a message to the engine has once. */
function timingOf(timing: Timing): Timing {
  const before = last
  const isSame =
    before !== null &&
    before.interval === timing.interval &&
    before.timeout === timing.timeout &&
    before.firstIn === timing.firstIn &&
    before.grid === timing.grid
  if (isSame) return before
  last = timing
  return timing
}
