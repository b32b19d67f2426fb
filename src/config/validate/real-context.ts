/** What the rules of a real server are given. */
import type { CheckUse } from '../../core/model.js'
import type { Draft } from './checks.js'
import type { Context, DefaultsFields, ServiceFacts, ServiceFields } from './context.js'

/** What the real servers of one service have in common. */
export interface RealContext extends Context {
  readonly facts: ServiceFacts
  readonly own: ServiceFields
  readonly defaults: DefaultsFields
  readonly drafts: readonly Draft[] | null
  /** The service's own checks as read; for real servers that say nothing of checks. */
  readonly uses: readonly CheckUse[]
  /** False where one of them is wrong. */
  readonly usesAreRight: boolean
}
