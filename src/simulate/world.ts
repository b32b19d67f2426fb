/** What a simulated director asks and tells: the servers beyond it, and who watches. */
import type { Change } from '../core/model.js'
import type { HealthEvents } from '../health/health-changes.js'
import type { Job, Subscriber } from '../health/jobs.js'
import type { Promised } from '../schedule/calendar-bucket.js'
import type { Outcome } from './simulated-run.js'

/** What runs of one check find. */
export interface Checked {
  /** Returns what a run finds that starts now; `now` is in milliseconds of the virtual clock. */
  ask(now: number): Outcome
  /** Returns which of the next runs are sure to pass. Absent: none. */
  sure?(): Promised | null
  /** So many of these runs were counted instead of asked. */
  skip?(runs: number): void
}

export interface World {
  /** Returns what runs of this job find. The subscribers are the checks of real servers that use its results. */
  checked(job: Job, subscribers: readonly Subscriber[]): Checked
  /**
   * Returns the milliseconds until the first run of this job, from which its interval continues. Absent: all jobs start at once,
   * and the second run of each is moved within its interval, as at a start of the daemon.
   */
  firstIn?(job: Job, subscribers: readonly Subscriber[]): number
}

/** Called as things happen. */
export interface Observer {
  /** `outcome`: of the run that has caused it; null: the time has. */
  transition?(change: HealthEvents['transition'][0], outcome: Outcome | null): void
  damping?(change: HealthEvents['damping'][0]): void
  applied?(changes: readonly Change[]): void
  /** A run starts, `ms` milliseconds after it was due. Not called for the first run of a job. */
  delay?(ms: number): void
}
