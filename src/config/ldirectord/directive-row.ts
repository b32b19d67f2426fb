/** A row in the table of directives: the scope of a directive, the parser of its value, and the keys that it sets. */

import type { Located } from './text-span.js'
import type { Leaf, Value } from './tree.js'
import type { ValueParser } from './values.js'
import type { GlobalPart, Virtual } from './virtual.js'

export type Scope = 'global' | 'virtual' | 'both'
type Scalar = string | number | boolean | null

/** The keys that a directive sets in lvsd's configuration: below `settings`, `defaults` or the service. */
export interface Target<T = unknown> {
  /** Paths of keys, such as `check.interval`. */
  readonly paths: readonly string[]
  /** Returns the values of the keys. `given`: the value of the directive in this part, or ldirectord's default. */
  leaves(given: Located<T> | undefined, part: GlobalPart | Virtual): readonly Leaf[]
}

export interface DirectiveRow<T> {
  readonly scope: Scope
  readonly read: ValueParser<T>
  /** Empty if lvsd does not use the directive. `needless` or `commandOnly` then gives the reason. */
  readonly becomes: readonly Target<T>[]
  /** ldirectord's default, if that of lvsd differs. If the directive may be global, it is set once for all services. */
  readonly default?: T
  /** Returns why lvsd does not need the directive, or null. */
  needless?(value: T): string | null
  /** What `lvsd run` does instead, if only the command ldirectord uses the directive. */
  readonly commandOnly?: string
  /** Warning for each use of a deprecated directive. */
  readonly deprecated?: string
  /** Value of the directive without `=`. */
  readonly bareValue?: T
}

type Extras<T> = Omit<DirectiveRow<T>, 'scope' | 'read' | 'becomes'>

export function directive<T>(
  scope: Scope,
  read: ValueParser<T>,
  becomes: Target<NoInfer<T>> | readonly Target<NoInfer<T>>[],
  extras: Extras<NoInfer<T>> = {},
): DirectiveRow<T> {
  return { scope, read, becomes: [becomes].flat(), ...extras }
}

/** For a directive that sets no key. */
export const NOTHING: readonly Target<never>[] = []

type Change<T> = (given: Located<T>, part: GlobalPart | Virtual) => Value

/** Sets these keys to the value, or to the result of `change`. An empty text or null sets nothing. */
export function path(keys: string): Target<Scalar>
export function path<T>(keys: string | readonly string[], change: Change<T>): Target<T>
export function path<T>(
  keys: string | readonly string[],
  change: Change<T> = ({ value }) => value as Scalar,
): Target<T> {
  const paths = [keys].flat()
  return {
    paths,
    leaves(given, part) {
      if (!given) return []
      const value = change(given, part)
      return paths.map(path => ({ path, value: value === '' ? null : value, at: given.at }))
    },
  }
}

/** Sets the key to a value that depends on several directives of a virtual, whether or not this one is present. */
export function derived(key: string, of: (virtual: Virtual) => Located<Value> | null): Target {
  return {
    paths: [key],
    leaves(_, part) {
      const found = part.scope === 'virtual' ? of(part) : null
      return found ? [{ path: key, ...found }] : []
    },
  }
}

/** Sets an option of the check, if the kind has it. `of`: computes the value from several directives. */
export function option<T = Scalar>(
  name: string,
  {
    of,
    isSecret = false,
  }: { readonly of?: (virtual: Virtual) => Located<Value> | null; readonly isSecret?: boolean } = {},
): Target<T> {
  const key = `check.${name}`
  const target = of ? derived(key, of) : path(key)
  return {
    paths: [key],
    leaves(given, part) {
      if (part.scope === 'global') return []
      const leaves = target.leaves(given as Located<Scalar>, part)
      const isKnown = part.options.has(name)
      if (given && !isKnown)
        part.report.note(
          'UNUSED',
          given.at,
          `${name} has no effect: a check by ${part.kind} does not use it, with ldirectord either`,
        )
      else if (given && isSecret)
        part.report.note(
          'SECRET',
          given.at,
          `the password can be read by everyone who can read this file; in YAML ${name}: { file: PATH } or { env: NAME } keeps it elsewhere`,
        )
      return isKnown ? leaves : []
    },
  }
}
