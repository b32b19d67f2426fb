/** Context of the rules for real servers. */
import type { CheckPath, CheckUse } from '../../core/model.js'
import type { Draft } from './check-drafts.js'
import type { Context, DefaultsFields, ServiceFacts, ServiceFields } from './context.js'

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
}
