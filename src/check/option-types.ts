/** Field types shared by the configuration and the options of checks. The only file that imports zod. */
import { z } from 'zod'
import { readPattern } from '../search/perl-flags.js'
import { parseDuration } from '../util/duration.js'

export { z }

/** Facts about a value that zod's types do not express. Unlike zod's own metadata, they are not part of the JSON Schema. */
export interface Mark {
  /** Name of the type for people, if the JSON Schema does not express it: `duration`. */
  readonly shown?: string
  /** The value, or each value in it, is never shown. It may be given as { file: PATH } or { env: NAME }. */
  readonly secret?: 'text' | 'list' | 'map'
  /** The value names a file, relative to the folder of the configuration. `command`: only if it contains a slash. */
  readonly path?: 'file' | 'command'
  /** The value is the source of a regular expression. */
  readonly pattern?: true
  /** It is a command line for the shell. */
  readonly shell?: true
  /** It is the time between two things that happen again and again: seldom as long as a number that was meant in milliseconds. */
  readonly isInterval?: true
}

/** The marks of types. A type gets its mark with `.register(marks, { … })`. */
export const marks = z.registry<Mark>()

const found = new WeakMap<z.ZodType, Mark>()

/** Returns the mark of a type, including those of the types that it wraps (optional, default, transform). */
export function markOf(type: z.ZodType | undefined): Mark {
  if (!type) return {}
  let mark = found.get(type)
  if (!mark) {
    mark = { ...markOf(innerOf(type)), ...marks.get(type) }
    found.set(type, mark)
  }
  return mark
}

/** Returns the type that an optional, defaulted, described or transformed type wraps. */
export function innerOf(type: z.ZodType): z.ZodType | undefined {
  const { innerType, in: source } = type.def as { innerType?: z.ZodType; in?: z.ZodType }
  return innerType ?? source ?? (type._zod.parent as z.ZodType | undefined)
}

/** A duration: `500ms`, `3s`, `1.5s`, `2m`, `1h` or a number of seconds. Parsed to milliseconds, at least 1. */
export function duration() {
  const given = z.union([z.number(), z.string()]).register(marks, { shown: 'duration' })
  return given.transform((value, context) => {
    const ms = parseDuration(value)
    if (ms !== null) return ms
    context.addIssue({
      code: 'custom',
      message: 'expected a duration such as 500ms, 3s, 2m or a number of seconds',
    })
    return z.NEVER
  })
}

/** `200`, `200-299` or a list of these, between `min` and `max`. Parsed to inclusive ranges. */
export function ranges(min: number, max: number) {
  const item = z.union([z.int(), z.string()])
  return z.union([item, z.array(item)]).transform((value, context) => {
    const parts = [value].flat().flatMap(part => String(part).split(','))
    const parsed = parts.map(part => parseRange(part, min, max))
    if (parsed.length > 0 && parsed.every(range => range !== null)) return parsed
    context.addIssue({
      code: 'custom',
      message: `expected numbers between ${min} and ${max}, such as 200, 200-299 or a list of them`,
    })
    return z.NEVER
  })
}

function parseRange(text: string, min: number, max: number): readonly [number, number] | null {
  const match = /^(\d{1,9})(?:\s*-\s*(\d{1,9}))?$/.exec(text.trim())
  if (!match) return null
  const from = Number(match[1])
  const to = Number(match[2] ?? match[1])
  return from >= min && from <= to && to <= max ? [from, to] : null
}

const VARIABLES = 'names of variables, such as [PGUSER, HOME] or { PGUSER: probe }'
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A list of names, or texts by name. Parsed to texts by name, with null for a name without a text. */
export function environment() {
  const texts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  const given = z.union([z.array(z.union([z.string(), texts])), texts], { error: `expected ${VARIABLES}` })
  return given.transform((value, context) => {
    const items = Array.isArray(value) ? value : [value]
    const variables = items.flatMap(item =>
      Object.entries(typeof item === 'string' ? { [item]: null } : item),
    )
    const wrong = variables.find(([name, text]) => !VARIABLE.test(name) || String(text).includes('\0'))
    if (!wrong)
      return Object.fromEntries(variables.map(([name, text]) => [name, text === null ? null : String(text)]))
    // The part after the = may be a password and is not shown.
    const set = /^(\w+)=/.exec(wrong[0])
    context.addIssue({
      code: 'custom',
      message: set
        ? `to set a variable write { ${set[1]}: text }, without the =; a name alone passes what lvsd's own environment has`
        : `expected ${VARIABLES}`,
    })
    return z.NEVER
  })
}

/** Source of a regular expression, as accepted by `readPattern`. The error message is that of the engine. */
export function patternText() {
  return z.string().superRefine((source, context) => {
    try {
      const pattern = readPattern(source)
      new RegExp(pattern.source, pattern.flags)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
}
