/** The daemon: connects its parts, starts them and stops them. */

import type { Control } from '../api/control.js'
import type { ReloadOutcome, StatusDocument } from '../api/status-types.js'
import { Cluster } from '../cluster/cluster.js'
import type { SiteOverrides } from '../cluster/overrides/site-overrides.js'
import { SiteEvents } from '../cluster/site-events.js'
import type { Change, Config, ResolvedConfig, ResolvedService } from '../core/model.js'
import { type EventBus, openEventBus } from '../events/event-bus.js'
import { logListener } from '../events/log-listener.js'
import { HealthMemory } from '../health/health-memory.js'
import { HealthTracker } from '../health/health-tracker.js'
import type { Isolation } from '../health/isolation.js'
import type { EarlyChecks } from '../hints/early-checks.js'
import { EventMemory } from '../history/event-memory.js'
import type { Metrics } from '../metrics/metrics.js'
import { openResolver } from '../names/lookup.js'
import { NameResolver } from '../names/name-resolver.js'
import { openCommandQueue } from '../notify/command-queue.js'
import { OverrideSources } from '../overrides/override-sources.js'
import { cleanStop } from '../reconcile/clean-stop.js'
import { Reconciler } from '../reconcile/reconciler.js'
import { SysctlKeeper } from '../reconcile/sysctl-keeper.js'
import type { OnResult } from '../schedule/executor.js'
import { type Executors, type FirstChecks, openExecutors } from '../schedule/executors.js'
import { steadyNow, systemClock, WallClock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import type { AddressConflicts } from './address-conflicts.js'
import { ApiService } from './api-service.js'
import { ConfigApplier } from './config-applier.js'
import { ConfigWatcher } from './config-watcher.js'
import { ConnectionCounts } from './connection-counts.js'
import { controlOf } from './control.js'
import type { Daemon, DaemonParts } from './daemon-types.js'
import { earlyChecksListener, openEarlyChecks } from './early-checks.js'
import { Explainer } from './explainer.js'
import { loggingFirst } from './first-check.js'
import { openHalfOpen } from './half-open.js'
import { HeldResults } from './held-results.js'
import { isolationBy } from './isolation.js'
import { Lifecycle } from './lifecycle.js'
import { memoryListener } from './memory-listener.js'
import { openMetrics, sourcesOf } from './metrics-sources.js'
import { openAddressConflicts } from './open-address-conflicts.js'
import { openServicePaths } from './open-service-paths.js'
import { OverrideControl } from './override-control.js'
import { Rechecker } from './rechecker.js'
import { Reloader } from './reloader.js'
import { followCluster, runningHere } from './role-changes.js'
import type { ServicePaths } from './service-paths.js'
import { openSiteOverrides } from './shared-overrides.js'
import { Snapshots } from './snapshots.js'

/** Milliseconds for running commands, and for storing the configuration, when lvsd stops. */
const LAST_PATIENCE = 5000

/**
 * Starts the daemon. The control socket opens first, so that a second lvsd fails before it changes anything. Resolves
 * when the kernel's table has been read and corrected once.
 */
export async function startDaemon(parts: DaemonParts): Promise<Daemon> {
  const { eventMemory = EventMemory.inMemory(parts.log) } = parts
  const daemon = new RunningDaemon({ ...parts, eventMemory, log: eventMemory.log })
  await daemon.start()
  return daemon
}

class RunningDaemon implements Daemon {
  readonly #parts: DaemonParts
  readonly #lifecycle: Lifecycle
  readonly #reloader: Reloader
  readonly #events: EventBus
  readonly #reconciler: Reconciler
  readonly #executors: Executors
  readonly #servicePaths: ServicePaths
  readonly #heldResults: HeldResults
  readonly #earlyChecks: EarlyChecks
  readonly #health: HealthTracker
  readonly #memory: HealthMemory
  readonly #names: NameResolver
  readonly #isolation: Isolation | null
  readonly #cluster: Cluster
  readonly #addressConflicts: AddressConflicts | null
  readonly #configWatcher: ConfigWatcher
  readonly #applier: ConfigApplier
  readonly #overrideSources: OverrideSources
  readonly #siteOverrides: SiteOverrides
  readonly #sysctls: SysctlKeeper
  readonly #snapshots: Snapshots
  readonly overrides: OverrideControl
  readonly connections: ConnectionCounts
  readonly why: Explainer
  readonly events: EventMemory
  readonly recheck: Rechecker
  readonly siteEvents: SiteEvents
  readonly metrics: Metrics
  readonly #api: ApiService
  readonly #startedAt = steadyNow()
  readonly #wallClock = new WallClock()
  #stopping: Promise<void> | null = null

  /** Builds the parts in the order of their dependencies. They stop in reverse order. */
  constructor(parts: DaemonParts & { readonly eventMemory: EventMemory }) {
    const { kernel, journal, log, notify, loaded, namesClock } = parts
    const { resolver = openResolver(), commands = openCommandQueue(log), executors = openExecutors } = parts
    this.#parts = parts
    const lifecycle = new Lifecycle(log)
    this.#lifecycle = lifecycle
    lifecycle.add('systemd', () => notify.close())
    lifecycle.add('resolver', () => resolver.close())
    this.#reloader = new Reloader({
      ...parts,
      keep: async accepted => parts.keep?.(accepted, () => this.#firstChecksOf(accepted.config)),
      apply: () => {
        void this.#api.follow(this.#reloader.loaded.config)
        return this.#applier.apply()
      },
      enter: phase => this.#events.emit('phase', phase),
      considered: read => this.#configWatcher.considered(read),
      waits: () => this.#configWatcher.waits,
    })
    lifecycle.add('accepted configuration', () => this.#reloader.close(LAST_PATIENCE))
    lifecycle.add('journal', () => journal.close())
    lifecycle.add('kernel', () => kernel.close())
    lifecycle.add('paths of services', () => this.#servicePaths?.close())
    this.#api = new ApiService({ log, tokensPath: parts.tokensPath ?? null, control: () => this.#control() })
    lifecycle.add('API', () => this.#api.close(LAST_PATIENCE))
    // Before the lock of the journal is released, which protects the folder of the events too, and before the socket is
    // closed: its clients get the last events.
    this.events = parts.eventMemory
    lifecycle.add('events', () => this.#closeEvents())
    const memory = new HealthMemory({ path: parts.memoryPath ?? null, log })
    this.#memory = memory
    lifecycle.add('health records', () => memory.close(LAST_PATIENCE))
    this.metrics = openMetrics(parts.eventMemory)
    const { tallies } = this.metrics
    const listeners = [
      logListener(log),
      memoryListener(memory),
      tallies.listener,
      earlyChecksListener(
        () => this.#earlyChecks,
        () => this.#health.store,
      ),
      { config: (config: ResolvedConfig) => this.#addressConflicts?.follow(config) },
      ...(parts.listeners ?? []),
    ]
    const events = openEventBus(listeners, log)
    this.#events = events
    lifecycle.add('observers and hooks', () => Promise.all([events.close(), commands.close(LAST_PATIENCE)]))
    this.#sysctls = new SysctlKeeper({ sysctls: parts.sysctls ?? null, path: parts.sysctlsPath ?? null, log })
    const keepSysctls = () => this.#applier.config.settings.keepSysctls
    lifecycle.add('sysctls', () => this.#sysctls.close({ keep: keepSysctls(), patience: LAST_PATIENCE }))
    lifecycle.add('clean stop', () => this.#leave())
    const { rolePath: memoryPath, clusterPath: path = null, sourceOf, claims, paths } = parts
    this.#cluster = new Cluster({
      ...{ log, path, memoryPath, sync: kernel.sync, sourceOf, claims },
      ...followCluster(() => shared),
    })
    lifecycle.add('cluster', () => this.#cluster.close())
    const { redis, self } = this.#cluster
    this.siteEvents = new SiteEvents({ log, redis, self, memory: parts.eventMemory })
    lifecycle.add('events of the site', () => this.siteEvents.close())
    const { kernelName } = parts
    this.#servicePaths = openServicePaths({
      ...{ journal, kernel, kernelName, paths: paths ?? null },
      config: () => this.#applier.config,
      store: () => this.#health.store,
      onMissing: () => void this.#reconciler.resync(),
    })
    const servicePaths = this.#servicePaths
    this.#reconciler = new Reconciler({
      kernel,
      journal,
      log,
      mode: () => this.#cluster.table,
      isInternal: id => servicePaths.isInternal(id),
      services: () => this.#applier.config.services,
      onApplied: changes => this.#tellApplied(changes),
      onRound: round => {
        tallies.round(round)
        if (round.isWhole && this.#reconciler.table) servicePaths.settle(this.#reconciler.table)
      },
      desired: (actual, names) => {
        const desired = this.#health.desired(actual, names)
        // Health does not change the marked services.
        return names === null ? servicePaths.desired(desired, actual) : desired
      },
      parts: names => this.#health.parts(names),
      desiring: actual => servicePaths.desiring(this.#health.desiring(actual), actual),
    })
    lifecycle.add('reconciling', () => this.#reconciler.stop())
    const { concurrency, engine } = loaded.config.settings
    const onResult: OnResult = (id, result) =>
      servicePaths.judge(id, result, proved =>
        this.#earlyChecks.passOn(id, proved, explained => this.#health.result(id, explained)),
      )
    this.#heldResults = new HeldResults(onResult)
    const take: OnResult = (id, result) => this.#heldResults.take(id, result)
    const own = executors(
      loggingFirst(log, take, () => this.#executors.firstRun()),
      concurrency,
      {
        log,
        engine,
        onDelay: tallies.delay,
        isSettled: (id, ok) => this.#health.store.isSettled(id, ok),
      },
    )
    this.#executors = servicePaths.through(own)
    lifecycle.add('checks', () => this.#executors.close())
    this.#earlyChecks = openEarlyChecks({
      ...{ log, sourceOf, concurrency, paths: paths ?? null, executors: this.#executors },
      store: () => this.#health.store,
    })
    lifecycle.add('early checks', () => this.#earlyChecks.close())
    if (parts.kernelName === 'netlink') {
      const halfOpen = openHalfOpen({
        ...{ log, kernel },
        table: () => this.#reconciler.table,
        store: () => this.#health.store,
        attempts: this.#earlyChecks.attempts,
        onHint: (ids, hint) => this.#earlyChecks.hints.give(ids, hint),
      })
      lifecycle.add('connections without an answer', () => halfOpen.close())
    }
    lifecycle.add('paths', () => paths?.close())
    this.#addressConflicts = paths ? openAddressConflicts(log, paths) : null
    lifecycle.add('questions about addresses', () => this.#addressConflicts?.close())
    this.#isolation = paths ? isolationBy(paths, events, log) : null
    this.#health = new HealthTracker({
      log,
      events,
      table: () => this.#reconciler.table,
      onDirty: services => this.#reconciler.markDirty(services.map(({ name }) => name)),
      isolation: this.#isolation,
      ...this.#cluster.judgement,
      recheck: (id, ms) => this.#executors.soon(id, ms),
      ...(parts.overridesClock && { wall: parts.overridesClock.now }),
      onClocks: () => memory.changed({ isUrgent: true }),
    })
    lifecycle.add('traffic', () => this.#health.close())
    memory.add(this.#health.memory())
    memory.add(this.#health.ruleMemory())
    memory.add(this.#health.downMemory())
    memory.add(this.#reconciler.written.memory(steadyNow))
    this.#names = new NameResolver({
      resolver,
      journal,
      log,
      onNews: () => void this.#applier.applyNames(),
      ...(namesClock && { clock: namesClock }),
    })
    lifecycle.add('names', () => this.#names.close())
    this.#configWatcher = new ConfigWatcher({
      log,
      commands,
      onChange: isSettled => this.#reloader.reloadByItself(isSettled),
      onSame: () => this.#reloader.clearRefusal(),
    })
    lifecycle.add('configuration file', () => this.#configWatcher.close())
    const { overridesPath = null, overridesClock = { now: Date.now, alarm: systemClock.alarm } } = parts
    const overrides = new OverrideSources({
      log,
      journal,
      resolver,
      path: overridesPath,
      clock: overridesClock,
      onChange: () => this.#applier.applyOverrides(),
      onStep: services => this.#health.step(services),
    })
    this.#overrideSources = overrides
    lifecycle.add('overrides', () => overrides.close(LAST_PATIENCE))
    this.#siteOverrides = openSiteOverrides({
      log,
      cluster: this.#cluster,
      sources: overrides,
      path: overridesPath,
      clock: overridesClock,
    })
    lifecycle.add('overrides of the site', () => this.#siteOverrides.close(LAST_PATIENCE))
    this.#applier = new ConfigApplier({
      log,
      events,
      overrides,
      sysctls: this.#sysctls,
      names: this.#names,
      health: this.#health,
      executors: this.#executors,
      cluster: this.#cluster,
      configWatcher: this.#configWatcher,
      reconciler: this.#reconciler,
      loaded: () => this.#reloader.loaded,
    })
    lifecycle.add('jobs', () => this.#applier.close())
    const shared = {
      log,
      events,
      cluster: this.#cluster,
      reloader: this.#reloader,
      applier: this.#applier,
      isolation: this.#isolation,
      health: this.#health,
      names: this.#names,
      reconciler: this.#reconciler,
      executors: this.#executors,
      earlyChecks: this.#earlyChecks,
      conflictsOf: (service: ResolvedService) => this.#addressConflicts?.of(service) ?? [],
      startedAt: this.#startedAt,
      alerts: () => parts.alerts?.status() ?? null,
    }
    this.#snapshots = new Snapshots({
      ...shared,
      kernelName: parts.kernelName,
      sysctls: this.#sysctls,
      windows: overrides.windows,
      dates: this.#wallClock,
    })
    this.overrides = new OverrideControl({
      sources: overrides,
      site: this.#siteOverrides,
      config: () => this.#applier.config,
      overrideOf: real => this.#health.store.overrideOf(real),
      now: overridesClock.now,
    })
    this.why = new Explainer({
      commands: overrides.commands,
      dates: this.#wallClock,
      applier: this.#applier,
      executors: this.#executors,
      written: this.#reconciler.written,
      snapshot: services => this.#snapshots.of(services),
      checks: () => this.#reloader.loaded.checks,
    })
    this.recheck = new Rechecker({
      executors: runningHere(this.#executors, this.#cluster),
      health: this.#health.store,
      config: () => this.#applier.config,
    })
    this.connections = new ConnectionCounts({
      kernel,
      config: () => this.#applier.config,
      table: () => this.#reconciler.table,
      overrideOf: real => this.#health.store.overrideOf(real),
    })
    this.metrics.read(sourcesOf({ ...shared, kernel: parts.kernelName }))
  }

  /** Starts the parts. A reload that is requested during the start runs after it. */
  start(): Promise<void> {
    const started = this.#start().catch(async error => {
      await this.#lifecycle.stop()
      throw error
    })
    this.#reloader.begin(started)
    return started
  }

  /** Null while another configuration is in force, or on its way to be. */
  #firstChecksOf(config: Config): FirstChecks | null {
    if (!this.#applier.isInForce(config)) return null
    const { store } = this.#health
    return this.#executors.firstChecks(id => store.subscribers(id).map(({ service }) => service.name))
  }

  async #start(): Promise<void> {
    const { loaded, log, notify, kernel } = this.#parts
    const { settings, services, file } = loaded.config
    // Of a file that cannot run the start tells.
    this.#configWatcher.considered(this.#reloader.lastRead)
    await this.#overrideSources.load()
    await this.#siteOverrides.load()
    await this.#memory.load()
    await this.#sysctls.load()
    await this.#applier.prepare()
    await this.#api.open(settings.socket)
    void this.#api.follow(loaded.config)
    this.#reloader.logStart()
    this.#events.emit('phase', 'starting')
    if (settings.timeouts)
      await kernel
        .setTimeouts(settings.timeouts)
        .catch(error => log.error('timeouts.refused', { kernel: error.message }, 'timeouts not set'))
    await this.#applier.apply()
    this.#heldResults.release()
    const reals = services.reduce((sum, service) => sum + service.reals.length, 0)
    const checks = this.#health.store.jobs.size
    log.info('daemon.started', { file, services: services.length, reals, checks }, 'lvsd runs')
    notify.ready(`${counted(services.length, 'service')}, ${counted(reals, 'real server')}`)
    this.#events.emit('phase', 'running')
    this.#siteOverrides.start()
    this.siteEvents.start()
    this.#reloader.keep()
  }

  reload(isForced: boolean): Promise<ReloadOutcome> {
    return this.#reloader.reload(isForced)
  }

  status(): Promise<StatusDocument> {
    return this.#snapshots.status()
  }

  #control(): Omit<Control, 'tokens'> {
    return controlOf({
      daemon: this,
      applier: this.#applier,
      reloader: this.#reloader,
      sources: this.#overrideSources,
      health: this.#health,
      reconciler: this.#reconciler,
      journal: this.#parts.journal,
      kernelName: this.#parts.kernelName,
      log: this.#parts.log,
      cluster: this.#cluster,
      dates: this.#wallClock,
      snapshot: services => this.#snapshots.of(services),
      now: this.#parts.overridesClock?.now ?? Date.now,
      isReady: () => this.#stopping === null && this.#reconciler.hasCorrected,
    })
  }

  async idle(): Promise<void> {
    await this.#reloader.idle()
    await this.#names.settled()
    await this.#reconciler.idle()
  }

  stop(): Promise<void> {
    this.#reloader.stop()
    this.#stopping ??= Promise.resolve().then(() => this.#stop())
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { log, notify } = this.#parts
    notify.stopping()
    this.#events.emit('phase', 'stopping')
    await this.#lifecycle.stop()
    await log.flush()
  }

  /** Logs that lvsd has stopped, as the last event, unless the start has failed. */
  #closeEvents(): Promise<void> {
    if (this.#stopping) this.#parts.log.info('daemon.stopped', {}, 'lvsd has stopped')
    return this.events.close(LAST_PATIENCE)
  }

  /** Removes the services with `cleanstop`, unless the start has failed. */
  async #leave(): Promise<void> {
    if (!this.#stopping || this.#cluster.table === 'keep') return
    await cleanStop(this.#applier.config.services, {
      ...this.#parts,
      isInternal: id => this.#servicePaths.isInternal(id),
      onApplied: changes => this.#tellApplied(changes),
    })
  }

  /** The services of checks through paths are not told of. */
  #tellApplied(changes: readonly Change[]): void {
    const told = changes.filter(({ id }) => !this.#servicePaths.isInternal(id))
    if (told.length > 0) this.#events.emit('applied', told)
  }
}
