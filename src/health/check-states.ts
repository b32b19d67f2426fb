/** The states of all checks, by job and by real server. */
import { combine, isWithoutVerdict, nextNoVerdicts, unknownHealth } from '../core/health.js'
import type { CheckResult, HealthState, ResolvedReal, ResolvedService, WeightAdvice } from '../core/model.js'
import { weightFrom } from '../core/weight-hint.js'
import type { Sliced } from '../util/time-slice.js'
import { append, type CheckState } from './check-state.js'
import { type ChangedChecks, type CheckSuccession, type Heir, succeeding } from './check-succession.js'
import type { VerdictChange } from './health-changes.js'
import type { Subscriber } from './jobs.js'

const NONE: readonly CheckState[] = []
const NO_CHANGE: readonly VerdictChange[] = []

export class CheckStates {
  readonly #byJob = new Map<string, CheckState[]>()
  readonly #byReal = new Map<ResolvedReal, CheckState[]>()

  /** Prepares `follow`, in time slices. Nothing changes yet. */
  succeeding(
    changed: ChangedChecks,
    mayRecall: (subscriber: Subscriber) => boolean,
  ): Sliced<CheckSuccession> {
    return succeeding(changed, real => this.ofReal(real), mayRecall)
  }

  /**
   * Takes the checks of the next configuration. `recalled` returns what an earlier run of lvsd knew of a check that has no state
   * before.
   */
  follow(
    { staying, left, heirs, changed }: CheckSuccession,
    now: number,
    recalled: (subscriber: Subscriber) => CheckState['remembered'],
  ): void {
    for (const [subscriber, state] of staying) state.subscriber = subscriber
    const unknown = unknownHealth(now)
    for (const { state, old, mayBeRecalled } of heirs)
      if (old) inherit(state, old)
      else {
        state.health = unknown
        if (mayBeRecalled) state.remembered = recalled(state.subscriber)
      }
    const inOrder = orderBy(changed.services, changed.fresh)
    relist(this.#byJob, left, heirs, ({ subscriber }) => subscriber.jobId, inOrder)
    relist(this.#byReal, left, heirs, ({ subscriber }) => subscriber.real, inOrder)
    // The real servers of a service may have changed their places.
    for (const { jobId } of staying.keys()) sorted(this.#byJob.get(jobId), inOrder)
    if (changed.areMoved) for (const list of this.#byJob.values()) sorted(list, inOrder)
  }

  ofJob(id: string): readonly CheckState[] {
    return this.#byJob.get(id) ?? []
  }

  ofReal(real: ResolvedReal): readonly CheckState[] {
    return this.#byReal.get(real) ?? NONE
  }

  /** True if a failure of the job could change a health. */
  isAtStake(id: string): boolean {
    return this.ofJob(id).some(({ health, own }) =>
      [health, own ?? health].some(({ state, streak }) => state !== 'down' || streak > 0),
    )
  }

  /**
   * True if further results with this verdict would change nothing: all that the job tests have this state, and this
   * director judges alone.
   */
  isSettled(id: string, ok: boolean | null): boolean {
    const state = ok ? 'up' : 'down'
    const tested = this.ofJob(id)
    if (ok === null || tested.length === 0) return false
    return tested.every(
      ({ health, own, noVerdicts }) =>
        health.state === state && health.streak === 0 && own === null && noVerdicts === null,
    )
  }

  /** Returns the number of checks of the server that pass. */
  passing(real: ResolvedReal): number {
    return this.ofReal(real).filter(({ health }) => health.state === 'up').length
  }

  /** Returns the state that the checks of the server give together. */
  stateOf(real: ResolvedReal): HealthState {
    const states = this.ofReal(real)
    // The case of most servers.
    if (states.length === 1 && real.need === 1) return (states[0] as CheckState).health.state
    return combine(states.map(stateOfCheck), real.need)
  }

  /** Returns the last result of a failed check if the server is down by its checks, else null. */
  failureOf(real: ResolvedReal): CheckResult | null {
    if (this.stateOf(real) !== 'down') return null
    return this.ofReal(real).find(({ health }) => health.state === 'down')?.health.last ?? null
  }

  /** Returns the lowest weight that the checks advise, else the configured weight. */
  advisedWeight(real: ResolvedReal): number {
    const states = this.ofReal(real)
    // The case of most servers, for each of which this is asked whenever a table is computed.
    if (states.length === 1 && !(states[0] as CheckState).health.last?.advice) return real.attributes.weight
    const advice: WeightAdvice[] = []
    for (const { health } of states)
      if (health.state === 'up' && health.last?.advice) advice.push(health.last.advice)
    return weightFrom(real.attributes.weight, advice)
  }
}

type InOrder = (a: CheckState, b: CheckState) => number

/** Sorts by the places of the services, and those of fresh ones in their order. Others of one service stay in theirs. */
function orderBy(services: readonly ResolvedService[], fresh: readonly Subscriber[]): InOrder {
  let places: ReadonlyMap<ResolvedService | Subscriber, number> | null = null
  return ({ subscriber: a }, { subscriber: b }) => {
    places ??= new Map([...services, ...fresh].map((one, i) => [one, i]))
    const order = (places.get(a.service) ?? 0) - (places.get(b.service) ?? 0)
    return order || (places.get(a) ?? 0) - (places.get(b) ?? 0)
  }
}

/** Most lists have one state. */
function sorted(list: CheckState[] | undefined, inOrder: InOrder): void {
  if (list && list.length > 1) list.sort(inOrder)
}

/** Takes states out of the lists that they are in, and puts others into theirs, in the order of the configuration. */
function relist<K>(
  lists: Map<K, CheckState[]>,
  left: ReadonlySet<CheckState>,
  heirs: readonly Heir[],
  keyOf: (state: CheckState) => K,
  inOrder: InOrder,
): void {
  for (const state of left) {
    const key = keyOf(state)
    const list = lists.get(key)?.filter(one => !left.has(one)) ?? []
    if (list.length > 0) lists.set(key, list)
    else lists.delete(key)
  }
  const shared: CheckState[][] = []
  for (const { state } of heirs) {
    const list = append(lists, keyOf(state), state)
    if (list.length > 1) shared.push(list)
  }
  for (const list of new Set(shared)) sorted(list, inOrder)
}

function stateOfCheck({ health }: CheckState): HealthState {
  return health.state
}

/** Gives a state what its predecessor has by now. */
function inherit(state: CheckState, { health, own, lastAt, noVerdicts, remembered }: CheckState): void {
  state.health = health
  state.own = own
  state.lastAt = lastAt
  state.noVerdicts = noVerdicts
  state.remembered = remembered
}

/**
 * Counts consecutive runs of a check without a verdict. Returns a change once the limit is reached, and once it is
 * over.
 */
export function countVerdicts(
  checkState: CheckState,
  result: CheckResult,
  now: number,
): readonly VerdictChange[] {
  const { service, real, use } = checkState.subscriber
  const before = checkState.noVerdicts
  if (before === null && result.ok !== null) return NO_CHANGE
  const after = nextNoVerdicts(before, result, now)
  checkState.noVerdicts = after
  const runs = after ?? before
  if (!runs || isWithoutVerdict(before) === isWithoutVerdict(after)) return []
  return [
    {
      service,
      real,
      check: use.kind,
      since: runs.since,
      isMissing: after !== null,
      detail: runs.detail,
    },
  ]
}
