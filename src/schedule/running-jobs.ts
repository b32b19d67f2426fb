/** The jobs whose runs are in progress, and their deadlines. Times are milliseconds of the clock without stalls. */
import type { ScheduledJob } from './scheduled-job.js'

/** Milliseconds. A deadline at most this long after a tick is evaluated with that tick. */
const EARLY = 5

export class RunningJobs {
  readonly #jobs: ScheduledJob[] = []

  get size(): number {
    return this.#jobs.length
  }

  all(): readonly ScheduledJob[] {
    return [...this.#jobs]
  }

  add(job: ScheduledJob): void {
    job.runningIndex = this.#jobs.push(job) - 1
  }

  /** The job must be among them. */
  remove(job: ScheduledJob): void {
    const last = this.#jobs.pop() as ScheduledJob
    if (last === job) return
    this.#jobs[job.runningIndex] = last
    last.runningIndex = job.runningIndex
  }

  /** True if a run needs the clock by now. */
  isAnyDue(now: number): boolean {
    return this.#jobs.some(job => nextDeadlineOf(job) <= now)
  }

  /** Returns the jobs whose runs need the clock by now, in the order of their starts. */
  due(now: number): readonly ScheduledJob[] {
    // The order of `#jobs` depends on which other runs have ended.
    return this.#jobs.filter(job => nextDeadlineOf(job) <= now).sort((a, b) => a.startNumber - b.startNumber)
  }
}

/** True if the run is to be woken: its deadline has not come yet. */
export function isBeforeDeadline({ startedAt, run, timing }: ScheduledJob, now: number): boolean {
  return now < startedAt + (run?.heldUp ?? 0) + timing.timeout - EARLY
}

/** Returns the next time at which a run needs the clock: its wake-up or its deadline. */
function nextDeadlineOf(job: ScheduledJob): number {
  const { timeout } = job.timing
  const { wakeAt = timeout, heldUp = 0 } = job.run ?? {}
  return job.startedAt + heldUp + Math.min(wakeAt, timeout) - EARLY
}
