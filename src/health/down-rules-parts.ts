import type { HealthState, ResolvedReal, ResolvedService, Table } from '../core/model.js'
import type { DownCause } from '../core/on-down.js'

/** What the rules for servers that are down need of their owner. */
export interface DownRulesParts {
  /** State after damping, without the override. */
  stateBeforeOverride(real: ResolvedReal): HealthState
  /** State after damping and the override. */
  stateOf(real: ResolvedReal): HealthState
  /** True if an override decides the state. */
  isOverridden(real: ResolvedReal): boolean
  /** Why it is down by its checks. */
  causeOf(service: ResolvedService, real: ResolvedReal): DownCause
  /** True if the actual table shows the server in service. */
  isInService(service: ResolvedService, real: ResolvedReal): boolean
  /** The actual table; null before the first read. */
  table(): Table | null
  /** Sets when `look` is to be called for the server, or for the service; null: not by time. */
  setDeadline(key: ResolvedService | ResolvedReal, at: number | null): void
}
