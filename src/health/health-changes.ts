/** What a result, a file or a configuration has changed: what the health store gives back, and the events it makes. */

import type { CheckResult, HealthState, ResolvedReal, ResolvedService } from '../core/model.js'
import type { Job, Subscriber } from './jobs.js'

/** A real server that changed its state, or a check that did without moving its server. */
export interface Transition {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly check: string
  readonly from: HealthState
  readonly to: HealthState
  readonly result: CheckResult
  /** False: the check changed, the server as a whole did not; then `from` and `to` are the check's. */
  readonly hasMovedServer: boolean
  /** What the server is now, all its checks together. */
  readonly state: HealthState
  /** Of its checks, and how many of them must pass. */
  readonly passing: number
  readonly checks: number
}

/** A check that has given no verdict for long, or gives verdicts again. */
export interface VerdictChange {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly check: string
  /** Of the first run without a verdict, milliseconds of the steady clock. */
  readonly since: number
  readonly isMissing: boolean
  /** Why there is none. */
  readonly detail: string
}

/** A server that is held down from now on, or let go. */
export interface Hold {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  /** Why it is held; null where it is let go. */
  readonly reason: string | null
  /** What its checks have against it, whoever holds it; null where they have nothing. */
  readonly failure: CheckResult | null
}

/** A server that stays up with another weight, on the advice of a check. */
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
  /** Milliseconds until the job should run again, where that is sooner than its interval. */
  readonly recheckIn: number | null
}

export interface JobChanges {
  readonly added: readonly Job[]
  readonly removed: readonly Job[]
  /** Jobs of `added` that have all been answered before, at another interval: they need not be asked at once. */
  readonly rescheduled: ReadonlySet<string>
  /** Jobs that go on, and have a new listener who waits for a first answer. */
  readonly newlySubscribed: ReadonlySet<string>
}

export interface HealthEvents {
  /** A run has ended: the checks that it was for. Only published where somebody hears it. */
  readonly result: [subscribers: readonly Subscriber[], result: CheckResult]
  readonly transition: [transition: Transition]
  /** The checks of a server that is up advise another weight. */
  readonly weight: [change: WeightChange]
  /** A check has given no verdict for long, or gives them again. */
  readonly verdict: [change: VerdictChange]
  /** An operator holds a server down, or lets it go. */
  readonly held: [hold: Hold]
  /** The first real server of a service gets traffic, or the last one no longer does. `before`: null at a start. */
  readonly traffic: [service: ResolvedService, hasTraffic: boolean, before: boolean | null]
}
