/** What a simulation has found. */
import type { Summary } from './distribution.js'
import type { FailureSpec } from './failure-spec.js'

/**
 * `complete`: all of the time was simulated. `time`: the limit of real time was reached. `full`: the checks did not all have a
 * first result, because one director cannot run so many.
 */
export type SimulationEnd = 'complete' | 'interrupted' | 'time' | 'full'

export interface TableChanges {
  readonly added: number
  readonly changed: number
  readonly removed: number
}

/** Times are milliseconds of the virtual clock, if nothing else is said. */
export interface SimulationReport {
  readonly seed: number
  readonly failures: FailureSpec
  readonly file: string
  readonly services: number
  readonly reals: number
  /** Distinct checks: see `core/health.ts`. */
  readonly checks: number
  readonly ended: SimulationEnd
  readonly wanted: number
  /** Without the start. */
  readonly simulated: number
  /** Until all checks had a first result. `waiting`: those that had none. */
  readonly start: {
    readonly ms: number
    readonly changes: TableChanges
    readonly messages: number
    readonly waiting: number
  }
  readonly counts: {
    /** Failures of servers that began, and that ended. */
    readonly begun: number
    readonly repaired: number
    /** Failures that ended before the server was down. */
    readonly unseen: number
    /** Real servers that went down after they had been up. */
    readonly removals: number
    /** Of these: those of servers that were up when the last check began. */
    readonly falseRemovals: number
    /** Real servers that came up again. */
    readonly returns: number
    /** Times that damping held a server down. */
    readonly held: number
  }
  /** From the failure of a server to its removal. */
  readonly detection: Summary
  /** From the repair of a server to its return. */
  readonly recovery: Summary
  readonly changes: TableChanges
  readonly messages: number
  /** What the kernel would refuse. */
  readonly refusals: readonly string[]
  readonly runs: number
  /** Of sentinels: servers that have one, hints that they gave, and checks that these brought forward or had to drop. */
  readonly hints: {
    readonly sentinels: number
    readonly given: number
    readonly broughtForward: number
    readonly dropped: number
    /** True: lvsd would knock on servers that refuse (`settings: knock`), so that they return earlier than in the simulation. */
    readonly withoutKnocking: boolean
  }
  /** Of the starts of runs, beside their schedule. */
  readonly lateness: Summary
  readonly stalledFor: number
  /** Of the processor, for a run of a check. */
  readonly cost: number
  /** Of this simulation itself, in real time; with the start. */
  readonly run: {
    readonly seconds: number
    readonly cpuSeconds: number
    readonly runs: number
    /** Of these: the runs that could change nothing and were counted instead of started. */
    readonly counted: number
    /** The processor time of scheduler, health and table for each run, and the number of runs on which it was measured. */
    readonly measured: { readonly runs: number; readonly microsecondsEach: number }
    /** Bytes. */
    readonly highestRss: number
  }
}
