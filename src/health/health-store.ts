/**
 * Stores the health of all real servers: takes configurations, results and holds, and returns the changes. Has no I/O.
 */

import { availability } from '../core/desired.js'
import { isChanging } from '../core/health.js'
import { kernelServices } from '../core/kernel-services.js'
import type {
  CheckResult,
  Health,
  HealthState,
  ResolvedConfig,
  ResolvedReal,
  ResolvedService,
  Table,
} from '../core/model.js'
import { causeOf, type DownCause, isUdp } from '../core/on-down.js'
import {
  type Disposition,
  decidesState,
  disposition,
  isRamped,
  type Judged,
  type Override,
  usualDisposition,
} from '../core/override.js'
import { hasNames } from '../names/lookup-requests.js'
import type { Doubtful, Doubts } from '../names/unresolved-names.js'
import type { Sliced } from '../util/time-slice.js'
import { ActiveOverrides } from './active-overrides.js'
import type { CheckState } from './check-state.js'
import { CheckStates, countVerdicts } from './check-states.js'
import { DownRules } from './down-rules.js'
import type { DownRulesParts } from './down-rules-parts.js'
import type {
  JobChanges,
  OverrideChange,
  ResultOutcome,
  Transition,
  VerdictChange,
  WeightChange,
} from './health-changes.js'
import type { Job, Jobs, Subscriber } from './jobs.js'
import { Judgement } from './judgement.js'
import { type Checks, type InForce, Preparation } from './preparation.js'
import { RecalledHealth } from './remembered-health.js'
import { ServersInDoubt } from './servers-in-doubt.js'
import type { SharedJudgement } from './shared-judgement.js'
import { type Standing, Standings } from './standings.js'
import type { Succession } from './succession.js'
import { TimedRules, type TimedRulesParts } from './timed-rules.js'

/** `isDrained`: an override sets its weight to 0. */
type IsInService = (service: ResolvedService, real: ResolvedReal, isDrained: boolean) => boolean

/** A `ResultOutcome` that is being made. */
interface Outcome {
  readonly transitions: Transition[]
  readonly weightChanges: WeightChange[]
  readonly verdicts: VerdictChange[]
  recheckIn: number | null
}

/** What a store needs of its owner for what goes by time. */
export interface Timing extends Pick<TimedRulesParts, 'setDeadline' | 'onChange'> {
  /** Returns milliseconds of the wall clock. */
  wall(): number
  readonly shared?: SharedJudgement | null | undefined
  /** As `setDeadline`, for `down`. */
  readonly setDownDeadline: DownRulesParts['setDeadline']
}

const NO_TIMING: Timing = {
  setDeadline: () => {},
  setDownDeadline: () => {},
  onChange: () => {},
  wall: Date.now,
}

export class HealthStore {
  #config: ResolvedConfig | null = null
  #all: Jobs = { jobs: new Map(), subscribers: [], byService: new Map() }
  readonly #preparation: Preparation
  /** Services that `override` is to look at, because they are new or have changed. */
  #unseen: readonly ResolvedService[] = []
  /** Of those, the servers that the rules have to look at; absent: all. */
  #unsettled: Succession['unsettled'] = new Map()
  readonly #checks = new CheckStates()
  #services = new Map<string, ResolvedService>()
  readonly #overrides = new ActiveOverrides()
  readonly #standings = new Standings()
  /** What an earlier run of lvsd knew. */
  readonly recalled = new RecalledHealth()
  /** Slow start and damping. */
  readonly rules: TimedRules
  /** Panic and on-down. */
  readonly down: DownRules
  readonly #isInService: IsInService
  /** Returns milliseconds of the wall clock. */
  readonly #wall: () => number
  /** Null: this director judges alone. */
  readonly #shared: SharedJudgement | null
  readonly #judgement: Judgement
  readonly #doubts: ServersInDoubt

  /**
   * `isInService` is asked before the first result of a server: it returns true if the actual table shows the server as
   * up. `table` returns the actual table, or null before the first read.
   */
  constructor(
    isInService: IsInService = () => false,
    table: () => Table | null = () => new Map(),
    timing: Timing = NO_TIMING,
  ) {
    this.#isInService = isInService
    this.#wall = timing.wall
    this.#shared = timing.shared ?? null
    this.#preparation = new Preparation(this.#checks, this.recalled)
    this.#judgement = new Judgement(this.#shared, (service, real) => this.#wasInService(service, real))
    this.#doubts = new ServersInDoubt(table)
    this.rules = new TimedRules({
      ...timing,
      judged: real => this.#judged(real, this.#ownState(real)),
      isInService: (service, real) => this.#wasInService(service, real),
      isHeldUp: (service, real) => this.down.isHeld(service, real),
    })
    this.down = new DownRules({
      stateBeforeOverride: real => (this.rules.isDamped(real) ? 'down' : this.#ownState(real)),
      stateOf: real => this.stateOf(real),
      isOverridden: real => decidesState(this.overrideOf(real)),
      causeOf: (service, real) => this.#causeOf(service, real),
      isInService: (service, real) => this.#wasInService(service, real),
      table,
      setDeadline: timing.setDownDeadline,
    })
  }

  /** Which entries of the table may belong to servers without a known address. */
  get doubtful(): Doubtful {
    return this.#doubts.doubtful
  }

  get config(): ResolvedConfig | null {
    return this.#config
  }

  get jobs(): ReadonlyMap<string, Job> {
    return this.#all.jobs
  }

  service(name: string): ResolvedService | undefined {
    return this.#services.get(name)
  }

  /** Prepares `applyConfig` of a configuration with many servers that differ, in time slices. Nothing changes yet. */
  preparing(config: ResolvedConfig, checks: Checks): Sliced<void> {
    return this.#preparation.preparing(config, checks, this.#inForce)
  }

  get #inForce(): InForce {
    return { jobs: this.#all, services: this.#config?.services ?? [] }
  }

  /**
   * Takes a configuration and returns the changes of jobs. A check keeps its health if service, real server, target,
   * kind and options are the same. `doubts` has the names without a known address; they do not count as down.
   */
  applyConfig(config: ResolvedConfig, checks: Checks, now: number, doubts: Doubts = new Map()): JobChanges {
    this.#doubts.follow(config.services, doubts)
    const servicesBefore = this.#config?.services ?? []
    const { all, succession } = this.#preparation.take(config, checks, this.#inForce)
    this.#all = all
    const kept = new Set(servicesBefore)
    this.#services = new Map(config.services.map(service => [service.name, service]))
    this.#checks.follow(succession.checks, now, subscriber => this.recalled.ofCheck(subscriber))
    this.#config = config
    // The doubts about names, and the files of users' checks, may have changed without them.
    this.#unseen = config.services.filter(
      service => !kept.has(service) || hasNames(service) || succession.rejudged.has(service),
    )
    this.#unsettled = succession.unsettled
    this.rules.follow(servicesBefore, config.services, now, succession.standings)
    this.down.follow(config.services, now, succession.standings)
    this.#standings.follow(
      succession.standings,
      real => this.stateOf(real),
      now,
      (service, real) => this.recalled.ofReal(service, real),
    )
    const { added, removed, newlySubscribed } = succession
    return { added, removed, rescheduled: this.#rescheduled(succession), newlySubscribed }
  }

  /** Returns the jobs of which each subscriber has a state: they need not run at once. */
  #rescheduled({ added, checks }: Succession): ReadonlySet<string> {
    const rescheduled = new Set(added.map(({ id }) => id))
    for (const { state } of checks.heirs)
      if (state.health.state === 'unknown') rescheduled.delete(state.subscriber.jobId)
    for (const { health, subscriber } of checks.staying.values())
      if (health.state === 'unknown') rescheduled.delete(subscriber.jobId)
    return rescheduled
  }

  /**
   * Replaces the overrides of all real servers, and applies the rules to the services that the last configuration or an
   * override has changed. Returns the overrides that begin, change or end.
   */
  override(overrides: ReadonlyMap<ResolvedReal, Override>, now: number): readonly OverrideChange[] {
    const changes = this.#overrides.replace(overrides, this.#services.values())
    const overridden = new Set(changes.map(({ service }) => service))
    for (const service of new Set([...this.#unseen, ...overridden])) {
      const needsAll = overridden.has(service) || hasNames(service)
      this.#look(service, needsAll ? null : (this.#unsettled.get(service) ?? null), now)
    }
    this.#unseen = []
    this.#unsettled = new Map()
    return changes.map(change => ({ ...change, failure: this.#checks.failureOf(change.real) }))
  }

  /** Applies the rules that go by time to this server (null: to all of the service), and notes the state that follows. */
  look(service: ResolvedService, real: ResolvedReal | null, now: number): void {
    this.#look(service, real && [real], now)
  }

  #look(service: ResolvedService, reals: readonly ResolvedReal[] | null, now: number): void {
    // Slow start depends on the panic, and panic and on-down on damping.
    const hasPanicChanged = this.down.look(service, reals, now)
    const { affected, mayHaveMoved } = this.rules.look(service, hasPanicChanged ? null : reals, now)
    for (const one of affected) this.#standings.note(one, this.stateOf(one), now)
    if (mayHaveMoved && this.down.look(service, null, now)) this.rules.look(service, null, now)
  }

  /** Applies the rules to a service whose panic, or to a server whose time of on-down, may be over. */
  lookDown(service: ResolvedService, real: ResolvedReal | null, now: number): void {
    if (real) this.down.look(service, [real], now)
    else this.#look(service, null, now)
  }

  /** Returns why a server is down by its checks. */
  #causeOf(service: ResolvedService, real: ResolvedReal): DownCause {
    return causeOf(
      this.checkStatesOf(real).flatMap(({ health: { state, last }, subscriber: { jobId } }) => {
        const testsHost = this.#all.jobs.get(jobId)?.check.testsHost === true
        return state === 'down' && last ? { result: last, testsHost, isUdp: isUdp(service) } : []
      }),
    )
  }

  /** Returns the override of a real server, or null. */
  overrideOf(real: ResolvedReal): Override | null {
    return this.#overrides.of(real)
  }

  /** Returns the state of a server and the time of its last change. */
  standingOf(real: ResolvedReal): Standing | undefined {
    return this.#standings.of(real)
  }

  /** Returns the number of checks of the server that pass. */
  passing(real: ResolvedReal): number {
    return this.#checks.passing(real)
  }

  /** True if a real server keeps the fallback out, false if none does; null while results are missing. */
  isAvailable(service: ResolvedService): boolean | null {
    return availability(
      service,
      (_, real) => this.dispositionOf(real),
      (_, real) => this.down.downAs(service, real),
    )
  }

  /** Returns the services of the kernel of which no real server keeps the fallback out. */
  unservedOf(service: ResolvedService): readonly ResolvedService[] {
    return kernelServices(service).filter(one => this.isAvailable(one) === false)
  }

  /** Returns the states of the checks that share this job. */
  checksOf(id: string): readonly CheckState[] {
    return this.#checks.ofJob(id)
  }

  /** Returns the subscribers of a job. */
  subscribers(id: string): readonly Subscriber[] {
    return this.#checks.ofJob(id).map(({ subscriber }) => subscriber)
  }

  *allSubscribers(): Iterable<Subscriber> {
    for (const id of this.#all.jobs.keys()) yield* this.subscribers(id)
  }

  /** True if a failure of the job could change a health. */
  isAtStake(id: string): boolean {
    return this.#checks.isAtStake(id)
  }

  /** True if further results of the job with this verdict would change nothing. */
  isSettled(id: string, ok: boolean | null): boolean {
    return this.#checks.isSettled(id, ok)
  }

  /** Applies a result to all subscribers of the job. */
  result(id: string, result: CheckResult, now: number): ResultOutcome {
    const outcome: Outcome = { transitions: [], weightChanges: [], verdicts: [], recheckIn: null }
    const checkStates = this.#checks.ofJob(id)
    // A loop by index: V8 takes long to optimize one over entries, and a result costs less than that.
    for (let i = 0; i < checkStates.length; i++) {
      const checkState = checkStates[i] as CheckState
      const before = checkState.health
      const next = this.#judgement.judge(checkState, result, now, i === 0)
      this.#note(checkState, next, result, now, outcome)
      if (next !== before) this.#move(checkState, next, result, now, outcome)
    }
    return outcome
  }

  #note(checkState: CheckState, next: Health, result: CheckResult, now: number, into: Outcome): void {
    const changes = countVerdicts(checkState, result, now)
    if (changes.length > 0) into.verdicts.push(...changes)
    checkState.lastAt = now
    checkState.recent.add(result, now)
    if (next.state !== 'unknown') checkState.remembered = null
    if (!isChanging(checkState.own ?? next) || result.ok === null) return
    const { fastinter } = checkState.subscriber.use.policy
    into.recheckIn = Math.min(into.recheckIn ?? Number.POSITIVE_INFINITY, fastinter)
  }

  /** Applies what all directors say of a job together, after others have said something else. */
  heard(id: string, now: number): Pick<ResultOutcome, 'transitions' | 'weightChanges'> {
    const transitions: Transition[] = []
    const weightChanges: WeightChange[] = []
    // Failures that this director has counted are not in a row with those after it asks again.
    const isOver = this.#shared?.asks(id) === false && !this.#shared.hasOwn(id)
    for (const checkState of this.#checks.ofJob(id)) {
      if (isOver && checkState.health.streak > 0) checkState.health = { ...checkState.health, streak: 0 }
      const state = this.#shared?.agreed(id, checkState.health.state) ?? null
      if (!this.#shared || state === null || state === checkState.health.state) continue
      const result = this.#shared.found(id, state)
      checkState.recent.add(result, now)
      checkState.remembered = null
      const next: Health = { state, streak: 0, since: now, last: result }
      this.#move(checkState, next, result, now, { transitions, weightChanges })
    }
    return { transitions, weightChanges }
  }

  #move(
    checkState: CheckState,
    next: Health,
    result: CheckResult,
    now: number,
    into: { readonly transitions: Transition[]; readonly weightChanges: WeightChange[] },
  ): void {
    const { service, real } = checkState.subscriber
    const before = checkState.health
    if (isSteady(before, next) && !(service.onDown && next.state === 'down')) {
      checkState.health = next
      return
    }
    const { state, weight } = this.dispositionOf(real)
    const advised = this.#checks.advisedWeight(real)
    checkState.health = next
    const isMoved = next.state !== before.state
    // A server that was sick may be dead now.
    if (!isMoved && service.onDown && state === 'down') this.down.look(service, [real], now)
    if (isMoved || this.#checks.advisedWeight(real) !== advised) this.look(service, real, now)
    if (isMoved)
      into.transitions.push(this.#transition(checkState, { check: before.state, state }, next.last ?? result))
    else if (this.weightOf(real) !== weight)
      into.weightChanges.push({ service, real, from: weight, to: this.weightOf(real), result })
  }

  /** Returns the transition of a check. `was`: the states of the check and of its server before. */
  #transition(
    { subscriber: { service, real, use }, health }: CheckState,
    was: { readonly check: HealthState; readonly state: HealthState },
    result: CheckResult,
  ): Transition {
    const state = this.stateOf(real)
    const hasMovedServer = was.state !== state
    return {
      service,
      real,
      check: use.kind,
      from: hasMovedServer ? was.state : was.check,
      to: hasMovedServer ? state : health.state,
      result,
      hasMovedServer,
      state,
      passing: this.passing(real),
      checks: this.checkStatesOf(real).length,
    }
  }

  #wasInService(service: ResolvedService, real: ResolvedReal): boolean {
    return this.#isInService(service, real, this.dispositionOf(real).override === 0)
  }

  /** Returns the state and the weight that result from the checks, the rules that go by time and the override. */
  dispositionOf(real: ResolvedReal): Disposition {
    const override = this.overrideOf(real)
    const checked = this.#ownState(real)
    const advised = this.#checks.advisedWeight(real)
    const isDamped = this.rules.isDamped(real)
    const share = this.rules.shareOf(real)
    if (override === null && !isDamped && share === 1) return usualDisposition(checked, advised)
    const at = isRamped(override) ? this.#wall() : undefined
    return disposition({ checked, advised, override, at, isDamped, share })
  }

  stateOf(real: ResolvedReal): HealthState {
    // The case of most servers, all of which a large reload asks for.
    if (this.overrideOf(real) === null && !this.rules.isDamped(real)) return this.#ownState(real)
    return this.dispositionOf(real).state
  }

  #judged(real: ResolvedReal, checked: HealthState): Judged {
    const override = this.overrideOf(real)
    return {
      checked,
      advised: this.#checks.advisedWeight(real),
      override,
      ...(isRamped(override) && { at: this.#wall() }),
    }
  }

  #ownState(real: ResolvedReal): HealthState {
    if (real.address === null) return this.#doubts.isInDoubt(real) ? 'unknown' : 'down'
    return this.#checks.stateOf(real)
  }

  /**
   * Returns the weight of a server that is up: the weight of its override, else the lowest weight that its checks
   * advise, else the configured weight.
   */
  weightOf(real: ResolvedReal): number {
    return this.dispositionOf(real).weight
  }

  checkStatesOf(real: ResolvedReal): readonly CheckState[] {
    return this.#checks.ofReal(real)
  }
}

/** True if neither state nor weight can have changed: the case of nearly all results, which therefore costs little. */
function isSteady(before: Health, next: Health): boolean {
  return before.state === next.state && !before.last?.advice && !next.last?.advice
}
