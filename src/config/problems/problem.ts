/** A problem of a configuration: the error, its position and the correction. All problems of a file are collected. */
import { counted } from '../../util/plural.js'

export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** Characters to underline; at least 1. */
  readonly length: number
  /** Name of the included file. Undefined for the main file. */
  readonly file?: string
}

export interface Problem {
  /** A configuration with an error is not used. Warnings and notes are only reported. */
  readonly severity: 'error' | 'warning' | 'note'
  /** Stable, upper case with underscores: UNKNOWN_KEY. */
  readonly code: string
  /** A sentence: the error, what was expected, the closest valid word. */
  readonly message: string
  readonly file: string
  readonly at: Position
}

/** Returns `line 12`, with the name of the file if it differs from that of `here`. `main`: the name of the main file. */
export function lineOf({ line, file }: Position, here: Position, main: string): string {
  return file === here.file ? `line ${line}` : `line ${line} of ${file ?? main}`
}

/** Returns `site.yaml:7:20 there is no check "htpp"`. A file that cannot be read has no lines. */
export function inOneLine({ code, file, at, message }: Omit<Problem, 'severity'>): string {
  return code === 'FILE_UNREADABLE' ? `${file}: ${message}` : `${file}:${at.line}:${at.column} ${message}`
}

export function errorsIn(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter(({ severity }) => severity === 'error')
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(problem => problem.severity === 'error')
}

/** Returns `2 errors, 1 warning`; '' without problems. */
export function countProblems(problems: readonly Pick<Problem, 'severity'>[]): string {
  return (['error', 'warning', 'note'] as const)
    .map(severity => [severity, problems.filter(problem => problem.severity === severity).length] as const)
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => counted(number, severity))
    .join(', ')
}
