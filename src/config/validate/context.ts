/** What every rule of the configuration is given. */

import type { Check } from '../../check/check.js'
import type { OptionShape } from '../../check/option-kit.js'
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
  /** What this machine knows of names without asking anybody. */
  readonly hosts: Hosts | null
  /** A check's option types, made once per kind. */
  optionsOf(check: Check): OptionShape
  /** What this machine lacks for a check with these options; looked for once, however many servers have it. */
  missingOf(check: Check, options: Readonly<Record<string, unknown>>): string | null
  /** Notes what a user's file has to be asked about, once all is read; `at` is where its answer is to stand. */
  askApart(question: Question<PlaceOf>): void
  /** Notes that a check of this kind is wanted, whether there is one or not. */
  useKind(name: string): void
}

/** The place of a sentence on the options of a check. */
export type PlaceOf = (sentence: string) => Position

export type ServiceFields = Fields<typeof serviceFields>
export type DefaultsFields = Fields<typeof defaultsFields>

/** What a real server's rules need to know of its service. Null where that is unknown or wrong. */
export interface ServiceFacts {
  readonly name: string
  readonly family: Family | null
  readonly port: number | null
  readonly protocol: string
  /** All protocols of the service that stands in the configuration, this one among them. */
  readonly protocols: readonly string[]
  readonly isFwmark: boolean
}
