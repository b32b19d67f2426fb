/** Collects the problems of one file, each once, in the order of their places. */
import type { Code } from './codes.js'
import type { Position, Problem } from './problem.js'

export interface Report {
  error(code: Code, at: Position, message: string): void
  warn(code: Code, at: Position, message: string): void
  note(code: Code, at: Position, message: string): void
  /** By place. */
  problems(): readonly Problem[]
}

export function newReport(file: string): Report {
  const found = new Map<string, Problem>()
  const add = (severity: Problem['severity']) => (code: Code, at: Position, message: string) => {
    // A value in `defaults` is read once for each service that takes it: one mistake is one problem.
    const key = `${at.line}:${at.column} ${code}`
    if (!found.has(key)) found.set(key, { severity, code, message, file, at })
  }
  return {
    error: add('error'),
    warn: add('warning'),
    note: add('note'),
    problems: () => [...found.values()].sort(byPlace),
  }
}

/** Orders problems as they stand in the file. */
export function byPlace(a: Problem, b: Problem): number {
  return a.at.line - b.at.line || a.at.column - b.at.column
}
