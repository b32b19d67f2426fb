/**
 * Runs jobs on schedule. There is one executor for probes (data) in the core, and one for each group of workers (code).
 * A faster executor in its own thread could replace the first one without changes to checks: it needs only the data
 * passed to `set`.
 */
import type { CheckResult } from '../core/model.js'

export interface Timing {
  /** Milliseconds from the start of one run to the start of the next. */
  readonly interval: number
  /** Time limit of a run in milliseconds. */
  readonly timeout: number
  /** Milliseconds until the first start. */
  readonly firstIn: number
  /**
   * Milliseconds until a start on the grid of the interval that the job keeps, whatever `firstIn` and `soon` bring
   * forward. Absent: the interval continues from each start.
   */
  readonly grid?: number
}

/** Returns what is left of a timing that was given `ms` milliseconds ago. The grid stays where it is. */
export function timingAfter(ms: number, timing: Timing): Timing {
  const { interval, firstIn, grid } = timing
  const rest = { ...timing, firstIn: Math.max(0, firstIn - ms) }
  if (grid === undefined) return rest
  const phase = (grid - ms) % interval
  return { ...rest, grid: phase < 0 ? phase + interval : phase }
}

export interface NextRun {
  /** Milliseconds until it starts. */
  readonly in: number
  /** True while another run is in progress or waits for its turn. */
  readonly isRunning: boolean
}

export interface Executor<Work> {
  /** Adds a job, or replaces its work and timing. A run of the old work is cancelled without a result. */
  set(id: string, work: Work, timing: Timing): void
  /** Gives a job another timing, and lets a run in progress go on. The next start is never postponed. */
  retime(id: string, timing: Timing): void
  remove(id: string): void
  /** Moves the next start to `ms` milliseconds from now, if that is earlier. The interval continues from there. */
  soon(id: string, ms: number): void
  /**
   * Starts a run now, off the time grid, and reports its result without delay, with `isEarly`; while one is in progress,
   * another follows it. The schedule of the job does not move. `isAnew`: a run in progress that waits for its connection is
   * cancelled without a result, because what it has sent was lost.
   */
  atOnce(id: string, isAnew?: boolean): void
  /**
   * Ends the run in progress as at its time limit, if it has waited for its connection for at least `least` milliseconds, and
   * reports its result without delay, with `isEarly`. Otherwise it does nothing.
   */
  giveUpConnecting(id: string, least: number): void
  /** Returns the next run of a job; null if there is no such job. */
  next(id: string): NextRun | null
  /** Cancels all runs. No further results are reported. */
  close(): void
}

export type OnResult = (id: string, result: CheckResult) => void

/** The same, with the work of the job. */
export type OnWorkResult<Work> = (id: string, result: CheckResult, work: Work) => void

/** Is called at each start and each end of a run. `due`: when the job starts next, in milliseconds of the clock. */
export type OnTimes<Work> = (work: Work, due: number, isRunning: boolean) => void
