/** What the clockwork knows of a job: its work, its place in the queues, and its run under way. */
import { noVerdict } from '../check/check.js'
import { type Flight, UNTRACED } from '../check/run.js'
import type { HeapItem } from './deadline-heap.js'
import type { OnResult, Timing } from './executor.js'
import type { Guest, Lobby } from './fair-queue.js'

/** `wanted`: started with all the others, so its second start has to be put elsewhere. `set`: that start is to come. */
type Spread = 'wanted' | 'set' | 'done'

export interface Job extends HeapItem, Guest {
  readonly id: string
  readonly timing: Timing
  readonly begin: () => Flight
  readonly report: OnResult
  readonly lobby: Lobby<Job>
  flight: Flight | null
  /** By the clock without stalls, milliseconds; NEVER before the first start. */
  startedAt: number
  /** When it should have started, milliseconds. */
  nominal: number
  spread: Spread
  /** Its place among the runs under way. */
  seat: number
}

export const NEVER = Number.NEGATIVE_INFINITY

type Told = Pick<Job, 'id' | 'timing' | 'begin' | 'report' | 'lobby'>

export function newJob(told: Told): Job {
  return {
    ...told,
    due: 0,
    place: -1,
    flight: null,
    isWaiting: false,
    startedAt: NEVER,
    nominal: 0,
    isSlow: false,
    lane: 'quick',
    spread: told.timing.firstIn > 0 ? 'done' : 'wanted',
    seat: -1,
  }
}

/** Stands for a run that did not even begin. */
export const GROUNDED: Flight = {
  phase: null,
  phases: UNTRACED,
  wakeAt: Number.POSITIVE_INFINITY,
  wake: () => {},
  expire: () => noVerdict('never begun'),
  cancel: () => {},
}
