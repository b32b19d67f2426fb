/** Result of reading by the schema: values of the right types with their positions. */
import type { z } from '../../check/option-types.js'
import { closestMatch } from '../../util/closest-match.js'
import type { Position } from '../problems/problem.js'
import type { RawEntry } from '../raw.js'
import type { Sort } from './sorts.js'

export type Shape = Readonly<Record<string, z.ZodType>>

declare const reading: unique symbol
/**
 * A type that is read by its form (`schema/forms.ts`) into R. Its output type in zod only describes the JSON Schema.
 */
export interface Formed<R> {
  readonly [reading]: R
}

/** Type of the value that the form of a type is read into; never if the type has no form. */
export type FormedAs<T> =
  T extends Formed<infer R>
    ? R
    : T extends z.ZodOptional<infer I> | z.ZodPipe<infer I, z.core.$ZodType>
      ? FormedAs<I>
      : never

/** Type of the value that a value of this type is read into. */
export type Read<T extends z.ZodType> = [FormedAs<T>] extends [never] ? z.output<T> : FormedAs<T>

/** A mapping that cannot be read yet, because other layers determine its remaining keys. */
export interface Unread {
  readonly at: Position
  readonly entries: readonly RawEntry[]
}

/** Entries among which a search is cheaper than a Map: that of a real server would be made for nothing. */
const FEW = 8

/** A mapping that has been read. */
export class Fields<S extends Shape> {
  /** The valid values. An invalid value is absent. */
  readonly values: { readonly [K in keyof S]?: Read<S[K]> }
  /** Position of the mapping, or of the key before it. */
  readonly at: Position
  /** The sort of mappings that this one belongs to, if its values are right. */
  readonly sort: Sort | null
  /** Those of a short form are made when something is wrong with it. */
  readonly #entries: readonly RawEntry[] | (() => readonly RawEntry[])
  /** The entry of a short form that is known before. */
  readonly #own: RawEntry | undefined
  readonly #shape: S
  /** The entries of a mapping with many. */
  #byKey: ReadonlyMap<string, RawEntry> | undefined

  constructor(
    values: Fields<S>['values'],
    at: Position,
    entries: readonly RawEntry[] | (() => readonly RawEntry[]),
    shape: S,
    sort: Sort | null = null,
    own?: RawEntry,
  ) {
    this.values = values
    this.at = at
    this.sort = sort
    this.#entries = entries
    this.#own = own
    this.#shape = shape
  }

  /** Returns the entry as written, valid or not; undefined if the key is absent. */
  entry(key: keyof S & string): RawEntry | undefined {
    if (this.#own?.key === key) return this.#own
    const entries = this.#all()
    if (entries.length <= FEW) return entries.findLast(entry => entry.key === key)
    this.#byKey ??= new Map(entries.map(entry => [entry.key, entry]))
    return this.#byKey.get(key)
  }

  /** Returns the position of the key's value, or of the mapping if the key is absent. */
  valueAt(key: keyof S & string): Position {
    return this.entry(key)?.value.at ?? this.at
  }

  /** Returns the position of the key, or of the mapping if the key is absent. */
  keyAt(key: keyof S & string): Position {
    return this.entry(key)?.keyAt ?? this.at
  }

  /** Returns the position of an item in the key's list, or of the value if it is no list. */
  itemAt(key: keyof S & string, index: number): Position {
    const node = this.entry(key)?.value
    return (node?.kind === 'list' && node.items[index]?.at) || this.valueAt(key)
  }

  /** True if an unknown key is probably a misspelling of this one. The key is then not reported as missing. */
  isMisspelt(key: keyof S & string): boolean {
    return isMisspelt(key, this.#all(), Object.keys(this.#shape))
  }

  #all(): readonly RawEntry[] {
    return typeof this.#entries === 'function' ? this.#entries() : this.#entries
  }
}

/** Limit of unknown keys that are compared, to bound the time. */
const MOST_SLIPS = 100

/** True if the closest known word to one of the unknown keys is `wanted`. */
export function isMisspelt(wanted: string, entries: readonly RawEntry[], words: readonly string[]): boolean {
  const unknown = entries.filter(({ key }) => !words.includes(key)).slice(0, MOST_SLIPS)
  return unknown.some(({ key }) => closestMatch(key, words) === wanted)
}
