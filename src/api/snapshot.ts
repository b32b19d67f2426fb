/** All that the status document shows, at one moment: what each part of the daemon knows. */
import type { Problem } from '../config/problems/problem.js'
import type { HealthSnapshot } from '../health/health-snapshot.js'
import type { NamesSnapshot } from '../names/name-resolver.js'
import type { ReconcileSnapshot } from '../reconcile/reconciler.js'
import type { ScheduleStats } from '../schedule/stats.js'
import type { ReloadOutcome, StatusDocument } from './status-types.js'

/** All times are milliseconds of the steady clock. */
export interface Snapshot extends Pick<StatusDocument, 'version' | 'pid' | 'kernel'> {
  readonly now: number
  readonly startedAt: number
  readonly reload: ReloadSnapshot
  readonly health: HealthSnapshot
  readonly names: NamesSnapshot
  readonly reconcile: ReconcileSnapshot
  readonly schedule: ScheduleStats
}

/** Of the configuration in force. */
export interface ReloadSnapshot {
  readonly file: string
  readonly loadedAt: number
  readonly warnings: readonly Problem[]
  /** ISO 8601: the file could not run at the start, and what was accepted then runs. Null where it is the file's. */
  readonly keptSince: string | null
  readonly last: ReloadOutcome | null
}
