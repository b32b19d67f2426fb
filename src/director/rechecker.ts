/** Runs the checks of chosen real servers at once, and says what they gave. */
import type {
  RecheckedReal,
  RecheckOutcome,
  RecheckRequest,
  RecheckResultsRequest,
} from '../api/recheck-types.js'
import type { ResolvedConfig, ResolvedReal } from '../core/model.js'
import type { CheckState } from '../health/check-state.js'
import type { HealthStore } from '../health/health-store.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import type { Executors } from '../schedule/executors.js'
import { steadyNow } from '../util/clock.js'
import { findTargets, realsOf } from './find-targets.js'

export interface RecheckerParts {
  readonly executors: Pick<Executors, 'soon'>
  readonly health: Pick<HealthStore, 'checkStatesOf' | 'stateOf'>
  config(): ResolvedConfig
  /** Milliseconds of the steady clock. */
  readonly now?: () => number
}

/** Maximum number of checks that are brought forward per second. */
const PACE = 500

export class Rechecker {
  readonly #parts: RecheckerParts
  readonly #now: () => number

  constructor(parts: RecheckerParts) {
    this.#parts = parts
    this.#now = parts.now ?? steadyNow
  }

  /** Brings the next run of each check forward. Several services may share a check: it runs once. */
  async now({ targets }: RecheckRequest): Promise<RecheckOutcome> {
    const { executors, config } = this.#parts
    const after = this.#now()
    const found = findTargets(config(), targets)
    if (typeof found === 'string') return { trouble: found, reals: 0, checks: 0, spread: 0, within: 0, after }
    const reals = [...new Set(found.flatMap(realsOf))]
    const checks = reals.flatMap(real => this.#parts.health.checkStatesOf(real))
    const jobs = [...new Set(checks.map(({ subscriber }) => subscriber.jobId))]
    jobs.forEach((id, i) => {
      executors.soon(id, (i * 1000) / PACE)
    })
    const spread = Math.round((jobs.length * 1000) / PACE)
    const longest = Math.max(0, ...checks.map(timeToDecide))
    return {
      trouble: null,
      reals: reals.length,
      checks: checks.length,
      spread,
      within: spread + longest,
      after,
    }
  }

  /** Returns the real servers with results after that time. */
  async results({ targets, after }: RecheckResultsRequest): Promise<readonly RecheckedReal[]> {
    const found = findTargets(this.#parts.config(), targets)
    if (typeof found === 'string') return []
    return found.flatMap(target =>
      realsOf(target).flatMap(real => this.#rechecked(target.service.name, real, after) ?? []),
    )
  }

  #rechecked(service: string, real: ResolvedReal, after: number): RecheckedReal | null {
    const { health } = this.#parts
    const all = health.checkStatesOf(real)
    const checks = all.flatMap((check, index) => {
      const group = check.recent.groups.at(-1)
      return group && group.at > after ? [{ check, index, group }] : []
    })
    if (checks.length === 0 && all.length > 0) return null
    return {
      service,
      real: nameOfReal(real),
      state: health.stateOf(real),
      isChanging: all.some(check => check.health.streak > 0),
      count: all.length,
      checks: checks.map(({ check, index, group }) => ({
        index,
        kind: check.subscriber.use.kind,
        state: check.health.state,
        result: { ...group.result, ms: Math.round(group.result.ms * 100) / 100, phases: [] },
        at: group.at,
        streak: check.health.streak,
        needed: neededOf(check, group.result.ok),
      })),
    }
  }
}

function neededOf({ subscriber }: CheckState, ok: boolean | null): number {
  return ok ? subscriber.use.policy.rise : subscriber.use.policy.fall
}

/** Returns the milliseconds after which enough runs have ended to change the state. */
function timeToDecide({ subscriber }: CheckState): number {
  const { rise, fall, fastinter, timeout } = subscriber.use.policy
  // A run that is in progress delays the first one.
  return timeout + Math.max(rise, fall) * Math.max(fastinter, timeout) + 1000
}
