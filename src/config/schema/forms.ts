/**
 * Structure of the configuration: mappings, short forms and lists, with their texts for messages. For zod each is an
 * ordinary type, from which the JSON Schema is generated; read/read-node.ts reads values by the form.
 */
import { innerOf, z } from '../../check/option-types.js'
import type { Code } from '../problems/codes.js'
import type { RawEntry } from '../raw.js'
import type { Fields, Formed, Shape, Unread } from '../read/fields.js'

export interface MappingForm {
  readonly kind: 'mapping'
  readonly shape: Shape
  /** Name in messages: "a service". */
  readonly name: string
  /** Expected value in messages about a value of another type: "a mapping of settings". */
  readonly expected: string
  /** Key that tells mappings of a list apart. Most are alike in the others. */
  readonly apart?: string
  /** The mapping has more keys, which depend on other layers: see `Unread`. */
  readonly isUnread?: true
}

/** Short form of a mapping: a text or another plain value. */
interface Short {
  /** Keys of the mapping that the words of the text set, in this order. A single key gets the whole value. */
  readonly keys: readonly string[]
  /** Expected value in messages about a value that is neither a short form nor a mapping. */
  readonly expected: string
  /** The word `none` is allowed and means that there is no such thing. */
  readonly none?: true
  /** End of the message about a missing value. Default: `expected`. */
  readonly nothing?: string
  /** Problem code and expected form for words that do not fit. */
  readonly wrong?: { readonly code: Code; readonly form: string }
}

export interface ShortForm extends Short {
  readonly kind: 'short'
  /** Type of the short form, without the mapping. */
  readonly type: z.ZodType
  readonly mapping: MappingForm
}

interface ListForm {
  readonly kind: 'list'
  readonly item: ShortForm | MappingForm
  readonly expected: string
  readonly nothing?: string | undefined
  /** True if a single item is allowed in place of a list. */
  readonly takesOne: boolean
}

/** A mapping with names chosen by the user as keys. Each member is read separately. */
interface MembersForm {
  readonly kind: 'members'
  readonly expected: string
}

export type Form = MappingForm | ShortForm | ListForm | MembersForm

/** Forms by type. Undefined for the type of a plain value. */
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

/**
 * A shape that is made when something first looks at it: V8 takes some 10 µs for each type of zod, and most mappings are in few
 * configurations.
 */
export function later<S extends Shape>(make: () => S): S {
  let made: S | undefined
  const shape = () => {
    made ??= make()
    return made
  }
  return new Proxy({} as S, {
    get: (_, key) => Reflect.get(shape(), key),
    has: (_, key) => Reflect.has(shape(), key),
    ownKeys: () => Reflect.ownKeys(shape()),
    getOwnPropertyDescriptor: (_, key) => Reflect.getOwnPropertyDescriptor(shape(), key),
  })
}

type Mapping<S extends Shape, R> = z.ZodObject<S, z.core.$strict> & Formed<R>

/** A mapping with exactly these keys. `apart`: as in `MappingForm`. */
export function mapping<S extends Shape>(
  name: string,
  expected: string,
  shape: S,
  apart?: keyof S & string,
): Mapping<S, Fields<S>> {
  return formed(z.strictObject(shape), { kind: 'mapping', shape, name, expected, ...(apart && { apart }) })
}

/** A mapping with these keys and further ones. */
export function unreadMapping<S extends Shape>(name: string, expected: string, shape: S): Mapping<S, Unread> {
  return formed(z.looseObject(shape) as never, { kind: 'mapping', shape, name, expected, isUnread: true })
}

/** A mapping or its short form. `none` is read as null. */
export function shortOr<T extends z.ZodType, R>(type: z.ZodType, object: T & Formed<R>, short: Short) {
  const form = { kind: 'short', type, mapping: formOf(object) as MappingForm, ...short } as const
  const either = z.union([type, object]) as unknown as z.ZodType<z.output<T> | null>
  return formed<typeof either, R | null>(either, form)
}

/** A list. Each item is read separately; an invalid item is read as null. */
export function listOf<R>(item: z.ZodType & Formed<R>, expected: string) {
  const form = {
    kind: 'list',
    item: formOf(item) as ShortForm | MappingForm,
    expected,
    takesOne: false,
  } as const
  return formed<z.ZodType, readonly (R | null)[]>(z.array(item), form)
}

/** A single item, or a list as in `listOf`. */
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

/** A mapping with names chosen by the user as keys. */
export function members(member: z.ZodType, expected: string) {
  return formed<z.ZodType, readonly RawEntry[]>(z.record(z.string(), member), { kind: 'members', expected })
}

/** Makes the type optional: an absent value is null. */
export function orNull<T extends z.ZodType>(type: T) {
  return type.optional().transform(value => (value === undefined ? null : value))
}
