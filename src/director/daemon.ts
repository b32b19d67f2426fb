/** The daemon: builds the parts in order and owns the loop: result, reload, reconcile, stop. */

import type { Kept, Runnable } from '../accepted/accepted.js'
import { statusDocument } from '../api/build-status.js'
import { openControlSocket } from '../api/server.js'
import type { ReloadOutcome, StatusDocument } from '../api/status-types.js'
import type { Loaded } from '../config/load.js'
import type { Change, Config, ResolvedConfig } from '../core/model.js'
import { type DaemonPhase, type EventListener, openEventBus } from '../events/event-bus.js'
import { logListener } from '../events/log-listener.js'
import { HealthTracker } from '../health/health-tracker.js'
import type { Kernel } from '../ipvs/kernel.js'
import { openResolver, type Resolver } from '../names/lookup.js'
import { NameResolver } from '../names/name-resolver.js'
import { type CommandQueue, openCommandQueue } from '../notify/command-queue.js'
import { MaintenanceOverrides } from '../overrides/maintenance-overrides.js'
import { cleanStop } from '../reconcile/clean-stop.js'
import { Reconciler } from '../reconcile/reconciler.js'
import { type Executors, openExecutors } from '../schedule/executors.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { Notify } from '../system/sd-notify.js'
import { type Clock, steadyNow, WallClock } from '../util/clock.js'
import { counted } from '../util/plural.js'
import { ConfigWatcher } from './config-watcher.js'
import { Reloader } from './reloader.js'
import { scheduleJobs } from './schedule-jobs.js'

export interface DaemonParts {
  readonly loaded: Runnable
  /** Why `loaded` is not what the file says; null where it is. */
  readonly kept?: Kept | null
  /** Keeps an accepted configuration for the next start. */
  readonly keep?: (loaded: Runnable) => Promise<void>
  readonly kernel: Kernel
  readonly kernelName: StatusDocument['kernel']
  readonly journal: Journal
  readonly log: Log
  readonly notify: Notify
  /** Of names; closed with the daemon. */
  readonly resolver?: Resolver
  /** Of the operator; closed with the daemon. */
  readonly commands?: CommandQueue
  /** Reads the configuration again, for a reload. */
  readonly load: () => Promise<Loaded>
  /** Who is told what happens; none of them can stop anything. */
  readonly observers?: readonly EventListener[]
  readonly executors?: typeof openExecutors
  /** For the patience with names. */
  readonly namesClock?: Pick<Clock, 'now' | 'alarm'>
}

export interface Daemon {
  reload(isForced: boolean): Promise<ReloadOutcome>
  status(): Promise<StatusDocument>
  /** Resolves when the kernel's table follows from all that has come: results, answers to names, reloads. */
  idle(): Promise<void>
  /** Leaves the table as it is, but for the services with `cleanstop`. */
  stop(): Promise<void>
}

/** Milliseconds that hooks under way are given when lvsd stops. */
const LAST_PATIENCE = 5000
/** Counters older than this, milliseconds, are read again for `lvsd status`. */
const COUNTERS_MAX_AGE = 500

/**
 * Starts everything: control socket first, so that a second lvsd ends before it touches anything, then the table as it
 * is, then the checks. Resolves when the kernel has been read and brought in line once.
 */
export async function startDaemon(parts: DaemonParts): Promise<Daemon> {
  const daemon = new RunningDaemon(parts)
  await daemon.start()
  return daemon
}

class RunningDaemon implements Daemon {
  readonly #parts: DaemonParts
  readonly #health: HealthTracker
  readonly #executors: Executors
  readonly #reconciler
  readonly #events
  readonly #maintenance: MaintenanceOverrides
  readonly #configWatcher: ConfigWatcher
  readonly #commands
  readonly #resolver: Resolver
  readonly #names: NameResolver
  readonly #startedAt = steadyNow()
  readonly #wallClock = new WallClock()
  readonly #reloader: Reloader
  /** With the addresses that are known. */
  #config: ResolvedConfig
  #stopping: Promise<void> | null = null
  #socket: { close(): Promise<void> } | null = null

  constructor(parts: DaemonParts) {
    const { kernel, journal, log, loaded, resolver = openResolver(), namesClock } = parts
    this.#parts = parts
    this.#resolver = resolver
    this.#reloader = new Reloader({
      ...parts,
      apply: config => this.#apply(config),
      enter: phase => this.#phase(phase),
      considered: read => this.#configWatcher.considered(read),
    })
    this.#names = new NameResolver({
      resolver,
      journal,
      log,
      onNews: () => void this.#placeNames(),
      ...(namesClock && { clock: namesClock }),
    })
    this.#config = this.#names.resolve(loaded.config)
    const { concurrency } = loaded.config.settings
    const open = parts.executors ?? openExecutors
    this.#executors = open((id, result) => this.#health.result(id, result), concurrency, { log })
    this.#events = openEventBus([logListener(log), ...(parts.observers ?? [])], log)
    this.#health = new HealthTracker({
      log,
      events: this.#events,
      table: () => this.#reconciler.table,
      onDirty: services => this.#reconciler.markDirty(services.map(({ name }) => name)),
      recheck: (id, ms) => this.#executors.soon(id, ms),
    })
    this.#commands = parts.commands ?? openCommandQueue(log)
    this.#maintenance = new MaintenanceOverrides({ log, journal, resolver, onChange: () => this.#hold() })
    this.#configWatcher = new ConfigWatcher({
      log,
      commands: this.#commands,
      onChange: isSettled => this.#reloader.reloadByItself(isSettled),
    })
    this.#reconciler = new Reconciler({
      kernel,
      journal,
      log,
      onApplied: changes => this.#events.emit('applied', changes),
      desired: (actual, names) => this.#health.desired(actual, names),
    })
  }

  get #isStopped(): boolean {
    return this.#stopping !== null
  }

  get #services() {
    return this.#config.services
  }

  /** A reload that is asked for meanwhile comes after it. */
  start(): Promise<void> {
    const started = this.#start().catch(async error => {
      await this.#close()
      throw error
    })
    this.#reloader.begin(started)
    return started
  }

  async #start(): Promise<void> {
    const { loaded, log, notify, kernel } = this.#parts
    const { settings, services, file } = loaded.config
    // A file that could not run has changed, by this account.
    if (this.#reloader.lastRead) this.#configWatcher.considered(this.#reloader.lastRead)
    this.#configWatcher.follow(loaded.config)
    // Before anybody can ask: until servers are placed there is nothing true to say of them.
    await this.#maintenance.prepare(this.#config)
    const control = { status: () => this.status(), reload: (isForced: boolean) => this.reload(isForced) }
    this.#socket = await openControlSocket(settings.socket, control, log)
    this.#reloader.tellStart()
    this.#phase('starting')
    if (settings.timeouts)
      await kernel
        .setTimeouts(settings.timeouts)
        .catch(error => log.error('timeouts.refused', { kernel: error.message }, 'timeouts not set'))
    await this.#apply(loaded.config)
    const reals = services.reduce((sum, service) => sum + service.reals.length, 0)
    log.info(
      'daemon.started',
      { file, services: services.length, reals, checks: this.#health.store.jobs.size },
      'lvsd runs',
    )
    notify.ready(`${counted(services.length, 'service')}, ${counted(reals, 'real server')}`)
    this.#phase('running')
    this.#reloader.keep()
  }

  #phase(phase: DaemonPhase): void {
    this.#events.emit('phase', phase)
  }

  reload(isForced: boolean): Promise<ReloadOutcome> {
    return this.#reloader.reload(isForced)
  }

  /** Puts a configuration in force, the kernel's table included. */
  async #apply(config: Config): Promise<void> {
    this.#place(config)
    await this.#reconciler.resync()
    this.#schedule()
  }

  /** Puts a configuration in force for the checks; the table follows with the next round. */
  #place(config: Config): void {
    this.#names.follow(config)
    const resolved = this.#names.resolve(config)
    const doubts = this.#names.doubtsIn(resolved)
    const changes = this.#health.applyConfig(resolved, this.#reloader.loaded.checks, doubts)
    this.#config = resolved
    scheduleJobs(this.#executors, changes)
    this.#events.emit('config', resolved)
    this.#configWatcher.follow(config)
    this.#maintenance.follow(resolved)
    this.#hold()
    this.#health.availability.follow(resolved.services)
  }

  /** Files hold servers down, or let them go, at once. */
  #hold(): void {
    // Before the first placement there is nobody to hold.
    if (this.#health.store.config === null) return
    this.#health.hold(this.#maintenance.held(this.#config))
  }

  /** The slow rounds: reading the kernel back, resolving names. */
  #schedule(): void {
    const { resync, resolve } = this.#config.settings
    this.#reconciler.resyncEvery(resync)
    this.#names.refreshEvery(resolve)
    this.#maintenance.refreshNamesEvery(resolve)
  }

  /** Puts the configuration in force with the addresses that are known now. Never rejects. */
  async #placeNames(): Promise<void> {
    // Before the first placement there is nothing to change.
    if (this.#isStopped || this.#health.store.config === null) return
    try {
      this.#place(this.#reloader.loaded.config)
      await this.#reconciler.resync()
    } catch (error) {
      this.#parts.log.error(
        'name.not-applied',
        { err: error },
        'the addresses of names cannot be put in force',
      )
    }
  }

  async status(): Promise<StatusDocument> {
    const { kernelName } = this.#parts
    return statusDocument({
      healthStore: this.#health.store,
      config: this.#config,
      nameTroubleOf: request => this.#names.standingTroubleOf(request),
      clashes: this.#names.clashes,
      dump: await this.#reconciler.counters(COUNTERS_MAX_AGE),
      kernel: kernelName,
      traffic: this.#health.availability,
      wallClock: this.#wallClock,
      now: steadyNow(),
      startedAt: this.#startedAt,
      loadedAt: this.#reloader.loadedAt,
      warnings: this.#reloader.loaded.problems,
      keptSince: this.#reloader.kept?.acceptedAt ?? null,
      lastReload: this.#reloader.lastReload,
      reconcile: this.#reconciler.stats,
      schedule: this.#executors.stats(),
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
    this.#phase('stopping')
    const onApplied = (changes: readonly Change[]) => this.#events.emit('applied', changes)
    await this.#close(() => cleanStop(this.#services, { ...this.#parts, onApplied }))
    log.info('daemon.stopped', {}, 'lvsd has stopped')
    await log.flush()
  }

  /** Whatever fails, the rest is closed, too. */
  async #close(leave: () => unknown = () => {}): Promise<void> {
    const { log, notify } = this.#parts
    const steps: Record<string, () => unknown> = {
      'maintenance folder': () => this.#maintenance.close(),
      'configuration file': () => this.#configWatcher.close(),
      names: () => this.#names.close(),
      traffic: () => this.#health.close(),
      checks: () => this.#executors.close(),
      reconciling: () => this.#reconciler.stop(),
      'clean stop': leave,
      'observers and hooks': () => Promise.all([this.#events.close(), this.#commands.close(LAST_PATIENCE)]),
      'control socket': () => this.#socket?.close(),
      kernel: () => this.#parts.kernel.close(),
      journal: () => this.#parts.journal.close(),
      'accepted configuration': () => this.#reloader.close(LAST_PATIENCE),
      resolver: () => this.#resolver.close(),
      systemd: () => notify.close(),
    }
    for (const [what, step] of Object.entries(steps))
      try {
        await step()
      } catch (error) {
        log.error('stop.failed', { error: (error as Error).message }, `stopping: ${what}`)
      }
  }
}
