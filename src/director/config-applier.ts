/** Activates a configuration. Only this file determines the order in which the parts take it. */
import { setImmediate } from 'node:timers/promises'
import type { Runnable } from '../accepted/accepted.js'
import type { Cluster } from '../cluster/cluster.js'
import { stepsTo } from '../core/config-steps.js'
import type { Config, ResolvedConfig, ResolvedReal, ResolvedService } from '../core/model.js'
import type { Override } from '../core/override.js'
import type { Events } from '../events/event-bus.js'
import type { HealthTracker } from '../health/health-tracker.js'
import type { NameResolver } from '../names/name-resolver.js'
import type { OverrideSources } from '../overrides/override-sources.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { SysctlKeeper } from '../reconcile/sysctl-keeper.js'
import type { Executors } from '../schedule/executors.js'
import type { Log } from '../system/log.js'
import type { Emitter } from '../util/emitter.js'
import { ownTurn, runSliced } from '../util/time-slice.js'
import type { ConfigWatcher } from './config-watcher.js'
import { PendingJobs } from './pending-jobs.js'
import { paceIn } from './role-changes.js'
import { servicesToWrite } from './services-to-write.js'

/** Milliseconds between two looks at the declared sysctls, with `resync: auto`. */
const SYSCTLS_EVERY = 10_000

export interface ConfigApplierParts {
  readonly log: Log
  readonly names: NameResolver
  readonly health: HealthTracker
  readonly executors: Executors
  readonly cluster: Cluster
  readonly events: Emitter<Events>
  readonly configWatcher: ConfigWatcher
  readonly overrides: OverrideSources
  readonly sysctls: SysctlKeeper
  readonly reconciler: Reconciler
  /** Returns the last accepted configuration, names not resolved. */
  loaded(): Runnable
}

type Checks = Runnable['checks']

export class ConfigApplier {
  readonly #parts: ConfigApplierParts
  readonly #jobs: PendingJobs
  #config: ResolvedConfig
  /** The configuration that all parts have, names not resolved; null before the first. */
  #placed: Config | null = null
  /** The kinds of check that it may have. */
  #kinds: Checks = new Map()
  #isClosed = false

  constructor(parts: ConfigApplierParts) {
    this.#parts = parts
    this.#jobs = new PendingJobs(parts.executors)
    this.#config = parts.names.resolve(parts.loaded().config)
  }

  /** The active configuration with the known addresses; before the first `apply`, the loaded one. */
  get config(): ResolvedConfig {
    return this.#config
  }

  /** True if all parts have this configuration, and not a step to another one. */
  isInForce(config: Config): boolean {
    return this.#placed === config
  }

  /**
   * Prepares the start. Runs before the control socket opens: it may wait for seconds, and there is no status to report
   * yet.
   */
  async prepare(): Promise<void> {
    const { configWatcher, overrides, cluster, loaded } = this.#parts
    configWatcher.follow(loaded().config)
    const { config, checks } = loaded()
    await Promise.all([overrides.prepare(this.#config), cluster.prepare(config, checks)])
  }

  /** Activates the last accepted configuration. Resolves when the kernel's table has been changed accordingly. */
  async apply(): Promise<void> {
    const { reconciler, names, overrides, sysctls, cluster, health, loaded } = this.#parts
    // What the hosts file says is there with the first jobs: no check may begin from a virtual address, which may be a name.
    if (health.store.config === null) names.follow(loaded().config)
    await sysctls.follow(loaded().config.sysctls ?? {})
    await cluster.load(loaded().config)
    cluster.follow(loaded().config, loaded().checks)
    const before = health.store.config
    await this.#placeInSteps(loaded())
    if (this.#isClosed) return
    await this.#write(before)
    const { resync, resolve } = this.#config.settings
    reconciler.resyncEvery(resync)
    sysctls.checkEvery(resync === 'auto' ? SYSCTLS_EVERY : resync)
    names.refreshEvery(resolve)
    overrides.refreshNamesEvery(resolve)
  }

  /** Writes what has changed since `before`: at once if that is some services, else with the whole table. */
  async #write(before: ResolvedConfig | null): Promise<void> {
    const { reconciler } = this.#parts
    const changed = before && servicesToWrite(before, this.#config)
    if (!changed) return reconciler.resync()
    await reconciler.write(changed)
    reconciler.lookSoon()
  }

  /** Activates the configuration again with the addresses known now. Never rejects. */
  async applyNames(): Promise<void> {
    // Nothing is active before the first `apply`.
    if (this.#isClosed || this.#parts.health.store.config === null) return
    try {
      const { config, checks } = this.#parts.loaded()
      this.#place(config, checks)
      await this.#parts.reconciler.resync()
    } catch (error) {
      const message = 'lvsd cannot apply the new addresses of names'
      this.#parts.log.error('name.not-applied', { err: error }, message)
    }
  }

  /** Gives every job the interval of the role as it is now. */
  followRole(): void {
    const { health, cluster } = this.#parts
    this.#jobs.pace(health.store.jobs, paceIn(cluster))
  }

  /** Drops the jobs that are not set yet, and the steps of a configuration that are left. */
  close(): void {
    this.#isClosed = true
    this.#jobs.close()
  }

  /** Applies the overrides of all sources to the health at once. */
  applyOverrides(): void {
    const { health, overrides } = this.#parts
    // Nothing is active before the first `apply`.
    if (health.store.config !== null) health.override(overrides.effective(this.#config))
  }

  /** Returns all overrides of a real server, of all sources. */
  overridesOf(service: ResolvedService, real: ResolvedReal): readonly Override[] {
    return this.#parts.overrides.of(this.#config, service, real)
  }

  /** Hands the configuration to all parts, with turns of the event loop between the steps and while each is prepared. */
  async #placeInSteps({ config, checks }: Runnable): Promise<void> {
    const { names, health, cluster } = this.#parts
    // Directors that share checks agree on those of a whole configuration.
    const steps = cluster.verdicts.isSharing ? [config] : stepsTo(this.#placed, config)
    // A service that its step has not reached yet may have a kind that the configuration does not mention any more.
    const kinds: Checks = new Map([...this.#kinds, ...checks])
    for (const step of steps) {
      const ofStep = step === config ? checks : kinds
      const resolved = await runSliced(names.preparing(step))
      await runSliced(health.store.preparing(resolved, ofStep))
      await ownTurn()
      // The parts that would take it have ended.
      if (this.#isClosed) return
      // News of names have put all of it in force meanwhile.
      if (step !== config && this.#placed === config) return
      this.#place(step, ofStep, config)
      await setImmediate()
    }
  }

  /**
   * Hands a configuration to all parts in one turn. The kernel's table changes with the next round of the reconciler. `next`:
   * the one that follows, whose names stay known.
   */
  #place(config: Config, checks: Checks, next: Config = config): void {
    const { names, health, cluster, events, configWatcher, overrides } = this.#parts
    names.follow(next === config ? config : withServicesOf(config, next))
    const resolved = names.resolve(config)
    const changes = health.applyConfig(resolved, checks, names.doubtsIn(resolved))
    this.#config = resolved
    this.#placed = config
    this.#kinds = checks
    cluster.verdicts.take(() => health.store.allSubscribers())
    this.#jobs.take(changes, paceIn(cluster))
    events.emit('config', resolved)
    configWatcher.follow(config)
    overrides.follow(resolved)
    this.applyOverrides()
    health.availability.follow(resolved.services)
  }
}

function withServicesOf(config: Config, next: Config): Config {
  return { ...config, services: [...new Set([...config.services, ...next.services])] }
}
