/**
 * The structure of the configuration: mappings, their short forms and lists of them, with the words that messages have for
 * them. For zod each is an ordinary type, which gives the JSON Schema; read/read-node.ts reads by the form.
 */
import { innerOf, z } from '../../check/option-types.js'
import type { Code } from '../problems/codes.js'
import type { RawEntry } from '../raw.js'
import type { Fields, Formed, Shape, Unread } from '../read/fields.js'

export interface MappingForm {
  readonly kind: 'mapping'
  readonly shape: Shape
  /** In messages: "a service". */
  readonly name: string
  /** In messages, if something else stands there: "a mapping of settings". */
  readonly expected: string
  /** It has more keys, which depend on what other layers say: see `Unread`. */
  readonly isUnread?: true
}

/** How a text, or another plain value, stands for a mapping. */
interface Short {
  /** Keys of the mapping. The words of the text are their values, in this order; a single key has the whole value. */
  readonly keys: readonly string[]
  /** In messages, if neither a short form nor a mapping stands there. */
  readonly expected: string
  /** The word `none` stands for no such thing at all. */
  readonly none?: true
  /** End of the sentence that there is no value, in place of what is expected. */
  readonly nothing?: string
  /** Problem of words that do not fit, and the form that is expected. */
  readonly wrong?: { readonly code: Code; readonly form: string }
}

export interface ShortForm extends Short {
  readonly kind: 'short'
  /** The type of the short form alone. */
  readonly type: z.ZodType
  readonly mapping: MappingForm
}

interface ListForm {
  readonly kind: 'list'
  readonly item: ShortForm
  readonly expected: string
  readonly nothing?: string | undefined
  /** An item alone stands for a list of it. */
  readonly takesOne: boolean
}

/** Mappings by names of the writer's own, each of which is read on its own. */
interface MembersForm {
  readonly kind: 'members'
  readonly expected: string
}

export type Form = MappingForm | ShortForm | ListForm | MembersForm

/** By type; undefined for the type of a plain value. */
const forms = new WeakMap<z.ZodType, Form | undefined>()

/** Returns the form of a type, or of the type that it wraps; undefined for a plain value. */
export function formOf(type: z.ZodType): Form | undefined {
  if (!forms.has(type)) {
    const inner = innerOf(type)
    forms.set(type, inner && formOf(inner))
  }
  return forms.get(type)
}

function formed<T extends z.ZodType, R>(type: T, form: Form): T & Formed<R> {
  forms.set(type, form)
  return type as T & Formed<R>
}

type Mapping<S extends Shape, R> = z.ZodObject<S, z.core.$strict> & Formed<R>

/** A mapping with these keys and no others. */
export function mapping<S extends Shape>(name: string, expected: string, shape: S): Mapping<S, Fields<S>> {
  return formed(z.strictObject(shape), { kind: 'mapping', shape, name, expected })
}

/** A mapping with these keys and more. */
export function unreadMapping<S extends Shape>(name: string, expected: string, shape: S): Mapping<S, Unread> {
  return formed(z.looseObject(shape) as never, { kind: 'mapping', shape, name, expected, isUnread: true })
}

/** A mapping or a short form of it. Null is read for `none`. */
export function shortOr<R>(type: z.ZodType, object: z.ZodType & Formed<R>, short: Short) {
  const form = { kind: 'short', type, mapping: formOf(object) as MappingForm, ...short } as const
  return formed<z.ZodType, R | null>(z.union([type, object]), form)
}

/** A list of which each item is read; null for a wrong one. */
export function listOf<R>(item: z.ZodType & Formed<R>, expected: string) {
  const form = { kind: 'list', item: formOf(item) as ShortForm, expected, takesOne: false } as const
  return formed<z.ZodType, readonly (R | null)[]>(z.array(item), form)
}

/** An item alone, or a list as above. */
export function oneOrMore<R>(item: z.ZodType & Formed<R>) {
  const form = formOf(item) as ShortForm
  const { expected, nothing } = form
  return formed<z.ZodType, readonly (R | null)[]>(z.union([item, z.array(item)]), {
    kind: 'list',
    item: form,
    expected,
    nothing,
    takesOne: true,
  })
}

/** Mappings by names of the writer's own. */
export function members(member: z.ZodType, expected: string) {
  return formed<z.ZodType, readonly RawEntry[]>(z.record(z.string(), member), { kind: 'members', expected })
}

/** Null if it is left out. */
export function orNull<T extends z.ZodType>(type: T) {
  return type.optional().transform(value => (value === undefined ? null : value))
}
