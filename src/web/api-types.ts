/** The types of the API that the page uses. No other file of this folder knows another room. */
import type { EventsAnswer } from '../api/event-types.js'
import type { RealStatus } from '../api/status-types.js'

export type { EventsAnswer } from '../api/event-types.js'
export type { OverviewDocument, ServiceOverview, TroubledReal } from '../api/overview-types.js'
export type { OverrideStatus, RealStatus, ReloadOutcome, ServiceStatus } from '../api/status-types.js'
export type { WhyCheck, WhyReal, WhyResults } from '../api/why-types.js'

export type EventRecord = EventsAnswer['events'][number]
export type HealthState = RealStatus['state']

/** What doctor says about one hazard. */
export interface Finding {
  readonly id: string
  readonly severity: 'error' | 'warning' | 'note' | 'not known' | 'ok'
  readonly title: string
  readonly text: string
  readonly commands: readonly string[]
}
