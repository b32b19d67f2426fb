/** Context of the rules for real servers. */
import type { CheckPath, CheckUse, RealAttributes } from '../../core/model.js'
import type { Sort } from '../read/sorts.js'
import type { Draft } from './check-drafts.js'
import type { Context, DefaultsFields, ServiceFacts, ServiceFields } from './context.js'

/** What follows from all of a real server but its address. */
export interface SharedByReals {
  readonly attributes: RealAttributes
  readonly checks: { readonly uses: readonly CheckUse[]; readonly need: number }
}

/** Values that all real servers of a service share. */
export interface RealContext extends Context {
  readonly facts: ServiceFacts
  readonly own: ServiceFields
  readonly defaults: DefaultsFields
  /** Which way checks go that do not say otherwise. */
  readonly path: CheckPath
  readonly drafts: readonly Draft[] | null
  /** Checks of the service, for real servers without keys for checks. */
  readonly uses: readonly CheckUse[]
  /** False if one of these checks is invalid. */
  readonly usesAreRight: boolean
  /** What real servers of a sort share, if there was nothing wrong with it. */
  readonly bySort: Map<Sort, SharedByReals>
}
