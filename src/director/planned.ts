/** The changes that a configuration would make. Pure. */
import { desired } from '../core/desired.js'
import { diff } from '../core/diff.js'
import type {
  Change,
  HealthState,
  ResolvedConfig,
  ResolvedReal,
  ResolvedService,
  Table,
} from '../core/model.js'
import { disposition, type Override } from '../core/override.js'
import { Doubtful, type Doubts } from '../names/unresolved-names.js'

/** State before the plan: the actual table, keys of owned services, names in doubt, overrides and their time. */
export interface Before {
  readonly actual: Table
  readonly owned: ReadonlySet<string>
  readonly doubts?: Doubts
  readonly overrides?: ReadonlyMap<ResolvedReal, Override>
  /** Milliseconds of the wall clock. */
  readonly now?: number
}

/** Returns the changes that a configuration would make if the real servers had these states. */
export function planned(
  { services }: ResolvedConfig,
  stateOf: (service: ResolvedService, real: ResolvedReal) => HealthState,
  { actual, owned, doubts = new Map(), overrides = new Map(), now = Date.now() }: Before,
): Change[] {
  const doubtful = new Doubtful()
  doubtful.follow(services, doubts)
  const untouched = doubtful.untouched(actual)
  return diff(
    desired(
      services,
      (service, real) =>
        disposition({
          checked: stateOf(service, real),
          advised: real.attributes.weight,
          override: overrides.get(real) ?? null,
          at: now,
        }),
      actual,
      (...question) => doubtful.mayBe(...question),
    ),
    actual,
    new Set([...owned].filter(key => !untouched.has(key))),
  )
}
