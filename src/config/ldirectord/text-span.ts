/** Parts of a line, with their positions in the file. */
import type { Position } from '../problems/problem.js'

/** A part of one line, with the position of its first character. */
export interface TextSpan {
  readonly text: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** A value with the position that it comes from. */
export interface Located<T> {
  readonly value: T
  readonly at: Position
}

/** Returns the position of a span, or of `length` characters of it from `start`. */
export function positionOf(span: TextSpan, start = 0, length = span.text.length - start): Position {
  return { line: span.line, column: span.column + start, length: Math.max(1, length) }
}

/** Returns the position of `word` in the span, or of the whole span if it does not contain the word. */
export function positionOfWord(span: TextSpan, word: string): Position {
  const start = word === '' ? -1 : span.text.indexOf(word)
  return start < 0 ? positionOf(span) : positionOf(span, start, word.length)
}

/** Returns the span without surrounding blanks. */
export function trimmed(span: TextSpan): TextSpan {
  const text = span.text.trimStart()
  return { text: text.trimEnd(), line: span.line, column: span.column + span.text.length - text.length }
}
