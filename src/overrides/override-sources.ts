/** All sources of overrides as one: files of the maintenance folder, commands of operators, maintenance windows. */
import type { ResolvedConfig, ResolvedReal, ResolvedService } from '../core/model.js'
import type { Override } from '../core/override.js'
import type { Resolver } from '../names/lookup.js'
import type { Journal } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { CommandOverrides } from './command-overrides.js'
import { EarlyEnds, earlyEndsPath } from './early-ends.js'
import { effectiveOverrides, type OverridesOf } from './effective-overrides.js'
import { MaintenanceOverrides } from './maintenance-overrides.js'
import { RampSteps } from './ramp-steps.js'
import { WindowOverrides } from './window-overrides.js'

export interface OverrideSourcesParts {
  readonly log: Log
  readonly journal: Journal
  readonly resolver: Resolver
  /** File of the overrides that operators give; null: they end with the process. */
  readonly path: string | null
  /** `now` returns milliseconds of the wall clock. */
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  /** Other overrides are active than before. */
  onChange(): void
  /** The weights of these services change: drains in steps. */
  onStep(services: readonly ResolvedService[]): void
}

export class OverrideSources {
  readonly commands: CommandOverrides
  readonly windows: WindowOverrides
  readonly #earlyEnds: EarlyEnds
  readonly #maintenance: MaintenanceOverrides
  readonly #rampSteps: RampSteps
  readonly #now: () => number

  constructor({ log, journal, resolver, path, clock, onChange, onStep }: OverrideSourcesParts) {
    this.#now = clock.now
    this.#maintenance = new MaintenanceOverrides({ log, journal, resolver, onChange })
    this.commands = new CommandOverrides({ path, log, onChange, ...clock })
    this.#rampSteps = new RampSteps({ onStep, ...clock })
    this.#earlyEnds = new EarlyEnds({ path: path && earlyEndsPath(path), log, ...clock })
    this.windows = new WindowOverrides({ log, onChange, ends: this.#earlyEnds, ...clock })
  }

  /** Reads what operators have asked of earlier processes, before the first configuration is followed. */
  async load(): Promise<void> {
    await Promise.all([this.commands.load(), this.#earlyEnds.load()])
  }

  /** Reads what an earlier process left, and the maintenance folder. May wait for seconds. */
  async prepare(config: ResolvedConfig): Promise<void> {
    await this.#maintenance.prepare(config)
  }

  /** Takes a configuration. Call `effective` next. */
  follow(config: ResolvedConfig): void {
    this.#maintenance.follow(config)
    this.commands.follow(config)
    this.windows.follow(config)
  }

  /** Resolves the names of the maintenance folder again every `ms` milliseconds. */
  refreshNamesEvery(ms: number): void {
    this.#maintenance.refreshNamesEvery(ms)
  }

  /** Returns the strongest override of each real server that has one, and sets the timers of drains in steps. */
  effective(config: ResolvedConfig): ReadonlyMap<ResolvedReal, Override> {
    const { services } = config
    const effective = effectiveOverrides(services, this.#sources(config), this.#now())
    this.#rampSteps.follow(services, effective)
    return effective
  }

  /** Returns all overrides of a real server. */
  of(config: ResolvedConfig, service: ResolvedService, real: ResolvedReal): readonly Override[] {
    return this.each(config)(service, real)
  }

  /** Returns a function that gives all overrides of a real server of this configuration. */
  each(config: ResolvedConfig): (service: ResolvedService, real: ResolvedReal) => readonly Override[] {
    const sources = this.#sources(config)
    return (service, real) => sources.flatMap(source => source(service, real) as Override | Override[])
  }

  /** Returns those that have an override at present. */
  #sources(config: ResolvedConfig): readonly OverridesOf[] {
    const files = this.#maintenance.overrides(config)
    const { commands, windows } = this
    const sources: OverridesOf[] = []
    if (files.size > 0) sources.push((_, real) => files.get(real) ?? [])
    if (commands.orders.length > 0) sources.push((service, real) => commands.of(service, real))
    if (windows.areAny) sources.push((service, real) => windows.of(service, real))
    return sources
  }

  /** Ends all timers. Waits up to `patience` milliseconds for the last write. */
  async close(patience: number): Promise<void> {
    this.windows.close()
    this.#rampSteps.close()
    await Promise.all([
      this.commands.close(patience),
      this.#earlyEnds.close(patience),
      this.#maintenance.close(),
    ])
  }
}
