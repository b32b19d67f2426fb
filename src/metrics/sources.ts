/** What a scrape reads of the running director. */

import type { ReloadSnapshot } from '../api/snapshot.js'
import type { AlertsStatus } from '../api/status-types.js'
import type { ClusterSnapshot } from '../cluster/cluster.js'
import type { Loaded } from '../config/load.js'
import type { ResolvedConfig, ResolvedReal, ResolvedService, Table } from '../core/model.js'
import type { RealHealth, ServiceHealth } from '../health/health-snapshot.js'
import type { HintsSnapshot } from '../hints/snapshot.js'
import type { ReconcileSnapshot } from '../reconcile/reconciler-types.js'
import type { ScheduleStats } from '../schedule/stats.js'

export interface Sources {
  readonly version: string
  /** Whose table it is: `netlink` or `memory`. */
  readonly kernel: string
  /** Milliseconds of the steady clock. */
  readonly startedAt: number
  /** The active configuration. */
  config(): ResolvedConfig
  /** The text of the active configuration. */
  loaded(): Pick<Loaded, 'text' | 'included'>
  reload(): ReloadSnapshot
  /** Reads the kernel's counters, unless they are fresh. */
  reconcile(): Promise<ReconcileSnapshot>
  /** The desired table of the last rounds: to compute it for each scrape would cost more than all the rest. */
  wanted(): Table
  service(service: ResolvedService): Pick<ServiceHealth, 'traffic' | 'panic'>
  real(service: ResolvedService, real: ResolvedReal): RealReading
  schedule(): ScheduleStats & { readonly waiting: number }
  isIsolated(): boolean
  hints(): HintsSnapshot
  /** Null: this director serves alone. */
  cluster(): ClusterSnapshot | null
  /** Null without receivers of alerts. */
  alerts(): AlertsStatus | null
  /** Number of other machines that answer for its virtual addresses. */
  conflicts(service: ResolvedService): number
  /** Number of services and servers whose names have no address, or have lost it. */
  failingNames(): number
}

export type RealReading = Omit<RealHealth, 'real' | 'remembered' | 'passing'>
