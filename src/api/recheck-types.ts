/** What is asked of the checks over the control socket, and what is answered. Plain JSON. */
import { z } from '../check/option-types.js'
import type { CheckResult, HealthState } from '../core/model.js'
import { targets } from './override-types.js'

/** `POST /recheck`: exact names as in the status document; `real: null` means all of the service. */
export const recheckRequest = z.strictObject({ targets })

/** `POST /recheck/results`: results after the time `after`, which an earlier answer has given. */
export const recheckResultsRequest = z.strictObject({ targets, after: z.number() })

export type RecheckRequest = z.output<typeof recheckRequest>
export type RecheckResultsRequest = z.output<typeof recheckResultsRequest>

export interface RecheckOutcome {
  /** A sentence if there is no such target; nothing has changed then. Else null. */
  readonly trouble: string | null
  readonly reals: number
  readonly checks: number
  /** Milliseconds over which the starts are spread. */
  readonly spread: number
  /** Milliseconds until each check has as many results as `rise` and `fall` may need. */
  readonly within: number
  /** For `POST /recheck/results`. */
  readonly after: number
}

export interface RecheckedReal {
  readonly service: string
  readonly real: string
  readonly state: HealthState
  /** True while results contradict the state of a check, so that further ones decide. */
  readonly isChanging: boolean
  /** Number of its checks. */
  readonly count: number
  /** The checks with a result since. */
  readonly checks: readonly {
    /** Position among the checks of the real server, which may have two of a kind. */
    readonly index: number
    readonly kind: string
    readonly state: HealthState
    readonly result: CheckResult
    /** Time of the result, as `after`. */
    readonly at: number
    /** Results in a row that contradict the state, and how many change it. */
    readonly streak: number
    readonly needed: number
  }[]
}
