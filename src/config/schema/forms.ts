/**
 * The structure of the configuration beside what zod itself knows: what a mapping is called in messages, its short form,
 * lists of it. read-node.ts reads by it. For zod each is an ordinary type, from which the JSON Schema comes.
 */
import { innerOf, z } from '../../check/option-types.js'
import type { Code } from '../problems/codes.js'
import type { Position } from '../problems/problem.js'
import type { RawEntry } from '../raw.js'

export type Shape = Readonly<Record<string, z.ZodType>>

/** What was read of a mapping: the right values by key, and where each stands. */
export interface Fields<S extends Shape> {
  readonly values: { readonly [K in keyof S]?: Read<S[K]> }
  /** The mapping itself, or the key before it. */
  readonly at: Position
  /** The entry as written, right or wrong; undefined where the key is absent. */
  entry(key: keyof S & string): RawEntry | undefined
  /** Where the key's value stands; the mapping itself where it is absent. */
  valueAt(key: keyof S & string): Position
  /** Where the key stands; the mapping itself where it is absent. */
  keyAt(key: keyof S & string): Position
  /** Where an item of the key's list stands; the value where that is no list. */
  itemAt(key: keyof S & string, index: number): Position
  /** True where an unknown key looks like this one: then it is not missing as well. */
  isMisspelt(key: keyof S & string): boolean
}

/** A mapping whose keys are not read yet, since other layers give the rest of them. */
export interface Unread {
  readonly at: Position
  readonly entries: readonly RawEntry[]
}

export interface MappingForm {
  readonly kind: 'mapping'
  readonly shape: Shape
  /** In messages: "a service". */
  readonly name: string
  /** In messages, where something else stands: "a mapping of settings". */
  readonly expected: string
  /** Keys that begin with this are nobody's business. */
  readonly free?: string
  /** It is not read before other layers are laid under it: see `Unread`. */
  readonly isUnread?: true
}

/** How a text, or another plain value, stands for a mapping. */
export interface Short {
  /** The keys of the mapping for which the words of the text stand; of a single key, the whole value. */
  readonly keys: readonly string[]
  /** What is expected where there is neither a short form nor a mapping. */
  readonly expected: string
  /** The word `none` stands for no such thing at all. */
  readonly none?: true
  /** Ends the sentence that there is no value, in place of what is expected. */
  readonly nothing?: string
  /** Of several words that do not fit: the problem, and the form that is expected. */
  readonly wrong?: { readonly code: Code; readonly form: string }
}

export type Form =
  | MappingForm
  | (Short & { readonly kind: 'short'; readonly type: z.ZodType; readonly mapping: MappingForm })
  | {
      /** `oneOrMore`: an item alone stands for a list of it. */
      readonly kind: 'list' | 'one or more'
      readonly item: z.ZodType
      readonly name: string
      readonly expected: string
      readonly nothing?: string
    }
  | { readonly kind: 'members'; readonly expected: string }

const forms = new WeakMap<z.ZodType, Form>()
const found = new WeakMap<z.ZodType, Form | null>()

/** The form of a type, or of the one that it wraps; null where it is a plain value. */
export function formOf(type: z.ZodType): Form | null {
  let form = found.get(type)
  if (form === undefined) {
    const inner = innerOf(type)
    form = forms.get(type) ?? (inner ? formOf(inner) : null)
    found.set(type, form)
  }
  return form
}

declare const reading: unique symbol
/** A type that is read by its form, to R; zod's own output is what its JSON Schema describes. */
export interface Formed<R> {
  readonly [reading]: R
}

/** What the form of a type reads; never where it has none. */
export type FormedAs<T> =
  T extends Formed<infer R>
    ? R
    : T extends z.ZodOptional<infer I> | z.ZodPipe<infer I, z.core.$ZodType>
      ? FormedAs<I>
      : never

/** What reading a value of the type gives. */
export type Read<T extends z.ZodType> = [FormedAs<T>] extends [never] ? z.output<T> : FormedAs<T>

interface Named extends Pick<MappingForm, 'name' | 'expected' | 'free'> {
  readonly nothing?: string
}

/** A mapping with these keys and no others. */
export function mapping<S extends Shape>(
  shape: S,
  named: Named,
): z.ZodObject<S, z.core.$strict> & Formed<Fields<S>> {
  return formed(z.strictObject(shape), { kind: 'mapping', shape, ...named })
}

/** A mapping with these keys and more, which depend on what other layers say. */
export function unreadMapping<S extends Shape>(
  shape: S,
  named: Named,
): z.ZodObject<S, z.core.$loose> & Formed<Unread> {
  return formed(z.looseObject(shape), { kind: 'mapping', shape, isUnread: true, ...named })
}

/** A mapping, or a short form of it; null is read where neither stands there, as with `none`. */
export function shortOr<R>(
  type: z.ZodType,
  object: z.ZodType & Formed<R>,
  short: Short,
): z.ZodType & Formed<R | null> {
  const form = formOf(object)
  if (form?.kind !== 'mapping') throw new TypeError('a short form stands for a mapping')
  return formed(z.union([type, object]), { kind: 'short', type, mapping: form, ...short })
}

/** Items of which each is read; null for one that is wrong. */
export function listOf<R>(
  item: z.ZodType & Formed<R>,
  named: Named,
): z.ZodType & Formed<readonly (R | null)[]> {
  return formed(z.array(item), { kind: 'list', item, ...named })
}

/** An item alone, or a list. */
export function oneOrMore<R>(
  item: z.ZodType & Formed<R>,
  named: Named,
): z.ZodType & Formed<readonly (R | null)[]> {
  return formed(z.union([item, z.array(item)]), { kind: 'one or more', item, ...named })
}

/** Mappings by names of the writer's own, each to be read on its own. */
export function members(
  member: z.ZodType,
  { expected }: { readonly expected: string },
): z.ZodType & Formed<readonly RawEntry[]> {
  return formed(z.record(z.string(), member), { kind: 'members', expected })
}

function formed<T extends z.ZodType, R>(type: T, form: Form): T & Formed<R> {
  forms.set(type, form)
  return type as T & Formed<R>
}

/** Null where it is left out. */
export function orNull<T extends z.ZodType>(type: T) {
  return type.optional().transform(value => (value === undefined ? null : value))
}
