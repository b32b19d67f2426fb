/** State of each check of each real server, and how it is carried over to the next configuration. */

import { keysOfKernel } from '../core/kernel-services.js'
import type { CheckResult, Health, HealthState, NoVerdicts, Real } from '../core/model.js'
import { eachInSteps, type Sliced } from '../util/time-slice.js'
import type { Subscriber } from './jobs.js'
import type { RecentResults } from './recent-results.js'

/** In place of a time, and a fraction as times are: V8 writes these in place, where for a null before it makes an object each time. */
export const NO_RESULT = Number.NEGATIVE_INFINITY

/** The health of a check in an earlier run. Times are milliseconds of the steady clock of this run. */
export interface RememberedHealth {
  readonly state: HealthState
  readonly since: number
  readonly last: CheckResult | null
  readonly lastAt: number | null
}

/** The health of one check of one real server. */
export interface CheckState {
  /** Another one after a reload that changes the service alone. */
  subscriber: Subscriber
  health: Health
  /** Time of the last result in milliseconds of the steady clock; `NO_RESULT` before the first one. */
  lastAt: number
  /** Consecutive runs without a verdict; null if the last run gave a verdict. */
  noVerdicts: NoVerdicts | null
  /** What this director itself finds, if several directors share the check; null: that is `health`. */
  own: Health | null
  /** The last results, for people. */
  readonly recent: RecentResults
  /** What an earlier run of lvsd knew, until this one has a state of its own; else null. */
  remembered: RememberedHealth | null
}

/**
 * Check states of the previous configuration, by service and real server. A service is identified by its key in the
 * kernel, or else by its name, so that a service with a new name or a new address keeps its health.
 */
export class PreviousStates {
  readonly #byKey = new Map<string, Map<string, CheckState[]>>()
  readonly #byName = new Map<string, Map<string, CheckState[]>>()

  /** Made in time slices. */
  static *of(checkStates: Iterable<CheckState>): Sliced<PreviousStates> {
    const previous = new PreviousStates()
    yield* eachInSteps(checkStates, state => previous.#add(state))
    return previous
  }

  #add(checkState: CheckState): void {
    const { service, serviceKey, real } = checkState.subscriber
    const ofService = this.#byKey.get(serviceKey) ?? new Map<string, CheckState[]>()
    this.#byKey.set(serviceKey, ofService)
    // Each may be a service of its own next.
    if (service.also) for (const key of keysOfKernel(service)) this.#byKey.set(key, ofService)
    this.#byName.set(service.name, ofService)
    append(ofService, placeOf(real), checkState)
  }

  /** Returns the previous state of the same check (`checkKey`) of the same real server and service. */
  like({ service, serviceKey, real, checkKey }: Subscriber): CheckState | undefined {
    const find = (ofService: Map<string, CheckState[]> | undefined) =>
      ofService?.get(placeOf(real))?.find(({ subscriber }) => subscriber.checkKey === checkKey)
    const known = find(this.#byKey.get(serviceKey)) ?? find(this.#byName.get(service.name))
    if (known || !service.also) return known
    // A further address may have been a service of its own before.
    return keysOfKernel(service).flatMap(key => find(this.#byKey.get(key)) ?? [])[0]
  }
}

function placeOf({ host, port }: Real): string {
  return `${host} ${port}`
}

/** Appends to the list of the key, and returns it. Most lists stay with one item, for which `push` would reserve 17 places. */
export function append<K, V>(map: Map<K, V[]>, key: K, value: V): V[] {
  const list = map.get(key)
  if (list) {
    list.push(value)
    return list
  }
  const fresh = [value]
  map.set(key, fresh)
  return fresh
}
