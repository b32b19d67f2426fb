/** Connects the metrics with the parts of the daemon. */
import type { Cluster } from '../cluster/cluster.js'
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import type { HealthStore } from '../health/health-store.js'
import type { HealthTracker } from '../health/health-tracker.js'
import type { Isolation } from '../health/isolation.js'
import type { EarlyChecks } from '../hints/early-checks.js'
import type { EventMemory } from '../history/event-memory.js'
import { Metrics } from '../metrics/metrics.js'
import type { RealReading, Sources } from '../metrics/sources.js'
import type { NameResolver } from '../names/name-resolver.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { Executors } from '../schedule/executors.js'
import { version } from '../system/version.js'
import { steadyNow } from '../util/clock.js'
import type { ConfigApplier } from './config-applier.js'
import type { Reloader } from './reloader.js'

/** Opens the metrics, which count the events of the log from now on. */
export function openMetrics(events: EventMemory): Metrics {
  const metrics = new Metrics(events.log)
  events.follow(event => metrics.tallies.event(event.event, event))
  return metrics
}

export interface MeasuredParts extends Pick<Sources, 'kernel' | 'startedAt' | 'alerts'> {
  readonly reloader: Reloader
  readonly applier: ConfigApplier
  readonly health: HealthTracker
  readonly executors: Executors
  readonly earlyChecks: Pick<EarlyChecks, 'snapshot'>
  readonly reconciler: Reconciler
  readonly names: NameResolver
  readonly isolation: Isolation | null
  readonly cluster: Pick<Cluster, 'snapshot'>
  conflictsOf(service: ResolvedService): readonly unknown[]
}

/** Maximum age of the kernel's counters in milliseconds, also in `lvsd status`. Older ones are read again. */
export const COUNTERS_MAX_AGE = 500

export function sourcesOf(parts: MeasuredParts): Sources {
  const { kernel, startedAt, alerts, reloader, applier, health, executors, reconciler, names } = parts
  const { isolation, cluster } = parts
  return {
    version: version(),
    kernel,
    startedAt,
    alerts,
    config: () => applier.config,
    loaded: () => reloader.loaded,
    reload: () => reloader.snapshot(),
    reconcile: () => reconciler.snapshot(COUNTERS_MAX_AGE),
    wanted: () => reconciler.wanted,
    service: service => ({
      traffic: health.availability.of(service) ?? null,
      panic: health.store.down.panicOf(service),
    }),
    real: (service, real) => readingOf(health.store, service, real),
    schedule: () => ({ ...executors.stats(), waiting: executors.waiting() }),
    hints: () => parts.earlyChecks.snapshot(),
    isIsolated: () => isolation?.current != null,
    cluster: () => cluster.snapshot(),
    conflicts: service => parts.conflictsOf(service).length,
    failingNames: () => names.snapshot(applier.config).size,
  }
}

function readingOf(store: HealthStore, service: ResolvedService, real: ResolvedReal): RealReading {
  const standing = store.standingOf(real)
  // The state of a name without an address depends on the table; the recorded one costs less, and is right for others.
  const state = standing && real.address !== null ? standing.state : store.stateOf(real)
  const now = steadyNow()
  return {
    state,
    since: standing?.since ?? null,
    override: store.overrideOf(real),
    rise: store.rules.riseOf(real, now),
    hold: store.rules.holdOf(real),
    down: state === 'down' ? store.down.downOf(service, real, now) : null,
    checks: store.checkStatesOf(real),
  }
}
