/** What another configuration would have made of recorded results. */
import type { TableChanges } from './simulation-report.js'

/** A time in which a real server was out of service, in milliseconds of the wall clock. */
export interface Outage {
  readonly from: number
  /** Null: to the end of the recording. */
  readonly to: number | null
  /** True if a check of it passed again within one interval: in its next run. */
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
  /** What happened; null: nothing is recorded of the server. */
  readonly was: ReplaySide | null
  /**
   * `replay`: `was` is the replay of the recorded policy, by the same code as `would`. `events`: it is what the recorded events
   * give, because the policy is not recorded, or its replay does not give the same.
   */
  readonly wasBy: 'replay' | 'events'
  /** What the recorded events give. */
  readonly events: ReplaySide | null
  /** What would have happened; null: not known, or the configuration has no check of the server. */
  readonly would: ReplaySide | null
  /**
   * Kinds of the checks in the configuration of which there is no recording. With one of them `would` is not known. Several checks
   * of one kind have one name in a recording: `each of several http`.
   */
  readonly withoutRecording: readonly string[]
  /** True if it makes no difference: removals within `tolerance` of each other count as the same. */
  readonly isSame: boolean
  /** Milliseconds for each removal: smaller differences mean nothing. One interval, and what the replay of `was` is off. */
  readonly tolerance: number
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
    /** Nothing was recorded at the time, or not of the check. */
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
