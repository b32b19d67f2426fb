/** The health of a check after a result: of this director alone, or of several directors together. */
import { isChanging, nextHealth } from '../core/health.js'
import type { CheckResult, Health, ResolvedReal, ResolvedService } from '../core/model.js'
import type { CheckState } from './check-state.js'
import type { SharedJudgement } from './shared-judgement.js'

export class Judgement {
  readonly #shared: SharedJudgement | null
  readonly #wasInService: (service: ResolvedService, real: ResolvedReal) => boolean

  /**
   * `shared`: null: this director judges alone. `wasInService` is asked before the first failure of a server: true if the actual table
   * shows it as up.
   */
  constructor(
    shared: SharedJudgement | null,
    wasInService: (service: ResolvedService, real: ResolvedReal) => boolean,
  ) {
    this.#shared = shared
    this.#wasInService = wasInService
  }

  /** Returns the next health. `isFirst`: of the subscribers of the job, which have the same results. */
  judge(checkState: CheckState, result: CheckResult, now: number, isFirst: boolean): Health {
    const { health, remembered } = checkState
    const next = this.#shared
      ? this.#together(this.#shared, checkState, result, now, isFirst)
      : this.#alone(health, checkState, result, now)
    // The state that it had before the restart: it has it since then.
    return remembered && next.state === remembered.state ? { ...next, since: remembered.since } : next
  }

  #alone(
    before: Health,
    { subscriber: { service, real, use } }: CheckState,
    result: CheckResult,
    now: number,
  ): Health {
    // The rule asks for the first failure alone.
    const isAsked = before.state === 'unknown' && result.ok === false
    const isInService = isAsked && this.#wasInService(service, real)
    return nextHealth(before, result, use.policy, now, isInService)
  }

  /** What this director finds begins with the health in force; what is in force follows from what all say. */
  #together(
    shared: SharedJudgement,
    checkState: CheckState,
    result: CheckResult,
    now: number,
    isFirst: boolean,
  ): Health {
    const { health, subscriber } = checkState
    if (result.ok === null) return health
    const { jobId } = subscriber
    const before = (shared.hasOwn(jobId) ? checkState.own : null) ?? health
    const own = this.#alone(before, checkState, result, now)
    if (isFirst) shared.say(jobId, own.state, result, !isChanging(own))
    const state = shared.agreed(jobId, health.state)
    checkState.own = state === null ? null : own
    if (state === null) return own
    const isSame = state === health.state
    const streak = state === own.state ? own.streak : 0
    const isAsFound = state === 'unknown' || (state === 'up') === result.ok || isChanging(own)
    const last = isSame || isAsFound ? result : shared.found(jobId, state)
    return { state, streak, since: isSame ? health.since : now, last }
  }
}
