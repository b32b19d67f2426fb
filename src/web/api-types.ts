/** The types of the API that the page uses. No other file of this folder knows another room. */
import type { EventsAnswer } from '../api/event-types.js'
import type { RealStatus, ServiceListing } from '../api/status-types.js'
import type { DoctorDocument } from '../api/validate-types.js'

export type { EventsAnswer } from '../api/event-types.js'
export type { OverviewDocument, ServiceOverview, TroubledReal } from '../api/overview-types.js'
export type { OverrideStatus, RealStatus, ReloadOutcome, ServiceListing } from '../api/status-types.js'
export type { ChangeDocument, PlanDocument } from '../api/table-types.js'
export type { DoctorDocument } from '../api/validate-types.js'
export type { WhyCheck, WhyReal, WhyResults } from '../api/why-types.js'

export type EventRecord = EventsAnswer['events'][number]
export type HealthState = RealStatus['state']

export type Finding = DoctorDocument['findings'][number]
export type ListedReal = ServiceListing['reals'][number]
