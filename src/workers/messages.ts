/**
 * What crosses between the core and its workers: data only. Orders and reports are sent in lists, one list for all that
 * came together in one turn of a loop. What is needed many times a second without being asked for (beats, phases) stands
 * in shared memory instead, see `shared.ts`.
 */
import type { Answer, Target } from '../check/check.js'
import type { Phase, PhaseTime } from '../core/model.js'

/** What is asked of whom: sent once for a job, however often it runs. */
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
  /** `slot`: where in shared memory the run says its phase. */
  | {
      readonly do: 'start'
      readonly run: number
      readonly slot: number
      readonly job: number
      readonly timeout: number
      readonly traced: boolean
    }
  | { readonly do: 'abort'; readonly run: number }
  /** Says at once, and not at the next beat, that its loop has come round: a deadline waits for it. */
  | { readonly do: 'come-round' }

/**
 * Rounds of a worker's loop after which whatever had arrived before the first of them has been read: one may be under way,
 * one is whole.
 */
export const ROUNDS = 2

/** What code did to the worker it ran in, as far as the worker itself could see it. */
export interface Fault {
  readonly kind: 'exit' | 'threw' | 'rejected' | 'held'
  /** The message of what was thrown, what is held, or the call that ended the worker. */
  readonly detail: string
  /** The run from which it came, where that is known. */
  readonly run: number | null
}

export type Report =
  | { readonly say: 'ready' }
  /** `problem`: why the file cannot be loaded. */
  | { readonly say: 'loaded'; readonly module: string; readonly problem: string | null }
  /** `at`: when it was given, as `monotonicNow` has it. */
  | { readonly say: 'answer'; readonly run: number; readonly answer: Answer; readonly at: number }
  /** Of a traced run: a phase has ended. */
  | { readonly say: 'phase'; readonly run: number; readonly time: PhaseTime }
  /** A run is in a phase that has a word of its own. */
  | { readonly say: 'entered'; readonly run: number; readonly phase: Phase }
  /** A run that was aborted has come to its end. */
  | { readonly say: 'settled'; readonly run: number }
  | { readonly say: 'fault'; readonly fault: Fault }
  /** Something was printed: so many bytes since the last report, and how they began. */
  | {
      readonly say: 'output'
      readonly bytes: number
      readonly beginning: string
      readonly run: number | null
    }

/** What a worker is started with. */
export interface Terms {
  /** For those who look at the processes of the machine. */
  readonly name: string
  /** A user's file runs there: each run is told from the others, and what would harm lvsd is refused. */
  readonly isGuarded: boolean
  /** Of the director, from which those of the worker's commands follow. */
  readonly oomScore: number
  /** Milliseconds between two beats. */
  readonly beat: number
  /** Megabytes that its code may hold. */
  readonly limit: number
  /** Added to its niceness, so that the core goes first where processors are scarce. */
  readonly niceness: number
}

/** By number, as shared memory has them. */
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
