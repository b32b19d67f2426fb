/** The states of all checks, by job and by real server. */
import { combine, isWithoutVerdict, nextNoVerdicts, unknownHealth } from '../core/health.js'
import type { CheckResult, HealthState, ResolvedReal, ResolvedService, WeightAdvice } from '../core/model.js'
import { weightFrom } from '../core/weight-hint.js'
import { append, type CheckState, PreviousStates } from './check-state.js'
import type { VerdictChange } from './health-changes.js'
import type { Subscriber } from './jobs.js'
import { RecentResults } from './recent-results.js'

const NONE: readonly CheckState[] = []
const NO_CHANGE: readonly VerdictChange[] = []

export interface ChangedChecks {
  readonly gone: readonly Subscriber[]
  /** In the order of the configuration. */
  readonly fresh: readonly Subscriber[]
  /** All services of the configuration, in its order. */
  readonly services: readonly ResolvedService[]
  /** True if services that stay have changed their places. */
  readonly areMoved: boolean
}

export class CheckStates {
  readonly #bySubscriber = new Map<Subscriber, CheckState>()
  readonly #byJob = new Map<string, CheckState[]>()
  readonly #byReal = new Map<ResolvedReal, CheckState[]>()

  /**
   * Takes the checks that a configuration does not have any more, and those that it has instead. A check keeps its state if
   * service, real server, target, kind and options are the same; `recalled` returns what an earlier run of lvsd knew of
   * another one. Returns the states of the fresh subscribers, and which of them are new.
   */
  follow(
    { gone, fresh, services, areMoved }: ChangedChecks,
    now: number,
    recalled: (subscriber: Subscriber) => CheckState['remembered'],
  ): readonly { readonly state: CheckState; readonly isNew: boolean }[] {
    const staying = this.#stay(new Set(gone), fresh)
    const left = this.#leave(gone)
    const known = new PreviousStates(left)
    const joined: CheckState[] = []
    const changed = fresh.map(subscriber => {
      const same = staying.get(subscriber)
      const old = same ?? known.like(subscriber)
      const state = same ?? stateFor(subscriber, old ?? unknownState(now, recalled(subscriber)))
      if (!same) joined.push(state)
      this.#bySubscriber.set(subscriber, state)
      return { state, isNew: !old }
    })
    const inOrder = orderBy(services, fresh)
    relist(this.#byJob, left, joined, ({ subscriber }) => subscriber.jobId, inOrder)
    relist(this.#byReal, left, joined, ({ subscriber }) => subscriber.real, inOrder)
    // The real servers of a service may have changed their places.
    for (const { jobId } of staying.keys()) sorted(this.#byJob.get(jobId), inOrder)
    if (areMoved) for (const list of this.#byJob.values()) sorted(list, inOrder)
    return changed
  }

  /**
   * Gives states to fresh subscribers whose real server is the same object with the same checks, in a service of the same
   * name and address: of thousands of servers of a service, most stay.
   */
  #stay(gone: Set<Subscriber>, fresh: readonly Subscriber[]): ReadonlyMap<Subscriber, CheckState> {
    const staying = new Map<Subscriber, CheckState>()
    for (let at = 0; at < fresh.length; ) {
      const end = endOfReal(fresh, at)
      const states = this.ofReal((fresh[at] as Subscriber).real)
      if (areSameChecks(states, fresh, at, end, gone))
        for (const state of states) {
          const subscriber = fresh[at++] as Subscriber
          this.#bySubscriber.delete(state.subscriber)
          state.subscriber = subscriber
          staying.set(subscriber, state)
        }
      at = end
    }
    return staying
  }

  #leave(gone: readonly Subscriber[]): readonly CheckState[] {
    return gone.flatMap(subscriber => {
      const state = this.#bySubscriber.get(subscriber)
      this.#bySubscriber.delete(subscriber)
      return state ?? []
    })
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
    return combine(this.ofReal(real).map(stateOfCheck), real.need)
  }

  /** Returns the last result of a failed check if the server is down by its checks, else null. */
  failureOf(real: ResolvedReal): CheckResult | null {
    if (this.stateOf(real) !== 'down') return null
    return this.ofReal(real).find(({ health }) => health.state === 'down')?.health.last ?? null
  }

  /** Returns the lowest weight that the checks advise, else the configured weight. */
  advisedWeight(real: ResolvedReal): number {
    const advice: WeightAdvice[] = []
    for (const { health } of this.ofReal(real))
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

/** Returns where the subscribers of the real server end that begin at `at`. */
function endOfReal(fresh: readonly Subscriber[], at: number): number {
  const real = fresh[at]?.real
  let end = at
  while (end < fresh.length && fresh[end]?.real === real) end++
  return end
}

/** True if the states are of the same checks as the fresh subscribers from `at` to `end`, one by one. */
function areSameChecks(
  states: readonly CheckState[],
  fresh: readonly Subscriber[],
  at: number,
  end: number,
  gone: ReadonlySet<Subscriber>,
): boolean {
  if (states.length !== end - at) return false
  // Two equal checks have been one state.
  if (states.length > 1 && new Set(states.map(({ subscriber }) => subscriber.checkKey)).size < states.length)
    return false
  return states.every(({ subscriber: old }, i) => {
    const now = fresh[at + i] as Subscriber
    return gone.has(old) && isSameCheck(old, now)
  })
}

function isSameCheck(old: Subscriber, now: Subscriber): boolean {
  return (
    old.jobId === now.jobId &&
    old.checkKey === now.checkKey &&
    old.serviceKey === now.serviceKey &&
    old.service.name === now.service.name &&
    !old.service.also &&
    !now.service.also
  )
}

/** Takes states out of the lists that they are in, and puts others into theirs, in the order of the configuration. */
function relist<K>(
  lists: Map<K, CheckState[]>,
  left: readonly CheckState[],
  joined: readonly CheckState[],
  keyOf: (state: CheckState) => K,
  inOrder: InOrder,
): void {
  const out = new Set(left)
  for (const key of new Set(left.map(keyOf))) {
    const list = lists.get(key)?.filter(state => !out.has(state)) ?? []
    if (list.length > 0) lists.set(key, list)
    else lists.delete(key)
  }
  for (const state of joined) append(lists, keyOf(state), state)
  for (const key of new Set(joined.map(keyOf))) sorted(lists.get(key), inOrder)
}

function stateOfCheck({ health }: CheckState): HealthState {
  return health.state
}

/** Of one shape for all checks: V8 reads the properties of copies made by a spread several times more slowly. */
function stateFor(subscriber: Subscriber, from: Omit<CheckState, 'subscriber'>): CheckState {
  const { health, own, lastAt, noVerdicts, recent, remembered } = from
  return { subscriber, health, own, lastAt, noVerdicts, recent, remembered }
}

function unknownState(now: number, remembered: CheckState['remembered']): Omit<CheckState, 'subscriber'> {
  const recent = new RecentResults()
  return { health: unknownHealth(now), own: null, lastAt: null, noVerdicts: null, recent, remembered }
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
