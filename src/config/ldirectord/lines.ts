/**
 * Splits an ldirectord.cf into lines, and lines into key, value and comment. It also handles the byte order mark, line
 * ends and blanks. Columns are those of the file.
 */
import { eachInSteps, runSync, type Sliced } from '../../util/time-slice.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import { positionOf, type TextSpan, trimmed } from './text-span.js'

/** A comment of the file. A `trailing` one follows a directive. */
export interface Comment {
  readonly line: number
  /** Text without the `#`. */
  readonly text: string
  readonly trailing: boolean
  /** Number of columns before the comment. */
  readonly indent: number
}

/** Text between a value and the end of its line. ldirectord includes it in some values. */
export type Tail = 'nothing' | 'blanks' | 'comment' | 'comment without a blank'

export interface Directive {
  readonly key: string
  readonly keyAt: Position
  /** Empty if nothing follows the `=`. Null if there is no `=`. */
  readonly value: TextSpan | null
  readonly tail: Tail
}

export type Line =
  /** `wide`: ldirectord reads these blanks as a directive. */
  | { readonly kind: 'blank'; readonly line: number; readonly wide: boolean }
  | { readonly kind: 'comment'; readonly line: number }
  | {
      readonly kind: 'directive'
      readonly line: number
      readonly indent: number
      readonly directive: Directive
    }
  | { readonly kind: 'junk'; readonly line: number; readonly at: Position; readonly text: string }

export interface Lines {
  readonly lines: readonly Line[]
  readonly comments: readonly Comment[]
}

/** Characters that look like a blank. ldirectord does not accept them as one. */
const ODD_BLANKS = /[\r\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000\ufeff]/g
const CURLY = /[\u201c\u201d\u201e\u201f]/

export function splitLines(text: string, report: Report): Lines {
  return runSync(splittingLines(text, report))
}

/** Same as `splitLines`, in time slices. */
export function* splittingLines(text: string, report: Report): Sliced<Lines> {
  const lines: Line[] = []
  const comments: Comment[] = []
  yield* eachInSteps(rawLines(text, report), (raw, i) => {
    lines.push(readLine(raw, i + 1, report, comments))
  })
  return { lines, comments }
}

function rawLines(text: string, report: Report): string[] {
  const start = { line: 1, column: 1, length: 1 }
  if (text.startsWith('\ufeff'))
    report.warn(
      'BYTE_ORDER_MARK',
      start,
      'the file begins with a byte order mark, which is ignored; ldirectord refuses the first line because of it',
    )
  if (/\r(\n|$)/.test(text))
    report.warn(
      'CARRIAGE_RETURNS',
      start,
      'the lines end in CR LF, and the CR is ignored; ldirectord refuses yes and no values in such a file',
    )
  const raw = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map(line => line.replace(/\r+$/, ''))
  if (raw.at(-1) === '') raw.pop()
  return raw
}

function readLine(raw: string, line: number, report: Report, comments: Comment[]): Line {
  const code = plainBlanks(raw, line, report)
  const lead = /^\s*/.exec(code)?.[0] ?? ''
  const indent = lead.replaceAll('\t', '    ').length
  if (lead === code) return { kind: 'blank', line, wide: indent > 4 }
  if (code[lead.length] === '#') {
    comments.push({ line, text: code.slice(lead.length + 1), trailing: false, indent })
    return { kind: 'comment', line }
  }
  const piece: TextSpan = { text: code.slice(lead.length), line, column: lead.length + 1 }
  const directive = readDirective(piece, report, comments)
  if (directive) return { kind: 'directive', line, indent, directive }
  return { kind: 'junk', line, at: positionOf(trimmed(piece)), text: piece.text.trim() }
}

/** Replaces characters that look like blanks by blanks, except in quotes and comments. */
function plainBlanks(raw: string, line: number, report: Report): string {
  const end = commentStart(raw)
  const code = raw.slice(0, end)
  const plain = code.replace(/"[^"]*"|[^"]+/g, part =>
    part.startsWith('"') ? part : part.replace(ODD_BLANKS, ' '),
  )
  const first = [...plain].findIndex((char, i) => char !== code[i])
  if (first >= 0)
    report.warn(
      'ODD_BLANK',
      { line, column: first + 1, length: 1 },
      `the character U+${hex(code, first)} is taken for a blank; ldirectord does not, and refuses the line or takes it for part of the value`,
    )
  return plain + raw.slice(end)
}

function hex(text: string, index: number): string {
  return (text.charCodeAt(index) || 0).toString(16).toUpperCase().padStart(4, '0')
}

function readDirective(piece: TextSpan, report: Report, comments: Comment[]): Directive | null {
  const match = /^([A-Za-z_][\w-]*)(\s*)(=(\s*)|(?=#)|$)/.exec(piece.text)
  if (!match) return null
  const [all, key = '', , equals] = match
  const keyAt = positionOf(piece, 0, key.length)
  reportEncoding(piece, report)
  const rest: TextSpan = {
    text: piece.text.slice(all.length),
    line: piece.line,
    column: piece.column + all.length,
  }
  const { value, tail } = cutComment(straightQuotes(rest, report), report, comments)
  return { key, keyAt, value: equals?.startsWith('=') ? value : null, tail }
}

/** Reports bytes that are not UTF-8. Their value is lost when the file is read. */
function reportEncoding(piece: TextSpan, report: Report): void {
  const lost = piece.text.slice(0, commentStart(piece.text)).indexOf('\ufffd')
  if (lost >= 0)
    report.error(
      'NOT_UTF8',
      positionOf(piece, lost, 1),
      'this character is not UTF-8: save the file as UTF-8',
    )
}

/** Replaces curly quotes, which some editors insert, by plain ones if the value begins with one. */
function straightQuotes(piece: TextSpan, report: Report): TextSpan {
  if (!CURLY.test(piece.text[0] ?? '')) return piece
  report.warn(
    'CURLY_QUOTES',
    positionOf(piece, 0, 1),
    'curly quotes are taken for plain ones ("); ldirectord does not know them and refuses the line',
  )
  return { ...piece, text: piece.text.replace(new RegExp(CURLY, 'g'), '"') }
}

function cutComment(piece: TextSpan, report: Report, comments: Comment[]): { value: TextSpan; tail: Tail } {
  const end = commentStart(piece.text)
  if (end < piece.text.length)
    comments.push({ line: piece.line, text: piece.text.slice(end + 1), trailing: true, indent: piece.column })
  const text = piece.text.slice(0, end).trimEnd()
  if (text.includes('#'))
    report.warn(
      'HASH_IN_QUOTES',
      positionOf(piece, text.indexOf('#'), 1),
      'the # stands in quotes and is kept; ldirectord cuts a line of a virtual at the first #, quotes or not',
    )
  const comment = text.length < end ? 'comment' : 'comment without a blank'
  const blanks = text.length < end ? 'blanks' : 'nothing'
  return { value: { ...piece, text }, tail: end < piece.text.length ? comment : blanks }
}

/**
 * Returns the offset at which the comment of a line begins, or the length of the line if there is none. A `#` between
 * two quotes is text.
 */
function commentStart(text: string): number {
  const hash = text.indexOf('#')
  if (hash < 0) return text.length
  const quotesBefore = text.slice(0, hash).split('"').length - 1
  if (quotesBefore % 2 === 0) return hash
  const close = text.indexOf('"', hash)
  if (close < 0) return hash
  const after = commentStart(text.slice(close + 1))
  return close + 1 + after
}
