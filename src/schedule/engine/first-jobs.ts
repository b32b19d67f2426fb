/**
 * Jobs that the engine's thread runs since before the director was loaded, and that it has not asked for yet. What it asks for in the
 * same way is taken as it runs, with its last result: several that are some time old must not decide at once.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Timing } from '../executor.js'
import { type FirstOrders, numberAt, placeOf } from './first-orders.js'
import type { EngineWork, FullResult } from './protocol.js'

export interface RunningJob {
  readonly number: number
  readonly place: number
  /** True if it is the work that was asked for, at the same interval. */
  readonly isSame: boolean
  readonly last: FullResult | null
}

interface First {
  readonly work: EngineWork
  readonly timing: Timing
  readonly number: number
  last: FullResult | null
}

export class FirstJobs {
  readonly #byId = new Map<string, First>()
  readonly #byNumber = new Map<number, string>()

  constructor(first: FirstOrders | null) {
    for (const [i, { id, work, timing }] of (first?.jobs ?? []).entries()) {
      this.#byId.set(id, { work, timing, number: numberAt(i), last: null })
      this.#byNumber.set(numberAt(i), id)
    }
  }

  /** Numbers and places that the thread uses. */
  get count(): number {
    return this.#byId.size
  }

  /** Returns the job that runs by this name, which is not kept here any more; null: none does. */
  take(id: string, work: EngineWork, timing: Timing): RunningJob | null {
    const first = this.#byId.get(id)
    if (!first) return null
    this.#remove(id, first.number)
    const isSame = isSameTiming(first.timing, timing) && isDeepStrictEqual(first.work, work)
    return { number: first.number, place: placeOf(first.number), isSame, last: first.last }
  }

  /** Keeps a result for the one who takes the job. */
  hold(result: FullResult): void {
    const first = this.#firstOf(result.job)
    if (first) first.last = result
  }

  /** The thread does not run the job any more. */
  forget(number: number): void {
    const id = this.#byNumber.get(number)
    if (id !== undefined) this.#remove(id, number)
  }

  /** Returns the numbers of all that are left, which are not kept any more. */
  clear(): readonly number[] {
    const left = [...this.#byNumber.keys()]
    this.#byId.clear()
    this.#byNumber.clear()
    return left
  }

  #firstOf(number: number): First | undefined {
    return this.#byId.get(this.#byNumber.get(number) ?? '')
  }

  #remove(id: string, number: number): void {
    this.#byId.delete(id)
    this.#byNumber.delete(number)
  }
}

/** The first start of both is now. */
function isSameTiming(one: Timing, other: Timing): boolean {
  const isNow = one.firstIn === 0 && other.firstIn === 0
  return isNow && one.interval === other.interval && one.timeout === other.timeout && other.grid === undefined
}
