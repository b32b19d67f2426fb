/** What reading by the schema gives: values of the right types, each with its place. */
import type { z } from '../../check/option-types.js'
import { closestMatch } from '../../util/closest-match.js'
import type { Position } from '../problems/problem.js'
import type { RawEntry } from '../raw.js'

export type Shape = Readonly<Record<string, z.ZodType>>

declare const reading: unique symbol
/** A type that is read by its form (`schema/forms.ts`), to R. The output of zod is what its JSON Schema describes. */
export interface Formed<R> {
  readonly [reading]: R
}

/** What the form of a type reads; never if it has none. */
export type FormedAs<T> =
  T extends Formed<infer R>
    ? R
    : T extends z.ZodOptional<infer I> | z.ZodPipe<infer I, z.core.$ZodType>
      ? FormedAs<I>
      : never

/** What reading a value of the type gives. */
export type Read<T extends z.ZodType> = [FormedAs<T>] extends [never] ? z.output<T> : FormedAs<T>

/** A mapping that is not read yet, since other layers give the rest of it. */
export interface Unread {
  readonly at: Position
  readonly entries: readonly RawEntry[]
}

/** A mapping that was read. */
export class Fields<S extends Shape> {
  /** The right values; a wrong one is absent. */
  readonly values: { readonly [K in keyof S]?: Read<S[K]> }
  /** The mapping itself, or the key before it. */
  readonly at: Position
  readonly #entries: ReadonlyMap<string, RawEntry>
  readonly #shape: S

  constructor(values: Fields<S>['values'], at: Position, entries: readonly RawEntry[], shape: S) {
    this.values = values
    this.at = at
    this.#entries = new Map(entries.map(entry => [entry.key, entry]))
    this.#shape = shape
  }

  /** The entry as written, right or wrong; undefined if the key is absent. */
  entry(key: keyof S & string): RawEntry | undefined {
    return this.#entries.get(key)
  }

  /** Where the value of the key stands; the mapping itself if it is absent. */
  valueAt(key: keyof S & string): Position {
    return this.entry(key)?.value.at ?? this.at
  }

  /** Where the key stands; the mapping itself if it is absent. */
  keyAt(key: keyof S & string): Position {
    return this.entry(key)?.keyAt ?? this.at
  }

  /** Where an item of the list below the key stands; the value if it is no list. */
  itemAt(key: keyof S & string, index: number): Position {
    const node = this.entry(key)?.value
    return (node?.kind === 'list' && node.items[index]?.at) || this.valueAt(key)
  }

  /** True if an unknown key looks like this one: then it is not missing as well. */
  isMisspelt(key: keyof S & string): boolean {
    return isMisspelt(key, [...this.#entries.values()], Object.keys(this.#shape))
  }
}

/** Unknown words that are looked at: nobody misspells more. */
const MOST_SLIPS = 100

/** True if one of the entries is no known word, and the wanted one is the nearest. */
export function isMisspelt(wanted: string, entries: readonly RawEntry[], words: readonly string[]): boolean {
  const unknown = entries.filter(({ key }) => !words.includes(key)).slice(0, MOST_SLIPS)
  return unknown.some(({ key }) => closestMatch(key, words) === wanted)
}
