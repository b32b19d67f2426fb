/** Puts a configuration in force: the one place that knows in which order the parts take it over. */
import type { Runnable } from '../accepted/accepted.js'
import type { ResolvedConfig } from '../core/model.js'
import type { Events } from '../events/event-bus.js'
import type { HealthTracker } from '../health/health-tracker.js'
import type { NameResolver } from '../names/name-resolver.js'
import type { MaintenanceOverrides } from '../overrides/maintenance-overrides.js'
import type { Reconciler } from '../reconcile/reconciler.js'
import type { Executors } from '../schedule/executors.js'
import type { Log } from '../system/log.js'
import type { Emitter } from '../util/emitter.js'
import type { ConfigWatcher } from './config-watcher.js'
import { scheduleJobs } from './schedule-jobs.js'

export interface ConfigApplierParts {
  readonly log: Log
  readonly names: NameResolver
  readonly health: HealthTracker
  readonly executors: Executors
  readonly events: Emitter<Events>
  readonly configWatcher: ConfigWatcher
  readonly maintenance: MaintenanceOverrides
  readonly reconciler: Reconciler
  /** What was accepted last, without addresses of names. */
  loaded(): Runnable
}

export class ConfigApplier {
  readonly #parts: ConfigApplierParts
  #config: ResolvedConfig

  constructor(parts: ConfigApplierParts) {
    this.#parts = parts
    this.#config = parts.names.resolve(parts.loaded().config)
  }

  /** The one in force, with the addresses that are known; before the first, the one that was loaded. */
  get config(): ResolvedConfig {
    return this.#config
  }

  /** Before anybody can ask: until servers are checked there is nothing true to say of them. */
  async prepare(): Promise<void> {
    const { configWatcher, maintenance, loaded } = this.#parts
    configWatcher.follow(loaded().config)
    await maintenance.prepare(this.#config)
  }

  /** Puts in force what was accepted last, the kernel's table included. */
  async apply(): Promise<void> {
    const { reconciler, names, maintenance } = this.#parts
    this.#place()
    await reconciler.resync()
    const { resync, resolve } = this.#config.settings
    reconciler.resyncEvery(resync)
    names.refreshEvery(resolve)
    maintenance.refreshNamesEvery(resolve)
  }

  /** The same with the addresses that are known now. Never rejects. */
  async applyNames(): Promise<void> {
    // Before the first configuration there is nothing to change.
    if (this.#parts.health.store.config === null) return
    try {
      this.#place()
      await this.#parts.reconciler.resync()
    } catch (error) {
      const message = 'the addresses of names cannot be put in force'
      this.#parts.log.error('name.not-applied', { err: error }, message)
    }
  }

  /** Files hold servers down, or let them go, at once. */
  applyHolds(): void {
    const { health, maintenance } = this.#parts
    // Before the first configuration there is nobody to hold.
    if (health.store.config !== null) health.hold(maintenance.held(this.#config))
  }

  /** The table follows with the next round of the reconciler. */
  #place(): void {
    const { names, health, executors, events, configWatcher, maintenance, loaded } = this.#parts
    const { config, checks } = loaded()
    names.follow(config)
    const resolved = names.resolve(config)
    const changes = health.applyConfig(resolved, checks, names.doubtsIn(resolved))
    this.#config = resolved
    scheduleJobs(executors, changes)
    events.emit('config', resolved)
    configWatcher.follow(config)
    maintenance.follow(resolved)
    this.applyHolds()
    health.availability.follow(resolved.services)
  }
}
