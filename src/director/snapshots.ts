/** Reads the state of all parts at one moment, for the status document and other answers. */
import { buildingStatus } from '../api/build-status.js'
import type { Snapshot } from '../api/snapshot.js'
import type { StatusDocument } from '../api/status-types.js'
import type { Cluster } from '../cluster/cluster.js'
import type { Conflict } from '../core/address-conflict.js'
import type { ResolvedService } from '../core/model.js'
import type { HealthTracker } from '../health/health-tracker.js'
import type { Isolation } from '../health/isolation.js'
import type { EarlyChecks } from '../hints/early-checks.js'
import type { NameResolver } from '../names/name-resolver.js'
import type { WindowOverrides } from '../overrides/window-overrides.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { SysctlKeeper } from '../reconcile/sysctl-keeper.js'
import type { Executors } from '../schedule/executors.js'
import { version } from '../system/version.js'
import { steadyNow, type WallClock } from '../util/clock.js'
import { runSliced } from '../util/time-slice.js'
import type { ConfigApplier } from './config-applier.js'
import { COUNTERS_MAX_AGE } from './metrics-sources.js'
import type { Reloader } from './reloader.js'

export interface SnapshotsParts {
  readonly kernelName: StatusDocument['kernel']
  readonly reloader: Pick<Reloader, 'snapshot'>
  readonly applier: Pick<ConfigApplier, 'config'>
  readonly isolation: Pick<Isolation, 'current'> | null
  readonly cluster: Pick<Cluster, 'snapshot'>
  readonly health: Pick<HealthTracker, 'snapshotting'>
  readonly names: Pick<NameResolver, 'snapshot'>
  readonly reconciler: Pick<Reconciler, 'snapshot'>
  readonly executors: Pick<Executors, 'stats' | 'sources'>
  readonly earlyChecks: Pick<EarlyChecks, 'snapshot'>
  readonly sysctls: Pick<SysctlKeeper, 'snapshot'>
  readonly windows: Pick<WindowOverrides, 'endedEarly'>
  alerts(): StatusDocument['alerts']
  /** Other machines that answer for its virtual addresses. */
  conflictsOf(service: ResolvedService): readonly Conflict[]
  readonly dates: WallClock
  /** Milliseconds of the steady clock. */
  readonly startedAt: number
}

export class Snapshots {
  readonly #parts: SnapshotsParts

  constructor(parts: SnapshotsParts) {
    this.#parts = parts
  }

  async status(): Promise<StatusDocument> {
    const { applier, dates } = this.#parts
    return runSliced(buildingStatus(await this.of(applier.config.services), dates))
  }

  /** The state of all parts, with the health of these services only: each as it is at its slice. */
  async of(services: readonly ResolvedService[]): Promise<Snapshot> {
    const { applier, reloader, isolation, health, names, executors, sysctls, kernelName } = this.#parts
    const reconcile = await this.#parts.reconciler.snapshot(COUNTERS_MAX_AGE)
    const table = reconcile.dump?.table ?? new Map<string, never>()
    const ofServices = await runSliced(health.snapshotting(services, table))
    return {
      version: version(),
      pid: process.pid,
      kernel: kernelName,
      now: steadyNow(),
      startedAt: this.#parts.startedAt,
      reload: reloader.snapshot(),
      isolation: isolation?.current ?? null,
      cluster: this.#parts.cluster.snapshot(),
      health: ofServices,
      names: names.snapshot(applier.config),
      reconcile,
      schedule: executors.stats(),
      hints: this.#parts.earlyChecks.snapshot(),
      sources: executors.sources(),
      alerts: this.#parts.alerts(),
      conflictsOf: this.#parts.conflictsOf,
      sysctls: sysctls.snapshot(),
      endedWindows: this.#parts.windows.endedEarly,
    }
  }
}
