/** The health of all services and real servers at one moment, as plain data for the status document. */
import type { HealthState, ResolvedReal, ResolvedService, Table } from '../core/model.js'
import type { Override } from '../core/override.js'
import type { TrafficState } from './availability.js'
import type { CheckState } from './check-state.js'
import type { DownStatus } from './down-rules.js'
import type { PanicStatus } from './panics.js'
import type { SharedJudgement } from './shared-judgement.js'
import type { Standing } from './standings.js'
import type { HoldStatus, RiseStatus } from './timed-rules.js'

/** All times are milliseconds of the steady clock. */
export interface HealthSnapshot {
  readonly services: readonly ServiceHealth[]
  readonly desired: Table
}

export interface ServiceHealth {
  readonly service: ResolvedService
  /** Whether a real server keeps the fallback out, and since when; null while this is not known. */
  readonly traffic: TrafficState | null
  /** Of several addresses, the names of those without a real server: `nameOfKernelService`. */
  readonly lacking?: readonly string[]
  /** Null without a panic. */
  readonly panic: PanicStatus | null
  readonly reals: readonly RealHealth[]
}

export interface CheckSnapshot extends Readonly<CheckState> {
  /** What each director says, if several share the check; else absent or empty. */
  readonly said?: ReturnType<SharedJudgement['viewOf']>
}

export interface RealHealth {
  readonly real: ResolvedReal
  readonly state: HealthState
  /** Time of the last change of state; null before the first configuration is active. */
  readonly since: number | null
  /** What an earlier run of lvsd knew, while the state is unknown; else null. */
  readonly remembered: Pick<Standing, 'state' | 'since'> | null
  readonly override: Override | null
  /** Its slow start; null: none is under way. */
  readonly rise: RiseStatus | null
  /** Its hold by damping; null: none. */
  readonly hold: HoldStatus | null
  /** What becomes of it while it is down; else null. */
  readonly down: DownStatus | null
  readonly checks: readonly CheckSnapshot[]
  /** Number of checks that pass. */
  readonly passing: number
}
