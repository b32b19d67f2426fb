/**
 * Changes caused by a result, a maintenance file or a configuration: results of the health store, and health events.
 */

import type { CheckResult, HealthState, ResolvedReal, ResolvedService } from '../core/model.js'
import type { Changed } from './active-overrides.js'
import type { Removal } from './down-rules.js'
import type { IsolationChange } from './isolation.js'
import type { Job, Subscriber } from './jobs.js'
import type { PanicChange } from './panics.js'

/** A change of the state of a real server, or of one of its checks while the state of the server stays the same. */
export interface Transition {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly check: string
  readonly from: HealthState
  readonly to: HealthState
  readonly result: CheckResult
  /** False if only the check has changed. `from` and `to` are then states of the check. */
  readonly hasMovedServer: boolean
  /** State of the server now, from all its checks. */
  readonly state: HealthState
  /** Number of checks of the server that pass, and number of all its checks. */
  readonly passing: number
  readonly checks: number
}

/** A check has had no verdict several times in a row, or has a verdict again. */
export interface VerdictChange {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly check: string
  /** Time of the first run without a verdict, in milliseconds of the steady clock. */
  readonly since: number
  readonly isMissing: boolean
  /** Reason of the last run without a verdict. */
  readonly detail: string
}

/** An override of a real server begins, changes or ends. */
export interface OverrideChange extends Changed {
  /** Result of a failed check if the checks take the server down; else null. */
  readonly failure: CheckResult | null
}

/** Whether damping holds a server down. `spared`: it would, but no other server of the service would serve. */
export type Hold = 'free' | 'held' | 'spared'

/** Damping holds a real server down, spares it or releases it. */
export interface DampingChange {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly hold: Hold
  readonly before: Hold
  /** The state of the server now. */
  readonly state: HealthState
  /** End of the hold in milliseconds of the steady clock; null: it has ended. */
  readonly until: number | null
  /** Number of changes of its state that count. */
  readonly changes: number
}

/** A real server stays up, but a check advises a different weight. */
export interface WeightChange {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly from: number
  readonly to: number
  readonly result: CheckResult
}

export interface ResultOutcome {
  readonly transitions: readonly Transition[]
  readonly weightChanges: readonly WeightChange[]
  readonly verdicts: readonly VerdictChange[]
  /** Milliseconds until the job should run again (`fastinter`) while a state is about to change; else null. */
  readonly recheckIn: number | null
}

export interface JobChanges {
  readonly added: readonly Job[]
  readonly removed: readonly Job[]
  /**
   * Ids of jobs in `added` whose checks all have a known health, as when only the interval has changed. They need no
   * immediate run.
   */
  readonly rescheduled: ReadonlySet<string>
  /** Ids of jobs that continue and have a new subscriber, which needs a first result. */
  readonly newlySubscribed: ReadonlySet<string>
}

export interface HealthEvents {
  /**
   * A run has ended. `subscribers` are the checks that use its result. Emitted only if a listener handles this event.
   */
  readonly result: [subscribers: readonly Subscriber[], result: CheckResult]
  readonly transition: [transition: Transition]
  /** The checks of a server that is up advise a different weight. */
  readonly weight: [change: WeightChange]
  /** A check has had no verdict several times in a row, or has a verdict again. */
  readonly verdict: [change: VerdictChange]
  /** An override of a real server begins, changes or ends. */
  readonly override: [change: OverrideChange]
  /** A panic of a service begins or ends. */
  readonly panic: [change: PanicChange]
  /** A quiesced server is removed, because the time of on-down is over. */
  readonly removal: [removal: Removal]
  /** An isolation begins or ends. */
  readonly isolation: [change: IsolationChange]
  /** Damping holds a real server down, spares it or releases it. */
  readonly damping: [change: DampingChange]
  /**
   * A service has an available real server, or none any more. `before` is null if this was not known, as after a start.
   * `lacking`: of a service with several addresses, those without one.
   */
  readonly traffic: [
    service: ResolvedService,
    hasTraffic: boolean,
    before: boolean | null,
    lacking?: readonly ResolvedService[],
  ]
}
