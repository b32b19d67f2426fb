/** Collects the problems of a configuration, each once, sorted by position. */
import { counted } from '../../util/plural.js'
import type { LdirectordCode } from '../ldirectord/ldirectord-codes.js'
import { withoutUrlPasswords } from '../url-passwords.js'
import type { Code } from './codes.js'
import type { Position, Problem } from './problem.js'

/**
 * The message, or a function that creates it if this is slow. The function is not called if the problem is not kept.
 */
export type Message = string | (() => string)

export type ProblemCode = Code | LdirectordCode

export interface Report {
  /** Name of the main file, that of a position without one. */
  readonly file: string
  error(code: ProblemCode, at: Position, message: Message): void
  warn(code: ProblemCode, at: Position, message: Message): void
  note(code: ProblemCode, at: Position, message: Message): void
  /** Number of problems reported so far, kept or not. */
  readonly told: number
  /** Returns the problems by position. If there are too many, the last one has the number of those left out. */
  problems(): readonly Problem[]
}

/** Limit of errors, and of warnings and notes together. */
export const MOST_PROBLEMS = 1000
/** Limit of characters in a message, whatever it quotes. */
const LONGEST = 1000
const LONGEST_QUOTE = 160

interface HowToReport {
  /**
   * If true, only the first problem of a code at a position is kept: a value in `defaults` is read once for each
   * service that uses it.
   */
  readonly once?: boolean
  readonly most?: number | undefined
  /** Problems that have been reported before and are not reported again. */
  readonly told?: readonly Problem[]
}

export function newReport(
  file: string,
  { once = true, most = MOST_PROBLEMS, told = [] }: HowToReport = {},
): Report {
  const known = new Set(told.map(({ code, at }) => keyOf(code, at)))
  const kept: Problem[] = []
  let omitted: Problem | null = null
  let calls = 0
  const count = { error: 0, warning: 0, note: 0 }
  const add = (severity: Problem['severity']) => (code: ProblemCode, at: Position, message: Message) => {
    calls++
    const key = keyOf(code, at)
    if (once && known.has(key)) return
    const isKept = (severity === 'error' ? count.error : count.warning + count.note) < most
    count[severity]++
    if (!isKept) omitted ??= { severity, code: 'MORE_PROBLEMS', message: '', file: at.file ?? file, at }
    else {
      known.add(key)
      kept.push({ severity, code, message: sentence(message), file: at.file ?? file, at })
    }
  }
  return {
    file,
    error: add('error'),
    warn: add('warning'),
    note: add('note'),
    get told() {
      return calls
    },
    problems: () => [...kept.toSorted(byPlace), ...(omitted ? [more(omitted, kept, count)] : [])],
  }
}

function keyOf(code: string, { file = '', line, column }: Position): string {
  return `${file}:${line}:${column} ${code}`
}

type Counts = Record<Problem['severity'], number>

/** Returns the problem that replaces those left out. */
function more(first: Problem, kept: readonly Problem[], count: Counts): Problem {
  const left = (['error', 'warning', 'note'] as const).map(severity => {
    const number = count[severity] - kept.filter(problem => problem.severity === severity).length
    return { severity, number }
  })
  const told = left.filter(({ number }) => number > 0)
  const total = told.reduce((sum, { number }) => sum + number, 0)
  const words = told.map(({ severity, number }) => counted(number, severity))
  return {
    ...first,
    severity: told[0]?.severity ?? first.severity,
    message: `and ${total} more problems that are not listed: ${words.join(', ')}`,
  }
}

function sentence(message: Message): string {
  const text = typeof message === 'string' ? message : message()
  const short = text.replace(/"[^"]{200,}"/g, quote => `${quote.slice(0, LONGEST_QUOTE)}…"`)
  return withoutUrlPasswords(short.length > LONGEST ? `${short.slice(0, LONGEST)}…` : short)
}

/** Sorts problems by file, then by position. */
export function byPlace(a: Problem, b: Problem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1
  return a.at.line - b.at.line || a.at.column - b.at.column
}
