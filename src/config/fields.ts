/** Field types that the configuration and the checks' options share; the one file that imports zod. */
import { z } from 'zod'

export { z }

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `3s`, `1.5s`, `2m`, `1h` or a number of seconds; parsed to milliseconds, at least 1. */
export function duration() {
  return z.union([z.number(), z.string()]).transform((value, context) => {
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

/** The source of a regular expression; its error is the engine's own. */
export function patternText() {
  return z.string().superRefine((source, context) => {
    try {
      new RegExp(source)
    } catch (error) {
      context.addIssue({ code: 'custom', message: (error as Error).message })
    }
  })
}
