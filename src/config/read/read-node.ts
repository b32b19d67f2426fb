/**
 * Reads the raw tree by the schema: each value by its type, each mapping and list by its form. All errors are reported
 * at their positions, and valid values are kept. zod alone returns nothing for a mapping in which one key is invalid.
 */
import { markOf, type z } from '../../check/option-types.js'
import { didYouMean } from '../../util/closest-match.js'
import { eachInSteps, type Sliced } from '../../util/time-slice.js'
import { hintFor } from '../problems/hints.js'
import type { Position } from '../problems/problem.js'
import { reportIssue } from '../problems/report-issue.js'
import { isNothing, plain, type RawEntry, type RawNode, sortOf, textOf } from '../raw.js'
import { type Form, formOf, type MappingForm, type ShortForm } from '../schema/forms.js'
import { Fields, type Read, type Shape, type Unread } from './fields.js'
import { markedEntry, reportDoubts } from './marks.js'
import type { ReadContext } from './read-context.js'
import { entriesOf, firstEntryOf } from './short-form.js'
import type { Sort } from './sorts.js'

/** Returns the value of an entry. If it is invalid, reports an error and returns undefined. */
export function readEntry<T extends z.ZodType>(
  entry: RawEntry,
  type: T,
  context: ReadContext,
): Read<T> | undefined {
  const form = formOf(type)
  const value = form ? readForm(placeOf(entry), form, context) : readPlain(entry, type, context)
  return value as Read<T> | undefined
}

/** Same as `readEntry`, in time slices where the value is a mapping with long lists. */
export function* readingEntry<T extends z.ZodType>(
  entry: RawEntry,
  type: T,
  context: ReadContext,
): Sliced<Read<T> | undefined> {
  const form = formOf(type)
  const { value: node, keyAt: at } = entry
  if (form?.kind !== 'mapping' || form.isUnread || node.kind !== 'map') return readEntry(entry, type, context)
  return (yield* readingFields(node.entries, form.shape, { ...form, at }, context)) as Read<T>
}

// ---------------------------------------------------------------- plain values

function readPlain(entry: RawEntry, type: z.ZodType, context: ReadContext): unknown {
  const { report } = context
  if (isNothing(entry.value)) {
    report.error('WRONG_TYPE', entry.keyAt, `"${entry.called ?? entry.key}" has no value`)
    return undefined
  }
  if (hasProto(entry.value)) {
    report.error('BAD_VALUE', entry.value.at, `"${entry.key}": a name in it cannot be "__proto__"`)
    return undefined
  }
  const parsed = type.safeParse(plain(markedEntry(entry, type, context).value))
  if (parsed.success) {
    reportDoubts(entry, type, context)
    return parsed.data
  }
  const isSecret = markOf(type).secret !== undefined
  for (const issue of tightest(parsed.error.issues)) reportIssue(entry, issue, isSecret, report)
  return undefined
}

/** True if a mapping in the value has the key `__proto__`, which zod would drop. */
function hasProto(node: RawNode): boolean {
  if (node.kind === 'list') return node.items.some(hasProto)
  return node.kind === 'map' && node.entries.some(({ key, value }) => key === '__proto__' || hasProto(value))
}

/** Returns the issues without the limit of whole numbers in JavaScript, if the value has a limit of its own. */
function tightest(issues: readonly z.core.$ZodIssue[]): readonly z.core.$ZodIssue[] {
  const own = issues.filter(issue => !('origin' in issue && issue.origin === 'int'))
  return own.length === 0 ? issues : own
}

// ---------------------------------------------------------------- forms

/** A value, with its position and its name for messages. */
interface Place {
  readonly node: RawNode
  /** Position of its key, or of the value itself in a list. */
  readonly at: Position
  /** Start of a message: `"persistence" must be`, `a real server is`. */
  readonly subject: string
  /** Null in a list. */
  readonly key: string | null
}

function placeOf({ key, keyAt, value }: RawEntry): Place {
  return { node: value, at: keyAt, subject: `"${key}" must be`, key }
}

function readForm(place: Place, form: Form, context: ReadContext): unknown {
  const { node, at, key } = place
  if (key !== null && isNothing(node)) {
    const nothing = ('nothing' in form && form.nothing) || `: expected ${form.expected}`
    context.report.error('WRONG_TYPE', at, `"${key}" has no value${nothing}`)
    return undefined
  }
  if (form.kind === 'short') return readShort(place, form, context)
  if (form.kind === 'list' && node.kind === 'list')
    return node.items.map(item => readItem(itemPlace(item, form.item), form.item, context) ?? null)
  if (form.kind === 'list' && form.takesOne) return [readItem(place, form.item, context) ?? null]
  if (form.kind === 'mapping' && node.kind === 'map') return readEntries(node.entries, at, form, context)
  if (form.kind === 'members' && node.kind === 'map') return node.entries
  return reportWrongType(place, form, context)
}

function itemPlace(node: RawNode, form: ShortForm | MappingForm): Place {
  const { name } = form.kind === 'short' ? form.mapping : form
  return { node, at: node.at, subject: `${name} is`, key: null }
}

function readItem(place: Place, form: ShortForm | MappingForm, context: ReadContext): unknown {
  return form.kind === 'short' ? readShort(place, form, context) : readForm(place, form, context)
}

function readShort(place: Place, form: ShortForm, context: ReadContext): unknown {
  const { node, key } = place
  if (node.kind === 'map') return readEntries(node.entries, node.at, form.mapping, context)
  if (form.none && textOf(node) === 'none') return null
  const text = form.wrong === undefined ? null : textOf(node)
  if (text !== null && !/^\s/.test(text)) return readWords(text, place, form, context)
  if (text === null && !mayBe(form.type, plain(node))) return reportWrongType(place, form, context)
  const entries = entriesOf(node, form, key, context.report)
  return entries === null ? undefined : readEntries(entries, node.at, form.mapping, context)
}

/** Of a text whose words are right but perhaps for the first, as those of another text were, the first is read alone. */
function readWords(text: string, { node, key }: Place, form: ShortForm, context: ReadContext): unknown {
  const { mapping, keys } = form
  const [only = ''] = keys
  const entries = () => entriesOf(node, form, key, context.report)
  const end = text.search(/\s/)
  const word = end < 0 ? text : text.slice(0, end)
  const sort = only === mapping.apart ? context.sorts.ofWords(text.slice(word.length), mapping) : null
  if (sort?.values && word !== '') {
    const own = firstEntryOf(only, word, text, node)
    const values = valuesOf(own, sort.values, mapping, context)
    return new Fields(values, node.at, () => entries() ?? [], mapping.shape, sort, own)
  }
  const all = entries()
  if (all === null) return undefined
  return sort
    ? readFirst(all, node.at, { form: mapping, sort }, context)
    : readEntries(all, node.at, mapping, context)
}

/** True if the value matches the type, or would match if one of its items were valid. */
function mayBe(type: z.ZodType, value: unknown): boolean {
  const { success, error } = type.safeParse(value)
  return success || error.issues.some(isWithin)
}

function isWithin(issue: z.core.$ZodIssue): boolean {
  if (issue.path.length > 0) return true
  return issue.code === 'invalid_union' && issue.errors.some(issues => issues.every(isWithin))
}

function reportWrongType({ node, subject }: Place, form: Form, { report }: ReadContext): undefined {
  const hasWords = form.kind === 'short' && form.wrong !== undefined
  const brackets = hasWords && node.kind === 'list' ? '; an address in brackets needs quotes round it' : ''
  report.error('WRONG_TYPE', node.at, `${subject} ${form.expected}, not ${sortOf(node)}${brackets}`)
  return undefined
}

function readEntries(
  entries: readonly RawEntry[],
  at: Position,
  form: MappingForm,
  context: ReadContext,
): Fields<Shape> | Unread {
  if (form.isUnread) return { at, entries }
  const sort = context.sorts.of(entries, form)
  return sort
    ? readSorted(entries, at, { form, sort }, context)
    : readFields(entries, form.shape, { ...form, at }, context)
}

/** A form, and the sort of one of its mappings. */
interface Sorted {
  readonly form: MappingForm
  readonly sort: Sort
}

/** Of a sort whose values are known, the key that tells its mappings apart is read alone. */
function readSorted(
  entries: readonly RawEntry[],
  at: Position,
  { form, sort }: Sorted,
  context: ReadContext,
): Fields<Shape> {
  const { shape, apart } = form
  if (!sort.values) return readFirst(entries, at, { form, sort }, context)
  const own = entries.find(({ key }) => key === apart)
  return new Fields(valuesOf(own, sort.values, form, context), at, entries, shape, sort)
}

function valuesOf(
  own: RawEntry | undefined,
  others: NonNullable<Sort['values']>,
  { shape }: MappingForm,
  context: ReadContext,
): Record<string, unknown> {
  const values: Record<string, unknown> = Object.assign({}, others)
  const type = own && typeIn(shape, own)
  const value = type && readEntry(own, type, context)
  if (own && value !== undefined) values[own.key] = value
  return values
}

function readFirst(
  entries: readonly RawEntry[],
  at: Position,
  { form, sort }: Sorted,
  context: ReadContext,
): Fields<Shape> {
  const { shape, apart } = form
  const { told } = context.report
  const { values } = readFields(entries, shape, { ...form, at }, context)
  const others = entries.filter(({ key }) => key !== apart)
  const isRight = context.report.told === told && others.every(entry => isOfText(typeIn(shape, entry)))
  if (isRight) sort.values = Object.fromEntries(others.map(({ key }) => [key, values[key]]))
  return new Fields(values, at, entries, shape, isRight ? sort : null)
}

/** True if what is read depends on the value alone, wherever it stands. */
function isOfText(type: z.ZodType | undefined): boolean {
  if (!type || formOf(type)) return false
  const { secret, path, shell } = markOf(type)
  return !secret && !path && !shell
}

// ---------------------------------------------------------------- mappings

export interface ReadHow {
  /** Name of the mapping in messages: "a service". */
  readonly name: string
  /** Position at which a missing key is reported. */
  readonly at: Position
  /** Reports an unknown key, in place of the standard message. */
  tellUnknown?(entry: RawEntry): void
}

/** Reads the keys of a mapping, each by its type. */
export function readFields<S extends Shape>(
  entries: readonly RawEntry[],
  shape: S,
  how: ReadHow,
  context: ReadContext,
): Fields<S> {
  const values: Record<string, unknown> = {}
  for (const entry of entries) {
    const type = typeIn(shape, entry)
    const value = type && readEntry(entry, type, context)
    if (value !== undefined) values[entry.key] = value
    else if (!type) reportUnknownKey(entry, shape, how, context)
  }
  return new Fields(values as Fields<S>['values'], how.at, entries, shape)
}

function* readingFields<S extends Shape>(
  entries: readonly RawEntry[],
  shape: S,
  how: ReadHow,
  context: ReadContext,
): Sliced<Fields<S>> {
  const values: Record<string, unknown> = {}
  for (const entry of entries) {
    const type = typeIn(shape, entry)
    const value = type && (yield* readingList(entry, type, context))
    if (value !== undefined) values[entry.key] = value
    else if (!type) reportUnknownKey(entry, shape, how, context)
  }
  return new Fields(values as Fields<S>['values'], how.at, entries, shape)
}

function* readingList(entry: RawEntry, type: z.ZodType, context: ReadContext): Sliced<unknown> {
  const form = formOf(type)
  const { value: node } = entry
  if (form?.kind !== 'list' || node.kind !== 'list') return readEntry(entry, type, context)
  const values: unknown[] = []
  yield* eachInSteps(node.items, item => {
    values.push(readItem(itemPlace(item, form.item), form.item, context) ?? null)
  })
  return values
}

function typeIn(shape: Shape, { key }: RawEntry): z.ZodType | undefined {
  return Object.hasOwn(shape, key) ? shape[key] : undefined
}

function reportUnknownKey(entry: RawEntry, shape: Shape, how: ReadHow, { report }: ReadContext): void {
  const { key, keyAt } = entry
  const advice = () => hintFor(key, how.name) ?? didYouMean(key, Object.keys(shape))
  if (how.tellUnknown) how.tellUnknown(entry)
  else report.error('UNKNOWN_KEY', keyAt, () => `"${key}" is not a key of ${how.name}${advice()}`)
}
