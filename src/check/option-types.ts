/** Field types that the configuration and the checks' options share; the one file that imports zod. */
import { z } from 'zod'
import { readPattern } from '../search/perl-flags.js'

export { z }

/** What zod's own types do not tell of a value. It is no part of the JSON Schema, as zod's own metadata would be. */
export interface Mark {
  /** Its type for people, where the JSON Schema does not tell it: `duration`. */
  readonly shown?: string
  /** Its value, or each value in it, is never shown, and may stand elsewhere: { file: PATH } or { env: NAME }. */
  readonly secret?: 'text' | 'list' | 'map'
  /** It names a file, relative to the folder of the configuration; `command`: only where it has a slash. */
  readonly path?: 'file' | 'command'
  /** It is a regular expression's source. */
  readonly pattern?: true
}

/** Give a type its mark with `.register(marks, { … })`. */
export const marks = z.registry<Mark>()

const found = new WeakMap<z.ZodType, Mark>()

/** The marks of a type and of those that it wraps: those of a text count for one that may be left out. */
export function markOf(type: z.ZodType | undefined): Mark {
  if (!type) return {}
  let mark = found.get(type)
  if (!mark) {
    mark = { ...markOf(innerOf(type)), ...marks.get(type) }
    found.set(type, mark)
  }
  return mark
}

/** The type that an optional one, one with a default or one with a transformation is made of. */
export function innerOf(type: z.ZodType): z.ZodType | undefined {
  const { innerType, in: source } = type.def as { innerType?: z.ZodType; in?: z.ZodType }
  return innerType ?? source
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `3s`, `1.5s`, `2m`, `1h` or a number of seconds; parsed to milliseconds, at least 1. */
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

/** Milliseconds, or null where it is no duration. */
export function parseDuration(value: string | number): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(String(value).trim())
  if (!match) return null
  const ms = Math.round(Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 0))
  return ms >= 1 ? ms : null
}

/** `200`, `200-299` or a list of them, between `min` and `max`; parsed to inclusive ranges. */
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

/** A list of names, or texts by name; parsed to texts by name, null where only the name is given. */
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
    // What stands behind the = may be a password, and is not shown.
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

/** The source of a regular expression, as `readPattern` takes it; its error is the engine's own. */
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
