/**
 * The messages between the core and its workers: data only. Orders and reports are sent in lists, one list per turn of
 * the event loop. State that changes often and is only polled (beats, phases) is in shared memory instead, see
 * shared.ts.
 */
import type { Answer, MarkedRun, Target } from '../check/check.js'
import type { Phase, PhaseTime } from '../core/model.js'

/** What a job runs: sent once per job, not per run. */
export interface Definition {
  /** URL of the file that exports the check. */
  readonly module: string
  readonly target: Target
  readonly options: Readonly<Record<string, unknown>>
}

export type Order =
  | { readonly do: 'load'; readonly module: string }
  | { readonly do: 'define'; readonly job: number; readonly definition: Definition }
  | { readonly do: 'forget'; readonly job: number }
  /** `slot` is the place in shared memory in which the run reports its phase. */
  | {
      readonly do: 'start'
      readonly run: number
      readonly slot: number
      readonly job: number
      readonly timeout: number
      readonly traced: boolean
      /** Text of the source address to bind to; absent: the kernel chooses. */
      readonly source?: string
      /** Set if the run takes the path of a service; its check is then run as code. */
      readonly marked?: MarkedRun
    }
  | { readonly do: 'abort'; readonly run: number }
  /** Asks for a report of the next rounds without waiting for the next beat, because of a deadline. */
  | { readonly do: 'come-round' }

/**
 * Number of event loop rounds after which everything that had arrived before the first one has been read: the first may
 * already be in progress, the second is complete.
 */
export const ROUNDS = 2

/** Harm that code did to its worker, as detected in the worker. */
export interface Fault {
  readonly kind: 'exit' | 'threw' | 'rejected' | 'held'
  /** The message of the thrown value, the resource that is held, or the call that ended the worker. */
  readonly detail: string
  /** The run that caused it, or null if unknown. */
  readonly run: number | null
}

export type Report =
  | { readonly say: 'ready' }
  /** `problem` is the reason why the file cannot be loaded, or null. */
  | { readonly say: 'loaded'; readonly module: string; readonly problem: string | null }
  /** `at` is the time of the answer, by `monotonicNow`. */
  | { readonly say: 'answer'; readonly run: number; readonly answer: Answer; readonly at: number }
  /** A phase of a traced run has ended. `place`: number of phases before it. */
  | { readonly say: 'phase'; readonly run: number; readonly time: PhaseTime; readonly place: number }
  /** A run has entered a phase that its check defines. */
  | { readonly say: 'entered'; readonly run: number; readonly phase: Phase }
  /** A run that was aborted has ended. */
  | { readonly say: 'settled'; readonly run: number }
  | { readonly say: 'fault'; readonly fault: Fault }
  /** Code has printed something: `bytes` since the last report, and the beginning of it. */
  | {
      readonly say: 'output'
      readonly bytes: number
      readonly beginning: string
      readonly run: number | null
    }

/** Parameters of a worker. */
export interface Terms {
  /** Process title. */
  readonly name: string
  /** True if a user's file runs in the worker. Runs are then tracked separately, and harmful calls are refused. */
  readonly isGuarded: boolean
  /** OOM score of the director, from which those of the worker's commands are derived. */
  readonly oomScore: number
  /** Milliseconds between two beats. */
  readonly beat: number
  /** Megabytes of memory that the checks may use. */
  readonly limit: number
  /** Increase of niceness, so that the core has priority when CPU time is scarce. */
  readonly niceness: number
}

/** The numbers of phases in shared memory are indexes of this array. */
export const PHASES: readonly Phase[] = [
  'run',
  'resolve',
  'connect',
  'handshake',
  'send',
  'first byte',
  'headers',
  'body',
]
