/** Reads how servers fail in a simulation: `mttf=30d,mttr=10m,flapping=0.1%`. */
import { didYouMeanOf } from '../util/closest-match.js'
import { parseDuration } from '../util/duration.js'

/** How the servers of a simulation fail. Times are milliseconds; each is the mean of an exponential distribution, if nothing else is said. */
export interface FailureSpec {
  /** From the end of a failure to the next one of the same server. */
  readonly mttf: number
  /** From a failure to its end. */
  readonly mttr: number
  /** Share of the servers that flap: 0 to 1. */
  readonly flapping: number
  /** Time that a flapping server is up, and that it is down. */
  readonly flap: number
  /** Share of the servers that answer slowly, in a third of the time limit on average: 0 to 1. */
  readonly slow: number
  /** Share of the failures in which a server does not answer at all; in the others it refuses: 0 to 1. */
  readonly silent: number
  /** Probability that a check of a server that is well fails: 0 to 1. */
  readonly false: number
  /** Time of an answer. */
  readonly latency: number
  /** From a failure in which a server refuses to the hint of its sentinel. Not a mean. */
  readonly hint: number
}

const DAY = 86_400_000

export const DEFAULT_FAILURES: FailureSpec = {
  mttf: 30 * DAY,
  mttr: 600_000,
  flapping: 0.001,
  flap: 300_000,
  slow: 0.001,
  silent: 0.5,
  false: 0.00001,
  latency: 2,
  hint: 20,
}

/** No server fails. */
export const NO_FAILURES: FailureSpec = {
  ...DEFAULT_FAILURES,
  mttf: Number.POSITIVE_INFINITY,
  flapping: 0,
  slow: 0,
  false: 0,
}

const TIMES = ['mttf', 'mttr', 'flap', 'latency', 'hint'] as const
const SHARES = ['flapping', 'slow', 'silent', 'false'] as const
const KEYS: readonly string[] = [...TIMES, ...SHARES]

/** A mistake in the text. `at`: the character, from 1. */
export class FailureSpecError extends Error {
  override readonly name = 'FailureSpecError'
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}

/** Returns the model that the text describes; what it leaves out is as by default. Throws a FailureSpecError. */
export function parseFailures(text: string): FailureSpec {
  if (text.trim() === '') return DEFAULT_FAILURES
  if (text.trim() === 'none') return NO_FAILURES
  const values: Record<string, number> = {}
  let at = 1
  for (const part of text.split(',')) {
    const [key = '', ...rest] = part.split('=')
    const name = key.trim()
    const place = at + key.length - key.trimStart().length
    if (name === 'none') throw new FailureSpecError('"none" stands alone', place)
    if (!KEYS.includes(name))
      throw new FailureSpecError(`"${name}" is no part of a failure model${didYouMeanOf(name, KEYS)}`, place)
    if (Object.hasOwn(values, name)) throw new FailureSpecError(`"${name}" is there twice`, place)
    values[name] = readValue(name, rest.join('=').trim(), place)
    at += part.length + 1
  }
  return { ...DEFAULT_FAILURES, ...values }
}

function readValue(name: string, text: string, at: number): number {
  const isTime = (TIMES as readonly string[]).includes(name)
  const value = isTime ? parseSpan(text) : parseShare(text)
  if (value !== null) return value
  const form = isTime ? 'a duration: 500ms, 10m, 30d' : 'a share: 0.1 %, or 0 to 1'
  throw new FailureSpecError(`the value of "${name}" is "${text}", and it has to be ${form}`, at)
}

/** Returns milliseconds, or null if the text is no duration. Other than in a configuration, days are allowed: `30d`. */
export function parseSpan(text: string): number | null {
  const days = /^(\d+(?:\.\d+)?)\s*d$/.exec(text.trim())?.[1]
  if (days === undefined) return parseDuration(text)
  const ms = Math.round(Number(days) * DAY)
  return ms >= 1 ? ms : null
}

/** Returns a number from 0 to 1, or null: `0.1%`, `0.001`, `1e-5`. */
function parseShare(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?(?:e-?\d+)?)\s*(%?)$/.exec(text)
  if (!match) return null
  const share = Number(match[1]) / (match[2] === '%' ? 100 : 1)
  return share <= 1 ? share : null
}
