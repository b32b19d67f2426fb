/**
 * What becomes of the states of checks with the next configuration. It follows from both configurations alone, not from results,
 * so it is made in time slices before the configuration takes effect. Pure.
 */
import { unknownHealth } from '../core/health.js'
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import type { Sliced } from '../util/time-slice.js'
import { type CheckState, NO_RESULT, PreviousStates } from './check-state.js'
import type { Subscriber } from './jobs.js'
import { RecentResults } from './recent-results.js'

export interface ChangedChecks {
  readonly gone: readonly Subscriber[]
  /** In the order of the configuration. */
  readonly fresh: readonly Subscriber[]
  /** All services of the configuration, in its order. */
  readonly services: readonly ResolvedService[]
  /** True if services that stay have changed their places. */
  readonly areMoved: boolean
}

/** A new state. */
export interface Heir {
  readonly state: CheckState
  /** The state of the same check before: service, real server, target, kind and options are the same; null without one. */
  readonly old: CheckState | null
  /** True if an earlier run of lvsd may have known it. */
  readonly mayBeRecalled: boolean
}

export interface CheckSuccession {
  readonly changed: ChangedChecks
  /** States that go on as they are, by their next subscriber. */
  readonly staying: ReadonlyMap<Subscriber, CheckState>
  readonly left: ReadonlySet<CheckState>
  /** In the order of the configuration. */
  readonly heirs: readonly Heir[]
}

type StatesOf = (real: ResolvedReal) => readonly CheckState[]

/** Checks that are one step. */
const STEP = 32
const START: ReturnType<typeof unknownHealth> = unknownHealth(0)

/** `statesOf` returns the states of a real server before. */
export function* succeeding(
  changed: ChangedChecks,
  statesOf: StatesOf,
  mayRecall: (subscriber: Subscriber) => boolean,
): Sliced<CheckSuccession> {
  const staying = yield* stayingIn(changed, statesOf)
  const stayed = new Set(staying.values())
  const left = new Set<CheckState>()
  for (const [i, subscriber] of changed.gone.entries()) {
    const state = statesOf(subscriber.real).find(one => one.subscriber === subscriber)
    if (state && !stayed.has(state)) left.add(state)
    if (i % STEP === 0) yield
  }
  const known = yield* PreviousStates.of(left)
  const heirs: Heir[] = []
  for (const [i, subscriber] of changed.fresh.entries()) {
    if (i % STEP === 0) yield
    if (staying.has(subscriber)) continue
    const old = known.like(subscriber) ?? null
    heirs.push({ state: heirOf(subscriber, old), old, mayBeRecalled: !old && mayRecall(subscriber) })
  }
  return { changed, staying, left, heirs }
}

/** Of one shape for all checks: V8 reads the properties of copies made by a spread several times more slowly. */
function heirOf(subscriber: Subscriber, old: CheckState | null): CheckState {
  const recent = old?.recent ?? new RecentResults()
  return {
    subscriber,
    health: START,
    own: null,
    lastAt: NO_RESULT,
    noVerdicts: null,
    recent,
    remembered: null,
  }
}

/**
 * Gives states to fresh subscribers whose real server is the same object with the same checks, in a service of the same
 * name and address: of thousands of servers of a service, most stay.
 */
function* stayingIn(
  { gone: allGone, fresh }: ChangedChecks,
  statesOf: StatesOf,
): Sliced<Map<Subscriber, CheckState>> {
  const gone = new Set(allGone)
  const staying = new Map<Subscriber, CheckState>()
  for (let at = 0, count = 0; at < fresh.length; count++) {
    if (count % STEP === 0) yield
    const end = endOfReal(fresh, at)
    const states = statesOf((fresh[at] as Subscriber).real)
    if (areSameChecks(states, fresh, at, end, gone))
      for (const state of states) {
        // No other one takes it.
        gone.delete(state.subscriber)
        staying.set(fresh[at++] as Subscriber, state)
      }
    at = end
  }
  return staying
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
