/** What another configuration would have made of recorded results. */
import type { TableChanges } from './simulation-report.js'

/** A time in which a real server was out of service, in milliseconds of the wall clock. */
export interface Outage {
  readonly from: number
  /** Null: to the end of the recording. */
  readonly to: number | null
  /** True if a check of it passed again within one interval. */
  readonly isFalse: boolean
}

export interface ReplaySide {
  /** Removals of a server that was up. */
  readonly outages: readonly Outage[]
  /** Milliseconds in which it was down. */
  readonly outMs: number
}

export interface ReplayedServer {
  /** `web/[2001:db8::1]:80`. */
  readonly name: string
  /** What happened. */
  readonly was: ReplaySide
  /** What would have happened; null: the configuration does not have the server. */
  readonly would: ReplaySide | null
  /** True if it makes no difference: removals within one interval of each other count as the same. */
  readonly isSame: boolean
}

export interface ReplayReport {
  readonly file: string
  readonly recording: string
  /** Milliseconds of the wall clock. */
  readonly from: number
  readonly to: number
  /** False: it was interrupted at `to`. */
  readonly isComplete: boolean
  /** Milliseconds of that time in which nothing was recorded. */
  readonly unrecorded: number
  readonly checks: number
  /** Runs of checks. */
  readonly runs: number
  /** Runs without a recorded result, by their reason. */
  readonly missing: {
    readonly shorterInterval: number
    readonly longerTimeout: number
    readonly gap: number
  }
  /** False: the recording does not say how often checks ran, and the intervals of the configuration are assumed. */
  readonly hasPolicies: boolean
  /** Checks of the configuration that the recording does not have, and the other way round. */
  readonly notRecorded: readonly string[]
  readonly notConfigured: readonly string[]
  readonly servers: readonly ReplayedServer[]
  readonly changes: TableChanges
  readonly messages: number
  readonly problems: readonly string[]
}
