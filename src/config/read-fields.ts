/** One mapping of the raw tree, read by the types of its keys. Every wrong key and value is told; the right ones count. */
import type { OptionShape } from '../check/option-kit.js'
import { markOf, type z } from '../check/option-types.js'
import { closestMatch, didYouMean } from '../util/closest-match.js'
import { hintFor } from './problems/hints.js'
import type { Position } from './problems/problem.js'
import type { Report } from './problems/report.js'
import { reportIssue } from './problems/report-issue.js'
import { plain, type RawEntry, type RawNode, sortOf } from './raw.js'

/** What was read: values of the right type by key, and where each stands. */
export interface Fields<S extends OptionShape> {
  readonly values: { readonly [K in keyof S]?: z.output<S[K]> }
  /** The mapping itself, or the key before it. */
  readonly at: Position
  /** The entry as written, right or wrong; undefined where the key is absent. */
  entry(key: keyof S): RawEntry | undefined
  /** Where the key's value stands; the mapping itself where it is absent. */
  valueAt(key: keyof S): Position
  /** Where the key stands; the mapping itself where it is absent. */
  keyAt(key: keyof S): Position
  /** True where an unknown key looks like this one: then it is not missing as well. */
  isMisspelt(key: keyof S & string): boolean
}

export interface ReadHow<S extends OptionShape> {
  /** What the mapping is, for messages: "a service". */
  readonly what: string
  /** Where to point for what is missing. */
  readonly at: Position
  /** Keys whose values are read elsewhere, because they have a structure of their own. */
  readonly structured?: readonly (keyof S)[]
  /** More words that an unknown key may have been meant for. */
  readonly also?: readonly string[]
}

export function readFields<S extends OptionShape>(
  entries: readonly RawEntry[],
  shape: S,
  how: ReadHow<S>,
  report: Report,
): Fields<S> {
  const known = new Map(entries.map(entry => [entry.key, entry]))
  const values: Record<string, unknown> = {}
  for (const entry of entries) {
    const type = Object.hasOwn(shape, entry.key) ? shape[entry.key] : undefined
    if (!type) tellUnknownKey(entry, shape, how, report)
    else if (!how.structured?.includes(entry.key)) {
      const read = readValue(entry, type, report)
      if (read) values[entry.key] = read.value
    }
  }
  const entry = (key: keyof S) => known.get(String(key))
  return {
    values: values as Fields<S>['values'],
    at: how.at,
    entry,
    valueAt: key => entry(key)?.value.at ?? how.at,
    keyAt: key => entry(key)?.keyAt ?? how.at,
    isMisspelt: key => isMisspelt(key, entries, Object.keys(shape)),
  }
}

/** Unknown words that are looked at: nobody misspells more. */
const MOST_SLIPS = 100

/** True where one of the entries is no known word, and the wanted one is the nearest. */
export function isMisspelt(wanted: string, entries: readonly RawEntry[], words: readonly string[]): boolean {
  const unknown = entries.filter(({ key }) => !words.includes(key)).slice(0, MOST_SLIPS)
  return unknown.some(({ key }) => closestMatch(key, words) === wanted)
}

/** The value in its type, or null where it is wrong, which has been told. */
export function readValue<T extends z.ZodType>(
  entry: RawEntry,
  type: T,
  report: Report,
): { readonly value: z.output<T> } | null {
  if (isNothing(entry.value)) {
    report.error('WRONG_TYPE', entry.keyAt, `"${entry.key}" has no value`)
    return null
  }
  const parsed = type.safeParse(plain(entry.value))
  if (parsed.success) return { value: parsed.data }
  const isSecret = markOf(type).secret !== undefined
  for (const issue of parsed.error.issues) reportIssue(entry, issue, isSecret, report)
  return null
}

export function isNothing(node: RawNode): boolean {
  return node.kind === 'scalar' && node.value === null
}

/** The mapping's entries; tells and returns null where the value is something else. */
export function mapEntries(entry: RawEntry, what: string, report: Report): readonly RawEntry[] | null {
  if (entry.value.kind === 'map') return entry.value.entries
  if (isNothing(entry.value))
    report.error('WRONG_TYPE', entry.keyAt, `"${entry.key}" has no value: expected ${what}`)
  else
    report.error('WRONG_TYPE', entry.value.at, `"${entry.key}" must be ${what}, not ${sortOf(entry.value)}`)
  return null
}

/** How a person would call a value. */
function tellUnknownKey<S extends OptionShape>(
  entry: RawEntry,
  shape: S,
  how: ReadHow<S>,
  report: Report,
): void {
  const candidates = [...Object.keys(shape), ...(how.also ?? [])]
  const advice = () => hintFor(entry.key, how.what) ?? didYouMean(entry.key, candidates)
  report.error('UNKNOWN_KEY', entry.keyAt, () => `"${entry.key}" is not a key of ${how.what}${advice()}`)
}
