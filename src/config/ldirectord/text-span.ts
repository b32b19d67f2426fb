/** Parts of a line, and where they stand in the file. */
import type { Position } from '../problems/problem.js'

/** A part of one line and where it begins. */
export interface TextSpan {
  readonly text: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** A value together with the place it came from. */
export interface Located<T> {
  readonly value: T
  readonly at: Position
}

/** Where a span, or `length` characters of it from `start`, stands. */
export function positionOf(span: TextSpan, start = 0, length = span.text.length - start): Position {
  return { line: span.line, column: span.column + start, length: Math.max(1, length) }
}

/** Where `word` stands in the span; the whole span where it does not occur. */
export function positionOfWord(span: TextSpan, word: string): Position {
  const start = word === '' ? -1 : span.text.indexOf(word)
  return start < 0 ? positionOf(span) : positionOf(span, start, word.length)
}

/** A part of a span, without the blanks round it. */
export function trimmed(span: TextSpan): TextSpan {
  const text = span.text.trimStart()
  return { text: text.trimEnd(), line: span.line, column: span.column + span.text.length - text.length }
}
