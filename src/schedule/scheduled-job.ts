/** What the scheduler knows of a job: its work, its place in the queues, and its run under way. */
import { noVerdict } from '../check/check.js'
import { NO_PHASES, type Run } from '../check/run.js'
import type { HeapItem } from './due-heap.js'
import type { OnResult, Timing } from './executor.js'
import type { FairQueue, Queued } from './fair-queue.js'

/**
 * Jobs of one configuration all start at once; the second start of each is moved to another phase of its interval. `pending`: not
 * yet. `shifting`: that start is to come.
 */
type PhaseShift = 'pending' | 'shifting' | 'done'

export interface ScheduledJob extends HeapItem, Queued {
  readonly id: string
  readonly timing: Timing
  readonly begin: () => Run
  readonly report: OnResult
  readonly queue: FairQueue<ScheduledJob>
  run: Run | null
  /** By the clock without stalls, milliseconds; NEVER before the first start. */
  startedAt: number
  /** When it should have started, milliseconds. */
  scheduledAt: number
  phaseShift: PhaseShift
  /** Its place among the runs under way. */
  runningIndex: number
}

export const NEVER = Number.NEGATIVE_INFINITY

type JobParts = Pick<ScheduledJob, 'id' | 'timing' | 'begin' | 'report' | 'queue'>

export function newJob(told: JobParts): ScheduledJob {
  return {
    ...told,
    due: 0,
    heapIndex: -1,
    run: null,
    isWaiting: false,
    startedAt: NEVER,
    scheduledAt: 0,
    isSlow: false,
    lane: 'quick',
    phaseShift: told.timing.firstIn > 0 ? 'done' : 'pending',
    runningIndex: -1,
  }
}

/** Placeholder for a run whose start threw. */
export const FAILED_TO_START: Run = {
  phase: null,
  phases: NO_PHASES,
  wakeAt: Number.POSITIVE_INFINITY,
  wake: () => {},
  expire: () => noVerdict('never begun'),
  cancel: () => {},
}
