/** A row of the table of directives: where a directive may stand, how its value reads, and what it becomes. */

import type { Located } from './text-span.js'
import type { Leaf, Value } from './tree.js'
import type { ValueParser } from './values.js'
import type { GlobalPart, Virtual } from './virtual.js'

export type Scope = 'global' | 'virtual' | 'both'
type Scalar = string | number | boolean | null

/** What a directive becomes: a key of lvsd's configuration, below `settings`, or else below `defaults` or the service. */
export interface Target<T = unknown> {
  /** The paths of keys: `check.interval`. */
  readonly paths: readonly string[]
  /** What is put there. `given`: the value of the directive in this part, or ldirectord's default. */
  leaves(given: Located<T> | undefined, part: GlobalPart | Virtual): readonly Leaf[]
}

export interface DirectiveRow<T> {
  readonly scope: Scope
  readonly read: ValueParser<T>
  /** Nothing where lvsd has no use for it; `needless` or `commandOnly` then says why. */
  readonly becomes: readonly Target<T>[]
  /** ldirectord's own, where lvsd has another: of a global directive for all services. */
  readonly default?: T
  /** Why lvsd does not need it, where it does not. */
  needless?(value: T): string | null
  /** What lvsd run does, where the directive is for the command ldirectord alone. */
  readonly commandOnly?: string
  /** What is told wherever it stands. */
  readonly deprecated?: string
  /** Its value where it stands without `=`. */
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

/** What is put nowhere. */
export const NOTHING: readonly Target<never>[] = []

type Change<T> = (given: Located<T>, part: GlobalPart | Virtual) => Value

/** The value, or what `change` makes of it, goes to these keys. An empty text and null are no value. */
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

/** The key has a value that follows from several directives of a virtual, whether this one is written or not. */
export function derived(key: string, of: (virtual: Virtual) => Located<Value> | null): Target {
  return {
    paths: [key],
    leaves(_, part) {
      const found = part.scope === 'virtual' ? of(part) : null
      return found ? [{ path: key, ...found }] : []
    },
  }
}

/** An option of the check, where its kind has that. `of`: where it follows from several directives. */
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
          `whoever may read this file reads the password; in YAML ${name}: { file: PATH } or { env: NAME } keeps it elsewhere`,
        )
      return isKnown ? leaves : []
    },
  }
}
