/** How a check states its options. One declaration gives types, defaults, messages, the JSON Schema and the reference. */
import { duration, patternText, ranges, z } from './config/fields.js'

export type OptionShape = Readonly<Record<string, z.ZodType>>
export type Parsed<S extends OptionShape> = { readonly [K in keyof S]: z.output<S[K]> }

/** The words with which a check declares its options; each takes the default (undefined: required) and one line. */
export const optionKit = {
  text: (fallback: string | undefined, about: string) => withDefault(z.string(), fallback, about),
  /** Text or null when absent. */
  maybeText: (about: string) => z.string().nullable().default(null).describe(about),
  flag: (fallback: boolean, about: string) => z.boolean().default(fallback).describe(about),
  number: (fallback: number | undefined, about: string, { min = 0, max = 2 ** 31 - 1 } = {}) =>
    withDefault(z.int().min(min).max(max), fallback, about),
  /** Milliseconds, written `500ms`, `3s`, `2m` or a number of seconds. */
  duration: (fallback: string | undefined, about: string) => withDefault(duration(), fallback, about),
  choice: <const T extends readonly [string, ...string[]]>(
    words: T,
    fallback: T[number] | undefined,
    about: string,
  ) => withDefault(z.enum(words), fallback, about),
  list: (fallback: readonly string[] | undefined, about: string) =>
    withDefault(z.array(z.string()), fallback && [...fallback], about),
  /** Inclusive ranges of numbers, written `200`, `200-299` or a list of them. */
  ranges: (fallback: string | undefined, about: string, { min = 0, max = 2 ** 31 - 1 } = {}) =>
    withDefault(ranges(min, max), fallback, about),
  map: (about: string) => z.record(z.string(), z.string()).default({}).describe(about),
  /** A regular expression's source, compiled once when the configuration is read to see that it is one; null when absent. */
  pattern: (about: string) => patternText().nullable().default(null).describe(about),
}
export type OptionKit = typeof optionKit

function withDefault<T extends z.ZodType>(
  type: T,
  fallback: z.output<T> | z.input<T> | undefined,
  about: string,
): z.ZodType<z.output<T>> {
  const described = fallback === undefined ? type : type.prefault(fallback as never)
  return described.describe(about) as unknown as z.ZodType<z.output<T>>
}
