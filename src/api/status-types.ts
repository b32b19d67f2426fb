/** The status document of `lvsd status` and the control socket. Plain JSON. */

import type { Problem } from '../config/problems/problem.js'
import type {
  CheckPolicy,
  CheckResult,
  Counters,
  Forwarding,
  HealthState,
  RealCounters,
} from '../core/model.js'
import type { OnDown } from '../core/on-down.js'
import type { Effect, OverrideSource } from '../core/override.js'
import type { SysctlState } from '../reconcile/sysctl-keeper.js'
import type { ScheduleStats } from '../schedule/stats.js'
import type { EndedWindow } from './windows-document.js'

/** Version of the document's format. It increases when a field changes its meaning or is removed. */
export const SCHEMA = 2

/** Where alerts go. The counters begin with the start of lvsd. */
export interface AlertDestinationStatus {
  readonly receiver: string
  readonly kind: 'webhook' | 'alertmanager' | 'command'
  /** The receiver; of an Alertmanager with scheme, host and port behind it. */
  readonly destination: string
  /** Messages that it accepted, attempts that failed, and messages that were given up. */
  readonly sent: number
  readonly failures: number
  readonly lost: number
  /** Messages that wait. */
  readonly waiting: number
  /** True from a failed attempt until a message is accepted. */
  readonly isFailing: boolean
  /** ISO 8601; null before the first accepted message. */
  readonly lastSentAt: string | null
  readonly lastError: string | null
}

export interface AlertsStatus {
  /** Number of alerts that fire. */
  readonly firing: number
  readonly destinations: readonly AlertDestinationStatus[]
}

/** A condition and its start. */
export interface CauseStatus {
  /** ISO 8601. */
  readonly since: string
  readonly detail: string
}

export interface CheckStatus {
  /** `web/[2001:db8::1]:80/http`, as in the log. */
  readonly name: string
  readonly kind: string
  /** Address and port that are checked, `[2001:db8::1]:80`. */
  readonly target: string
  readonly state: HealthState
  readonly streak: number
  /** ISO 8601; time of the last change of state. */
  readonly since: string
  readonly policy: CheckPolicy
  /** The last verdict. */
  readonly last: CheckResult | null
  /** ISO 8601, or null before the first result. */
  readonly lastAt: string | null
  /** Null unless several runs in a row had no verdict; else their start, reason and count. */
  readonly noVerdict: (CauseStatus & { readonly count: number }) | null
  /** Its source address. Null: the kernel chooses, and chooses no virtual address. */
  readonly source: SourceStatus | null
}

export interface SourceStatus {
  readonly address: string
  /**
   * Who has chosen it: the configuration; lvsd, because the kernel would choose `insteadOf`; the kernel, although it is
   * a virtual address, because this machine has no other one.
   */
  readonly by: 'configuration' | 'lvsd' | 'kernel'
  readonly insteadOf: string | null
}

export interface OverrideStatus {
  readonly effect: Effect['kind']
  /** Weight of the effect `weight`; null for other effects. */
  readonly weight: number | null
  readonly source: OverrideSource
  /** User who gave it, or name of the maintenance file. */
  readonly who: string
  readonly reason: string
  /** ISO 8601. */
  readonly since: string
  /** ISO 8601; null: no end. */
  readonly until: string | null
  /** ISO 8601; time at which a drain that goes down in steps is at weight 0. Null for others. */
  readonly rampUntil: string | null
}

export interface SlowStartStatus {
  /** Current share of `weight`. */
  readonly percent: number
  /** Weight at its end: the configured one, or the one that checks advise. */
  readonly weight: number
  /** ISO 8601. */
  readonly since: string
  /** ISO 8601. */
  readonly until: string
}

export interface DampingStatus {
  /** ISO 8601. */
  readonly since: string
  /** ISO 8601. */
  readonly until: string
  /** True: the server is not held down meanwhile, because no other server of the service would serve. */
  readonly isSpared: boolean
}

export interface RealStatus {
  /** `[2001:db8::1]:80`, as in `lvsd status SERVICE REAL`. */
  readonly name: string
  readonly host: string
  /** Address in use, `[2001:db8::1]`; null while the name does not resolve. */
  readonly address: string | null
  /**
   * Why its name has no address, or no longer has the address in use. Null without a problem, or if it is not a name.
   */
  readonly nameTrouble: string | null
  readonly port: number
  readonly forwarding: Forwarding
  readonly state: HealthState
  /** ISO 8601; time of the last change of the server's state. */
  readonly since: string
  /** State before the restart of lvsd and its start (ISO 8601), while `state` is unknown; else null. */
  readonly remembered: { readonly state: HealthState; readonly since: string } | null
  /** Number of checks that pass, and number that must pass. */
  readonly passing: number
  readonly need: number
  /** The override that is active; null without one. */
  readonly override: OverrideStatus | null
  /** Its slow start; null: none is under way. `weight.wanted` follows it. */
  readonly slowStart: SlowStartStatus | null
  /** What damping does while the server flaps; null: it is not held down. */
  readonly damping: DampingStatus | null
  /** What becomes of it while it is down; else null. */
  readonly down: {
    /** `held`: by a panic, with its weight. */
    readonly action: 'held' | 'quiesced' | 'removed'
    /** By the rules of `on-down`; null without. */
    readonly cause: 'dead' | 'sick' | null
    /** ISO 8601; when a quiesced server is removed, or null. */
    readonly removedAt: string | null
  } | null
  readonly weight: {
    readonly configured: number
    /** Weight in the desired table; null: not in the table. */
    readonly wanted: number | null
    /** Weight in the kernel's table when last read; null: not in the table. */
    readonly kernel: number | null
  }
  /** One sentence: why the server is not up, or the last result. */
  readonly reason: string
  readonly checks: readonly CheckStatus[]
  readonly counters: RealCounters | null
}

export interface Totals {
  readonly up: number
  readonly down: number
  /** Not judged yet. */
  readonly unknown: number
  /** Number of these real servers with a check that has no verdict. */
  readonly noVerdict: number
}

export interface ServiceStatus {
  readonly name: string
  /** `tcp [2001:db8::80]:80`, `fwmark 1 ipv6`; null while its name does not resolve. */
  readonly key: string | null
  /** Like `nameTrouble` of a real server, for the name of the virtual address or of the fallback. */
  readonly nameTrouble: string | null
  readonly scheduler: string
  /** True if a server that is down can stay in the table at weight 0. */
  readonly quiescent: boolean
  /** The rules of `on-down`, `after` in milliseconds; null: `quiescent` decides. */
  readonly onDown: OnDown | null
  readonly inKernel: boolean
  /** `up` while a real server keeps the fallback out; `unknown` while results are missing. */
  readonly state: HealthState
  /** ISO 8601; null while the state is unknown. */
  readonly since: string | null
  /** Set while the table stays as it was, because many real servers went down at once; else null. */
  readonly panic: {
    /** ISO 8601. */
    readonly since: string
    /** ISO 8601; the end at the latest. */
    readonly until: string
    /** The real servers that are down and keep their weights. */
    readonly held: readonly string[]
  } | null
  /** Openings of maintenance windows that operators have ended early, while they would still be open. */
  readonly endedWindows: readonly EndedWindow[]
  /** Totals of its real servers. */
  readonly totals: Totals
  readonly counters: Counters | null
  readonly reals: readonly RealStatus[]
  readonly fallback: {
    readonly name: string
    readonly host: string
    /** Address in use; null while the name does not resolve. */
    readonly address: string | null
    readonly port: number
    readonly inUse: boolean
  } | null
}

export interface StatusDocument {
  readonly schema: number
  readonly version: string
  readonly pid: number
  /** ISO 8601; time when the document was built. All its times are relative to the wall clock at that time. */
  readonly now: string
  readonly startedAt: string
  readonly kernel: 'netlink' | 'memory'
  readonly config: {
    readonly file: string
    readonly loadedAt: string
    readonly warnings: readonly Problem[]
    /**
     * ISO 8601. Set if the file could not run at the start: the configuration accepted at this time runs instead. Else
     * null.
     */
    readonly keptSince: string | null
  }
  /** The last reload, or null if there was none. */
  readonly lastReload: ReloadOutcome | null
  readonly reconcile: {
    readonly lastResync: string | null
    /** ISO 8601; when the counters were read. Null: they cannot be read. */
    readonly countersAt: string | null
    readonly changesApplied: number
    readonly driftRepaired: number
    /** Services that another program changes repeatedly: since when, and how many changes lvsd has reverted. */
    readonly disputes: readonly {
      readonly service: string
      readonly since: string
      readonly changes: number
    }[]
    /** Sentences about refusals by the kernel that have not been resolved. */
    readonly errors: readonly string[]
  }
  readonly schedule: ScheduleStats
  /** Null without receivers of alerts. */
  readonly alerts: AlertsStatus | null
  /** The sysctls that the configuration declares. */
  readonly sysctls: readonly SysctlState[]
  /** Set while lvsd itself cannot reach any server: failed checks do not count. Else null. */
  readonly isolation: CauseStatus | null
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
