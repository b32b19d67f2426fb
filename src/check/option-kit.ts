/** The functions with which a check declares its options. One declaration yields types, defaults, messages and schema. */
import { duration, environment, type Mark, marks, patternText, ranges, z } from './option-types.js'

export type OptionShape = Readonly<Record<string, z.ZodType>>

export type Parsed<S extends OptionShape> = { readonly [K in keyof S]: z.output<S[K]> }

/** The functions that declare an option. The arguments are the default (undefined: required) and a one-line description. */
export const optionKit = {
  text: (fallback: string | undefined, about: string) => withDefault(z.string(), fallback, about),
  /** Text; null if absent. */
  maybeText: (about: string) => z.string().nullable().default(null).describe(about),
  flag: (fallback: boolean, about: string) => z.boolean().default(fallback).describe(about),
  number: (fallback: number | undefined, about: string, { min = 0, max = 2 ** 31 - 1 } = {}) =>
    withDefault(z.int().min(min).max(max), fallback, about),
  /** Milliseconds; written `500ms`, `3s`, `2m` or a number of seconds. */
  duration: (fallback: string | undefined, about: string) => withDefault(duration(), fallback, about),
  choice: <const T extends readonly [string, ...string[]]>(
    words: T,
    fallback: T[number] | undefined,
    about: string,
  ): z.ZodType<T[number]> => withDefault<z.ZodType<T[number]>>(z.enum(words), fallback, about),
  list: (fallback: readonly string[] | undefined, about: string) =>
    withDefault(marked(z.array(listItem()), { shown: 'list of texts' }), fallback && [...fallback], about),
  /** Inclusive ranges of numbers; written `200`, `200-299` or a list of these. */
  ranges: (fallback: string | undefined, about: string, { min = 0, max = 2 ** 31 - 1 } = {}) =>
    withDefault(marked(ranges(min, max), { shown: 'ranges of numbers' }), fallback, about),
  map: (about: string) => marked(textsByName(about), { shown: 'map of texts' }),
  /** Source of a regular expression, compiled once for validation when the configuration is read; null if absent. */
  pattern: (about: string) =>
    marked(patternText().nullable().default(null).describe(about), {
      pattern: true,
      shown: 'regular expression',
    }),
  /** A password or similar text, never shown in messages, log or status. With the default null: null if absent. */
  secret: <const F extends string | null | undefined>(fallback: F, about: string) =>
    marked(textOrNull(fallback, about), { secret: 'text', shown: 'text, never shown' }),
  /** A list of texts that may contain secrets. */
  secretList: (fallback: readonly string[] | undefined, about: string) =>
    marked(withDefault(z.array(z.string()), fallback && [...fallback], about), {
      secret: 'list',
      shown: 'list of texts, never shown',
    }),
  /** Texts by name, such as headers, that may contain secrets. */
  secretMap: (about: string) =>
    marked(textsByName(about), { secret: 'map', shown: 'map of texts, never shown' }),
  /**
   * Environment variables of a command, as `[NAME, OTHER]` or `{ NAME: text }`. A text is the value; null passes the
   * value in lvsd's own environment.
   */
  environment: (about: string) =>
    marked(environment().prefault({}).describe(about), {
      secret: 'map',
      shown: 'list of names, or map of texts, never shown',
    }),
  /** Path of a file; a relative path starts in the folder of the configuration. */
  path: <const F extends string | null | undefined>(fallback: F, about: string) =>
    marked(textOrNull(fallback, about), { path: 'file', shown: 'path of a file' }),
  /** A program. With a slash it is a path, as for `path`; without one it is a name that is looked up. */
  command: <const F extends string | null | undefined>(fallback: F, about: string) =>
    marked(textOrNull(fallback, about), { path: 'command', shown: 'path or name of a program' }),
}
export type OptionKit = typeof optionKit

/** Text, or a number, because YAML reads a text such as `80` as a number. */
function listItem() {
  return z.union([z.string(), z.number().transform(String)])
}

function textsByName(about: string) {
  return z.record(z.string(), z.string()).default({}).describe(about)
}

function marked<T extends z.ZodType>(type: T, mark: Mark): T {
  marks.add(type, mark)
  return type
}

/** Text, or text or null if the default is null. */
function textOrNull<F extends string | null | undefined>(
  fallback: F,
  about: string,
): z.ZodType<F extends null ? string | null : string> {
  const type = fallback === null ? z.string().nullable().default(null).describe(about) : null
  return (type ?? withDefault(z.string(), fallback ?? undefined, about)) as never
}

function withDefault<T extends z.ZodType>(
  type: T,
  fallback: z.output<T> | z.input<T> | undefined,
  about: string,
): z.ZodType<z.output<T>> {
  const described = fallback === undefined ? type : type.prefault(fallback as never)
  return described.describe(about) as unknown as z.ZodType<z.output<T>>
}
