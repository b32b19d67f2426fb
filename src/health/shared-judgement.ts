/** What several directors say of a check together, for a director that is one of them. */
import type { CheckResult, HealthState } from '../core/model.js'

export interface SharedJudgement {
  /** True unless this director only hears of the job. */
  asks(job: string): boolean
  /** True if what this director said of the job counts. */
  hasOwn(job: string): boolean
  /** Notes what this director says. `isSettled`: its state and its last result are the same. */
  say(job: string, state: HealthState, result: CheckResult, isSettled: boolean): void
  /** Returns the state that all observers together give; null: this director decides alone. */
  agreed(job: string, current: HealthState): HealthState | null
  /** Who says what of a job; empty: it is not shared. */
  viewOf(job: string): readonly {
    readonly host: string
    readonly isSelf: boolean
    readonly state: 'up' | 'down'
    /** Why it is down; else null. */
    readonly detail: string | null
  }[]
  /** Returns what those have found who say this. */
  found(job: string, state: HealthState): CheckResult
}
