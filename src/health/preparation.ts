/** Prepares the next configuration of the health store: its jobs, and what of the present one goes on. */
import type { Check } from '../check/check.js'
import type { ResolvedConfig, ResolvedService } from '../core/model.js'
import { runSync, type Sliced } from '../util/time-slice.js'
import type { CheckStates } from './check-states.js'
import { type Jobs, jobsOf, makingJobs } from './jobs.js'
import type { RecalledHealth } from './remembered-health.js'
import { type Succession, succeedingAll } from './succession.js'

export type Checks = ReadonlyMap<string, Check>

/** What a configuration replaces. */
export interface InForce {
  readonly jobs: Jobs
  readonly services: readonly ResolvedService[]
}

/** A configuration that may be taken next. */
interface Prepared {
  readonly services: readonly ResolvedService[]
  readonly checks: Checks
  readonly all: Jobs
  readonly succession: Succession
}

export class Preparation {
  readonly #states: CheckStates
  readonly #recalled: RecalledHealth
  /** What `preparing` has made, and of what; null after the next `take`. */
  #prepared: Prepared | null = null

  constructor(states: CheckStates, recalled: RecalledHealth) {
    this.#states = states
    this.#recalled = recalled
  }

  /** Prepares `take`, in time slices. Nothing else changes. */
  *preparing(config: ResolvedConfig, checks: Checks, before: InForce): Sliced<void> {
    const { services } = config
    const all = yield* makingJobs(config, checks, before.jobs)
    const succession = yield* this.#succeeding(before, all, services)
    this.#prepared = { services, checks, all, succession }
  }

  /** Returns what was prepared, as far as it is for this configuration and what is in force; the rest is made now. */
  take(
    config: ResolvedConfig,
    checks: Checks,
    before: InForce,
  ): { readonly all: Jobs; readonly succession: Succession } {
    const { services } = config
    const prepared = this.#prepared
    this.#prepared = null
    const isFor = prepared?.checks === checks && areSame(prepared.services, services)
    if (prepared && isFor && prepared.succession.before === before.jobs) return prepared
    const all = prepared && isFor ? prepared.all : jobsOf(config, checks, prepared?.all ?? before.jobs)
    return { all, succession: runSync(this.#succeeding(before, all, services)) }
  }

  #succeeding(before: InForce, jobs: Jobs, services: readonly ResolvedService[]): Sliced<Succession> {
    return succeedingAll(before, { jobs, services }, this.#states, this.#recalled)
  }
}

function areSame<T>(some: readonly T[], others: readonly T[]): boolean {
  return some.length === others.length && some.every((one, i) => one === others[i])
}
