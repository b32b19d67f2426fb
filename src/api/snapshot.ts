/** The state of all parts of the daemon at one moment, as input for the status document. */
import type { ClusterSnapshot } from '../cluster/cluster.js'
import type { Problem } from '../config/problems/problem.js'
import type { Conflict } from '../core/address-conflict.js'
import type { SourceChoice } from '../core/check-source.js'
import type { ResolvedService } from '../core/model.js'
import type { HealthSnapshot } from '../health/health-snapshot.js'
import type { IsolationChange } from '../health/isolation.js'
import type { HintsSnapshot } from '../hints/snapshot.js'
import type { NamesSnapshot } from '../names/name-resolver.js'
import type { EarlyEnd } from '../overrides/early-ends.js'
import type { ReconcileSnapshot } from '../reconcile/reconciler-types.js'
import type { SysctlState } from '../reconcile/sysctl-keeper.js'
import type { ScheduleStats } from '../schedule/stats.js'
import type { ReloadOutcome, StatusDocument } from './status-types.js'

/** All times are milliseconds of the steady clock. */
export interface Snapshot extends Pick<StatusDocument, 'version' | 'pid' | 'kernel'> {
  readonly now: number
  readonly startedAt: number
  readonly reload: ReloadSnapshot
  readonly health: HealthSnapshot
  /** Null unless lvsd is isolated. */
  readonly isolation: IsolationChange | null
  /** Null: this director serves alone. */
  readonly cluster: ClusterSnapshot | null
  readonly names: NamesSnapshot
  readonly reconcile: ReconcileSnapshot
  readonly schedule: ScheduleStats
  /** What brings checks forward; absent: nothing does. */
  readonly hints?: HintsSnapshot
  readonly sysctls: readonly SysctlState[]
  readonly alerts: StatusDocument['alerts']
  /** Other machines that answer for the virtual addresses of a service; absent: none is known. */
  readonly conflictsOf?: (service: ResolvedService) => readonly Conflict[]
  /** Openings of windows that operators have ended early. Times of the wall clock. */
  readonly endedWindows: readonly EarlyEnd[]
  /** Where the source of checks is not the kernel's choice, or is a virtual address: by the text of the target. */
  readonly sources: ReadonlyMap<string, SourceChoice>
}

/** State of the active configuration and the last reload. */
export interface ReloadSnapshot {
  readonly file: string
  readonly loadedAt: number
  readonly warnings: readonly Problem[]
  /**
   * ISO 8601. Set if the file could not run at the start: the configuration accepted at this time runs instead. Else
   * null.
   */
  readonly keptSince: string | null
  /** Names of settings that differ from those of the start, and are read at the start only. */
  readonly fromNextStart: readonly string[]
  readonly last: ReloadOutcome | null
  /**
   * A changed configuration that waits, because it may be incomplete: its changed files, and the milliseconds left. Absent or null: none
   * does.
   */
  readonly waits?: { readonly files: string; readonly left: number } | null
  /** Why the active configuration cannot be stored in the state folder; absent or null: it is. */
  readonly unkept?: { readonly folder: string; readonly error: string } | null
}
