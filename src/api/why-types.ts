/** The answer to `lvsd why`. Plain JSON. */
import type { CheckResult } from '../core/model.js'
import type { CheckStatus, OverrideStatus, RealStatus, ServiceStatus } from './status-types.js'

/** Version of the format. It increases when a field changes its meaning or is removed. */
export const WHY_SCHEMA = 1

/** Results in a row with the same verdict, reason and detail. All times: ISO 8601. */
export interface WhyResults {
  /** The last one, with the times of its phases in milliseconds since the start of the run. */
  readonly last: CheckResult
  readonly count: number
  readonly from: string
  readonly at: string
}

export interface WhyCheck extends Omit<CheckStatus, 'last' | 'lastAt'> {
  /** What a passing answer has, in words. */
  readonly expects: string
  /** ISO 8601; start of the next run. Null while lvsd does not run the check. */
  readonly nextAt: string | null
  /** True while a run is in progress. */
  readonly isRunning: boolean
  /** The last groups of results, the newest first. */
  readonly results: readonly WhyResults[]
}

export interface WhyOverride extends OverrideStatus {
  /** `service`: it is on the service as a whole. */
  readonly on: 'real' | 'service'
  /** True for the one that decides. */
  readonly counts: boolean
}

/** What the kernel holds for a server, and what lvsd last wrote there. */
export interface WhyTable {
  /** ISO 8601; when the table was last read as a whole. Null before that. */
  readonly readAt: string | null
  /** Null: lvsd has written nothing since its start, and what earlier runs wrote is not in the table any more. */
  readonly written: {
    /** ISO 8601 */
    readonly at: string
    /** Null: lvsd removed the entry. */
    readonly weight: number | null
    /** True: an earlier run of lvsd wrote it, and the kernel still holds it. */
    readonly isEarlier: boolean
  } | null
}

export interface WhyReal {
  readonly kind: 'real'
  readonly service: Omit<ServiceStatus, 'reals'>
  readonly real: Omit<RealStatus, 'checks'>
  /** What is so, since when, why, and what would change it. */
  readonly sentence: string
  readonly checks: readonly WhyCheck[]
  readonly overrides: readonly WhyOverride[]
  readonly table: WhyTable
}

export interface WhyService {
  readonly kind: 'service'
  readonly service: Omit<ServiceStatus, 'reals'>
  readonly sentence: string
  /** The real servers that get no new connections, or are about to change. */
  readonly reals: readonly (Pick<RealStatus, 'name' | 'state' | 'since' | 'override' | 'weight'> & {
    readonly sentence: string
  })[]
}

export type WhyAnswer = WhyReal | WhyService

/** What `lvsd why --json` prints: an answer for each service that the target means. */
export interface WhyDocument {
  readonly schema: number
  /** ISO 8601 */
  readonly now: string
  readonly answers: readonly WhyAnswer[]
}
