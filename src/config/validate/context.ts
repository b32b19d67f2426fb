/** Context of all validation rules. */

import type { Check } from '../../check/check.js'
import type { OptionShape } from '../../check/option-kit.js'
import type { OptionProblem } from '../../check/option-problem.js'
import type { Family } from '../../core/address.js'
import type { Question } from '../../kinds/judge-apart.js'
import type { Hosts } from '../../names/hosts.js'
import type { Dialect } from '../dialect.js'
import type { PortLookup } from '../ports.js'
import type { Position } from '../problems/problem.js'
import type { Fields } from '../read/fields.js'
import type { ReadContext } from '../read/read-context.js'
import type { defaultsFields, serviceFields } from '../schema/schema.js'

export interface Context extends ReadContext {
  readonly dialect: Dialect
  readonly checks: ReadonlyMap<string, Check>
  readonly ports: PortLookup
  /** Addresses of names that this machine knows without a look-up (/etc/hosts), or null. */
  readonly hosts: Hosts | null
  /** Returns the types of a check's options. The result is cached by kind. */
  optionsOf(check: Check): OptionShape
  /**
   * Returns what this machine lacks for a check with these options, or null. The result is cached by kind and options.
   */
  missingOf(check: Check, options: Readonly<Record<string, unknown>>): string | null
  /**
   * Records a question for a user's file. It is asked after the whole configuration is read; `at` gives the position of
   * a problem.
   */
  askApart(question: Question<PlaceOf>): void
  /** Drafts of checks that have been read, so that those of `defaults` that no service uses can be judged, too. */
  readonly judged: WeakSet<object>
  /** Records that the configuration uses a kind of this name, whether or not the kind exists. */
  useKind(name: string): void
}

/** Returns the position of a problem with the options of a check. */
export type PlaceOf = (path: OptionProblem['path']) => Position

export type ServiceFields = Fields<typeof serviceFields>
export type DefaultsFields = Fields<typeof defaultsFields>

/** Properties of a service that the rules of its real servers need. Null if unknown or invalid. */
export interface ServiceFacts {
  readonly name: string
  /** Of several addresses, that of the first. */
  readonly family: Family | null
  /** Families of all addresses of the service, if it has several. */
  readonly families?: readonly Family[]
  readonly port: number | null
  readonly protocol: string
  /** All protocols of the service in the configuration, including this one. */
  readonly protocols: readonly string[]
  readonly isFwmark: boolean
}
