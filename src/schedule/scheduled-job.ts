/** The scheduler's state of a job: its work, its place in the queues, and its current run. */
import { noVerdict } from '../check/check.js'
import { NO_PHASES, type Run } from '../check/run.js'
import type { CheckResult } from '../core/model.js'
import type { HeapItem } from '../util/due-heap.js'
import type { Timing } from './executor.js'
import type { FairQueue, Queued } from './fair-queue.js'

/**
 * All jobs of a configuration start at once. The second start of each is moved to a different phase of its interval.
 * `pending`: not moved yet; `shifting`: the moved start is next.
 */
type PhaseShift = 'pending' | 'shifting' | 'done'

export interface ScheduledJob extends HeapItem, Queued {
  readonly id: string
  timing: Timing
  readonly begin: () => Run
  readonly report: (result: CheckResult) => void
  /** Null: nobody asks. */
  readonly onTimes: ((due: number, isRunning: boolean) => void) | null
  readonly queue: FairQueue<Startable>
  run: Run | null
  /** True: a run follows the one in progress at once. */
  isWantedAgain: boolean
  /** True if the run that waits or is in progress was started off the schedule. */
  isEarly: boolean
  /** Start of the current or last run in milliseconds of the clock without stalls; NEVER before the first one. */
  startedAt: number
  /** Scheduled time of that start, in milliseconds; NEVER before the first one. */
  scheduledAt: number
  phaseShift: PhaseShift
  /** A tick of the grid that it keeps; null: none. */
  grid: number | null
  /** Index in the list of running jobs. */
  runningIndex: number
  /** Its number among all jobs, in the order in which they were added. */
  number: number
  /** Number of its current or last start among those of all jobs. */
  startNumber: number
}

/** Starts of many jobs that are due at one tick, which need not all be started. See `calendar.ts`. */
export interface Series extends Queued {
  readonly isSeries: true
  readonly queue: FairQueue<Startable>
  /** Milliseconds of the clock. */
  readonly scheduledAt: number
  readonly isOver: boolean
  /** Counts the next runs, up to the first that has to be started. Returns their number. */
  count(limits: CountLimits): number
  /** Returns the next job, which is to be started; null at the end. */
  take(): ScheduledJob | null
}

export interface CountLimits {
  readonly most: number
  /** Time of the clock in milliseconds: runs that start at or after it are not counted. */
  readonly end: number
  /** Places for further runs: of all executors, and of this one. */
  readonly room: number
  readonly roomInQueue: number
}

/** What waits in a queue. */
export type Startable = ScheduledJob | Series

export const NEVER = Number.NEGATIVE_INFINITY

type JobParts = Pick<ScheduledJob, 'id' | 'timing' | 'begin' | 'report' | 'onTimes' | 'queue'>

/** A literal with fractions where fractions follow, because V8 reads the properties of such objects fastest. */
export function newJob({ id, timing, begin, report, onTimes, queue }: JobParts): ScheduledJob {
  return {
    id,
    timing,
    begin,
    report,
    onTimes,
    queue,
    due: NEVER,
    heapIndex: -1,
    run: null,
    isWantedAgain: false,
    isEarly: false,
    isWaiting: false,
    startedAt: NEVER,
    scheduledAt: NEVER,
    isSlow: false,
    lane: 'quick',
    phaseShift: timing.firstIn > 0 ? 'done' : 'pending',
    grid: null,
    runningIndex: -1,
    number: 0,
    startNumber: 0,
  }
}

/** Placeholder for a run that threw an exception at its start. */
export const FAILED_TO_START: Run = {
  phase: null,
  phases: NO_PHASES,
  wakeAt: Number.POSITIVE_INFINITY,
  wake: () => {},
  expire: () => noVerdict('never begun'),
  cancel: () => {},
}
