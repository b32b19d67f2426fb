/** Collects what a reader has to say about a file. */
import type { Position } from '../problems/problem.js'
import { newReport, type Report as ReportOf } from '../problems/report.js'
import type { LdirectordCode } from './codes.js'

/** A part of one line and where it begins. */
export interface Piece {
  readonly text: string
  /** From 1. */
  readonly line: number
  /** From 1. */
  readonly column: number
}

/** A value together with the place it came from. */
export interface Placed<T> {
  readonly value: T
  readonly at: Position
}

export type Report = ReportOf<LdirectordCode>

/** `most`: problems that are kept, where it is not for people to read all of them. */
export function createReport(file: string, most?: number): Report {
  return newReport(file, { once: false, ...(most !== undefined && { most }) })
}

/** Where a piece, or `length` characters of it from `start`, stands. */
export function placeOf(piece: Piece, start = 0, length = piece.text.length - start): Position {
  return { line: piece.line, column: piece.column + start, length: Math.max(1, length) }
}

/** Where `word` stands in the piece; the whole piece where it does not occur. */
export function placeOfWord(piece: Piece, word: string): Position {
  const start = word === '' ? -1 : piece.text.indexOf(word)
  return start < 0 ? placeOf(piece) : placeOf(piece, start, word.length)
}

/** A part of a piece, without the blanks round it. */
export function trimmed(piece: Piece): Piece {
  const text = piece.text.trimStart()
  return { text: text.trimEnd(), line: piece.line, column: piece.column + piece.text.length - text.length }
}
