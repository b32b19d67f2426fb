/** The status document: what `lvsd status`, the control socket and later the page and the metrics show. Plain JSON. */

import type { Problem } from '../config/problems/problem.js'
import type {
  CheckPolicy,
  CheckResult,
  Counters,
  Forwarding,
  HealthState,
  RealCounters,
} from '../core/model.js'
import type { ScheduleStats } from '../schedule/stats.js'

/** The number of this document's form; it grows when a field changes its meaning or goes. */
export const SCHEMA = 1

/** Since when something is so, and what it is. */
export interface CauseStatus {
  /** ISO 8601. */
  readonly since: string
  readonly detail: string
}

export interface CheckStatus {
  /** `web/[2001:db8::1]:80/http`, as in the log. */
  readonly name: string
  readonly kind: string
  /** Where it is sent, `[2001:db8::1]:80`. */
  readonly target: string
  readonly state: HealthState
  readonly streak: number
  /** ISO 8601; of the last change of state. */
  readonly since: string
  readonly policy: CheckPolicy
  /** The last verdict. */
  readonly last: CheckResult | null
  /** ISO 8601, or null before the first result. */
  readonly lastAt: string | null
  /** Null where the last run gave a verdict; else since when there is none, why, and for how many runs. */
  readonly noVerdict: (CauseStatus & { readonly count: number }) | null
}

export interface RealStatus {
  /** `[2001:db8::1]:80`, the word for `lvsd status SERVICE REAL`. */
  readonly name: string
  readonly host: string
  /** The one in use, `[2001:db8::1]`; null while the name does not resolve. */
  readonly address: string | null
  /** Why its name has no address, or no longer the one in use; null where all is well, or where it is no name. */
  readonly nameTrouble: string | null
  readonly port: number
  readonly forwarding: Forwarding
  readonly state: HealthState
  /** ISO 8601; since when the server as a whole is in this state. */
  readonly since: string
  /** Checks that pass, and how many must; `checks` has them all. */
  readonly passing: number
  readonly need: number
  /** The file that holds it down, or null. */
  readonly maintenance: { readonly since: string; readonly file: string } | null
  readonly weight: {
    readonly configured: number
    /** What lvsd wants in the table now; null: not in the table. */
    readonly wanted: number | null
    /** What the kernel held at the last reading; null: not in the table. */
    readonly kernel: number | null
  }
  /** One sentence: why it is not up, or the last result. */
  readonly reason: string
  readonly checks: readonly CheckStatus[]
  readonly counters: RealCounters | null
}

export interface Totals {
  readonly up: number
  readonly down: number
  /** Not judged yet. */
  readonly unknown: number
  /** Of all these, those of which a check gives no verdict. */
  readonly noVerdict: number
}

export interface ServiceStatus {
  readonly name: string
  /** `tcp [2001:db8::80]:80`, `fwmark 1 ipv6`; null while its name does not resolve. */
  readonly key: string | null
  /** The same of the virtual address, or of that of the fallback. */
  readonly nameTrouble: string | null
  readonly scheduler: string
  readonly quiescent: boolean
  readonly inKernel: boolean
  /** Up while a real server keeps the fallback out; unknown until that is known. */
  readonly state: HealthState
  /** ISO 8601; null while the state is unknown. */
  readonly since: string | null
  /** Of its real servers. */
  readonly totals: Totals
  readonly counters: Counters | null
  readonly reals: readonly RealStatus[]
  readonly fallback: {
    readonly name: string
    readonly host: string
    /** The one in use; null while the name does not resolve. */
    readonly address: string | null
    readonly port: number
    readonly inUse: boolean
  } | null
}

export interface StatusDocument {
  readonly schema: number
  readonly version: string
  readonly pid: number
  /** ISO 8601; when this document was made. All times in it go by the wall clock as it was set then. */
  readonly now: string
  readonly startedAt: string
  readonly kernel: 'netlink' | 'memory'
  readonly config: {
    readonly file: string
    readonly loadedAt: string
    readonly warnings: readonly Problem[]
    /** ISO 8601: the file could not run at the start, and what was accepted then runs. Null where it is the file's. */
    readonly keptSince: string | null
  }
  /** The last reload, or null where there was none. */
  readonly lastReload: ReloadOutcome | null
  readonly reconcile: {
    readonly lastResync: string | null
    readonly changesApplied: number
    readonly driftRepaired: number
    /** Services that another program keeps changing: since when, and how many changes were put right. */
    readonly disputes: readonly {
      readonly service: string
      readonly since: string
      readonly changes: number
    }[]
    /** Refusals of the kernel that still stand, as sentences. */
    readonly errors: readonly string[]
  }
  readonly schedule: ScheduleStats
  readonly totals: Totals
  readonly services: readonly ServiceStatus[]
}

export interface ReloadOutcome {
  readonly ok: boolean
  readonly at: string
  /** One sentence. */
  readonly message: string
  readonly problems: readonly Problem[]
}
