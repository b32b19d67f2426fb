/**
 * What runs jobs at their times. Each job goes to the executor that can run it: probes (data) to that of
 * the core, code to those of workers. A faster executor, in its own thread, can take the place of the first without touching
 * a check: everything it needs crosses in `set`.
 */
import type { CheckResult } from '../core/model.js'

export interface Timing {
  /** Milliseconds from start to start. */
  readonly interval: number
  /** Total milliseconds for one run. */
  readonly timeout: number
  /** Milliseconds until the first start. */
  readonly firstIn: number
}

export interface Executor<Work> {
  /** Starts a job, or replaces its work and timing; a run under way for the old work is given up silently. */
  set(id: string, work: Work, timing: Timing): void
  remove(id: string): void
  /** Moves the job's next start to `ms` from now, once and never to a later time; its interval goes on from there. */
  soon(id: string, ms: number): void
  /** Ends all runs. Nothing is reported afterwards. */
  close(): void
}

export type OnResult = (id: string, result: CheckResult) => void
