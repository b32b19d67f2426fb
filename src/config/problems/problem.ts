/** What is wrong with a configuration, where, and what would be right. All problems of a file are collected. */

export interface Position {
  /** From 1. */
  readonly line: number
  /** From 1, in characters. */
  readonly column: number
  /** Characters to underline; at least 1. */
  readonly length: number
  /** Where that is not the configuration itself but a file that it includes. */
  readonly file?: string
}

export interface Problem {
  /** Errors keep a configuration from running; warnings and notes are told and go on. */
  readonly severity: 'error' | 'warning' | 'note'
  /** Stable, upper case with underscores: UNKNOWN_KEY. */
  readonly code: string
  /** A sentence: what is wrong, what was expected, the nearest right word. */
  readonly message: string
  readonly file: string
  readonly at: Position
}

/** `line 12`, with its file where that is another one than that of `here`. */
export function lineOf({ line, file }: Position, here: Position): string {
  return file === here.file ? `line ${line}` : `line ${line} of ${file ?? 'the first file'}`
}

export function hasErrors(problems: readonly Problem[]): boolean {
  return problems.some(problem => problem.severity === 'error')
}
