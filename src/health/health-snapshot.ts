/** What is known of the health of all servers at one moment, as data: for whoever shows it. */
import type { HealthState, ResolvedReal, ResolvedService, Table } from '../core/model.js'
import type { TrafficState } from './availability.js'
import type { CheckState } from './check-state.js'

/** All times are milliseconds of the steady clock. */
export interface HealthSnapshot {
  readonly services: readonly ServiceHealth[]
  readonly desired: Table
}

export interface ServiceHealth {
  readonly service: ResolvedService
  /** Whether a real server keeps the fallback out, and since when; null while that is not known. */
  readonly traffic: TrafficState | null
  readonly reals: readonly RealHealth[]
}

export interface RealHealth {
  readonly real: ResolvedReal
  readonly state: HealthState
  /** Null before the first configuration is in force. */
  readonly since: number | null
  /** The override that holds it down, and since when; null where none does. */
  readonly held: { readonly reason: string; readonly since: number | null } | null
  readonly checks: readonly Readonly<CheckState>[]
  /** How many of them pass. */
  readonly passing: number
}
