/** What is known of each check of each real server, and what of it goes over into the next configuration. */

import type { Health, NoVerdicts, Real } from '../core/model.js'
import type { Subscriber } from './jobs.js'

/** The health of one check of one real server. */
export interface CheckState {
  readonly subscriber: Subscriber
  health: Health
  /** Of the last result, milliseconds of the steady clock, or null. */
  lastAt: number | null
  /** Null while the last run gave a verdict. */
  noVerdicts: NoVerdicts | null
}

/**
 * What was known under the last configuration, by service and real server. A service is the same one by what the kernel
 * calls it, else by its name: one with a new name or a new address keeps its health.
 */
export class PreviousStates {
  readonly #byKey = new Map<string, Map<string, CheckState[]>>()
  readonly #byName = new Map<string, Map<string, CheckState[]>>()

  constructor(checkStates: readonly CheckState[]) {
    for (const checkState of checkStates) {
      const { service, serviceKey, real } = checkState.subscriber
      const ofService = this.#byKey.get(serviceKey) ?? new Map<string, CheckState[]>()
      this.#byKey.set(serviceKey, ofService)
      this.#byName.set(service.name, ofService)
      entry(ofService, placeOf(real)).push(checkState)
    }
  }

  /** The checkState of the same checkKey to the same server of the same service. */
  like({ service, serviceKey, real, checkKey }: Subscriber): CheckState | undefined {
    const find = (ofService: Map<string, CheckState[]> | undefined) =>
      ofService?.get(placeOf(real))?.find(({ subscriber }) => subscriber.checkKey === checkKey)
    return find(this.#byKey.get(serviceKey)) ?? find(this.#byName.get(service.name))
  }
}

function placeOf({ host, port }: Real): string {
  return `${host} ${port}`
}

/** The list of a key; an empty one where there is none yet. */
export function entry<K, V>(map: Map<K, V[]>, key: K): V[] {
  const list = map.get(key) ?? []
  map.set(key, list)
  return list
}
