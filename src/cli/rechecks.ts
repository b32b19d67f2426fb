/** Follows the results of a recheck, until each real server has decided. Pure. */
import type { RecheckedReal } from '../api/recheck-types.js'

/** One result of one check of a real server. */
export interface Rechecked {
  readonly real: RecheckedReal
  readonly check: RecheckedReal['checks'][number] | null
}

export class Rechecks {
  /** The time of the last result that was taken. */
  after: number
  readonly #count: number
  readonly #byName = new Map<string, RecheckedReal>()

  /** `count`: number of real servers. */
  constructor(after: number, count: number) {
    this.after = after
    this.#count = count
  }

  /** Takes an answer. Returns what is new in it, in the order of time. */
  take(reals: readonly RecheckedReal[]): readonly Rechecked[] {
    const fresh: Rechecked[] = []
    for (const real of reals) {
      const key = `${real.service}/${real.real}`
      const known = this.#byName.get(key)
      if (!known && real.count === 0) fresh.push({ real, check: null })
      for (const check of real.checks) fresh.push({ real, check })
      this.#byName.set(key, { ...real, checks: merged(known?.checks ?? [], real.checks) })
    }
    this.after = Math.max(this.after, ...fresh.map(({ check }) => check?.at ?? 0))
    return fresh.sort((a, b) => (a.check?.at ?? 0) - (b.check?.at ?? 0))
  }

  /** The real servers with all their last results. */
  get reals(): readonly RecheckedReal[] {
    return [...this.#byName.values()]
  }

  /** True if each check has a result, and no further one is needed for a decision. */
  get isComplete(): boolean {
    const decided = this.reals.filter(
      ({ checks, count, isChanging }) => checks.length === count && !isChanging,
    )
    return decided.length >= this.#count
  }
}

type Checks = RecheckedReal['checks']

function merged(known: Checks, fresh: Checks): Checks {
  return [...known.filter(({ index }) => !fresh.some(each => each.index === index)), ...fresh]
}
