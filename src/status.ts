/** The status document: what `lvsd status`, the control socket and later the page and the metrics show. Plain JSON. */
import type { Problem } from './config/problem.js'
import type { CheckPolicy, CheckResult, Counters, Forwarding, HealthState, RealCounters } from './model.js'

export interface CheckStatus {
  readonly kind: string
  /** Where it is sent, `[2001:db8::1]:80`. */
  readonly target: string
  readonly state: HealthState
  readonly streak: number
  /** ISO 8601; of the last change of state. */
  readonly since: string
  readonly policy: CheckPolicy
  readonly last: CheckResult | null
  /** ISO 8601, or null before the first result. */
  readonly lastAt: string | null
}

export interface RealStatus {
  readonly host: string
  /** Null while the name does not resolve. */
  readonly address: string | null
  readonly port: number
  readonly forwarding: Forwarding
  readonly state: HealthState
  readonly since: string
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

export interface ServiceStatus {
  readonly name: string
  /** `tcp [2001:db8::80]:80`, `fwmark 1 ipv6`; null while its name does not resolve. */
  readonly key: string | null
  readonly scheduler: string
  readonly quiescent: boolean
  readonly inKernel: boolean
  readonly counters: Counters | null
  readonly reals: readonly RealStatus[]
  readonly fallback: { readonly host: string; readonly port: number; readonly inUse: boolean } | null
}

export interface StatusDocument {
  readonly version: string
  readonly pid: number
  readonly startedAt: string
  readonly kernel: 'netlink' | 'memory'
  readonly config: { readonly file: string; readonly loadedAt: string; readonly warnings: readonly Problem[] }
  /** The last reload, or null where there was none. */
  readonly lastReload: ReloadOutcome | null
  readonly reconcile: {
    readonly lastResync: string | null
    readonly changesApplied: number
    readonly driftRepaired: number
    /** Refusals of the kernel that still stand, as sentences. */
    readonly errors: readonly string[]
  }
  readonly schedule: {
    readonly jobs: number
    readonly running: number
    /** Starts that were late, milliseconds, of the recent past. */
    readonly lateness: { readonly p50: number; readonly p99: number; readonly max: number }
    /** Times lvsd itself was stopped or starved, and for how long in all, milliseconds. */
    readonly stalls: number
    readonly stalledFor: number
    /** Runs that gave no verdict because lvsd had no descriptor left. */
    readonly noVerdicts: number
  }
  readonly services: readonly ServiceStatus[]
}

export interface ReloadOutcome {
  readonly ok: boolean
  readonly at: string
  /** One sentence. */
  readonly message: string
  readonly problems: readonly Problem[]
}
