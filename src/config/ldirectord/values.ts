/**
 * Parsers for the values of directives. Each reads a value as ldirectord does. It warns if ldirectord reads something
 * else than is written, or refuses what lvsd accepts. A parser reports an error before it returns undefined.
 */
import { didYouMean } from '../../util/closest-match.js'
import type { Report } from '../problems/report.js'
import { yesOrNo } from '../problems/synonyms.js'
import type { Directive } from './lines.js'
import { positionOf, positionOfWord, type TextSpan } from './text-span.js'

/** Input of a parser: a directive that has a value. */
export interface ParseInput {
  readonly directive: Directive
  readonly value: TextSpan
  readonly report: Report
  readonly inVirtual: boolean
}

export type ValueParser<T> = (given: ParseInput) => T | undefined

function meant(word: string): string {
  const known = yesOrNo(word)
  return known === null ? didYouMean(word, ['yes', 'no']) : `; write ${known ? 'yes' : 'no'}`
}

/** `yes` or `no`. Capitals are accepted with a warning. */
export const yesNo: ValueParser<boolean> = given => {
  const { directive, value, report } = given
  const word = value.text.toLowerCase()
  if (word !== 'yes' && word !== 'no') {
    report.error(
      'BAD_VALUE',
      positionOf(value),
      `${directive.key} must be yes or no, not "${value.text}"${meant(word)}`,
    )
    return undefined
  }
  if (word !== value.text)
    report.warn(
      'LETTER_CASE',
      positionOf(value),
      `"${value.text}" is taken for ${word}; ldirectord wants lower case and refuses it`,
    )
  warnOfTail(given, `refuses the line: "${directive.key} must be 'yes' or 'no'"`)
  return word === 'yes'
}

/**
 * The first sequence of digits, as in ldirectord. Other text in the value causes a warning. `first`: the value must
 * begin with the digits.
 */
export function digits(
  what: string,
  { min = 1, max = 2 ** 31 - 1, first = false } = {},
): ValueParser<number> {
  return ({ directive, value, report }) => {
    const run = (first ? /^\d+/ : /\d+/).exec(value.text)?.[0]
    const number = Number(run)
    if (run === undefined || number < min || number > max) {
      const range = `a whole number ${max < 2 ** 31 - 1 ? `from ${min} to ${max}` : `of at least ${min}`}`
      report.error(
        'BAD_VALUE',
        positionOf(value),
        `${directive.key} is ${what}: expected ${range}, not "${value.text}"`,
      )
      return undefined
    }
    if (value.text !== run)
      report.warn(
        'ODD_NUMBER',
        positionOf(value),
        `"${value.text}" is read as ${number}, the first digits, as ldirectord reads it; write ${directive.key} = ${number}`,
      )
    return number
  }
}

/**
 * A value in quotes, up to the last quote. Text after it is ignored with a warning. A value without quotes is accepted
 * with a warning.
 */
export function quoted({ empty = false, secret = false } = {}): ValueParser<string> {
  return ({ directive, value, report, inVirtual }) => {
    const match = /^"(.*)"(.*)$/s.exec(value.text)
    const text = tabsToBlanks(match ? (match[1] ?? '') : value.text, inVirtual)
    if (!match && /^["']|["']$/.test(value.text)) {
      report.error(
        'BAD_QUOTES',
        positionOf(value),
        `${directive.key} takes its value in a pair of double quotes: ${directive.key} = "…"`,
      )
      return undefined
    }
    if (text === '' && !empty) {
      report.error('BAD_VALUE', positionOf(value), `${directive.key} must not be empty`)
      return undefined
    }
    if (!match && directive.tail === 'comment without a blank')
      report.warn(
        'HASH_IN_VALUE',
        positionOf(value, value.text.length, 1),
        `the # begins a comment, and what stands behind it is no part of ${directive.key}: put the value in double quotes to keep it; ldirectord cuts it all the same`,
      )
    if (!match)
      report.warn(
        'MISSING_QUOTES',
        positionOf(value),
        `${directive.key} belongs in double quotes: ${directive.key} = "${secret ? '…' : text}"; ldirectord refuses the line`,
      )
    if (match?.[2]?.trim())
      report.warn(
        'IGNORED_TEXT',
        positionOfWord(value, match[2].trim()),
        `${secret ? 'what' : `"${match[2].trim()}"`} stands behind the closing quote and is ignored, as ldirectord does`,
      )
    return text
  }
}

/**
 * A value with or without quotes. `exact`: blanks after an unquoted value cause a warning, because ldirectord includes
 * them.
 */
export function maybeQuoted({ empty = false, exact = false } = {}): ValueParser<string> {
  return given => {
    const { directive, value, report, inVirtual } = given
    const inQuotes = /^"(.*)"/.exec(value.text)?.[1]
    const text = tabsToBlanks(inQuotes ?? value.text, inVirtual)
    if (text === '' && !empty) {
      report.error('BAD_VALUE', positionOf(value), `${directive.key} must not be empty`)
      return undefined
    }
    if (!inVirtual) warnOfTail(given, 'takes the comment as part of the value')
    else if (exact && inQuotes === undefined && /^(blanks|comment)$/.test(directive.tail)) warnOfBlanks(given)
    return text
  }
}

/**
 * The rest of the line, including quotes. `plain`: quotes around the value are removed with a warning. `exact`: blanks
 * after the value cause a warning, because ldirectord includes them. `tail`: what ldirectord does with a comment after
 * a global directive.
 */
export function restOfLine({
  plain = false,
  empty = false,
  exact = false,
  tail = 'takes the comment as part of the value',
} = {}): ValueParser<string> {
  return given => {
    const { directive, value, report, inVirtual } = given
    if (value.text === '' && !empty) {
      report.error('BAD_VALUE', directive.keyAt, `${directive.key} needs a value`)
      return undefined
    }
    if (!inVirtual && directive.tail !== 'blanks') warnOfTail(given, tail)
    if (exact && directive.tail === 'blanks') warnOfBlanks(given)
    const bare = plain ? /^"(.*)"$/.exec(value.text)?.[1] : undefined
    if (bare === undefined) return tabsToBlanks(value.text, inVirtual)
    report.warn(
      'NEEDLESS_QUOTES',
      positionOf(value),
      `the quotes are left out: ${directive.key} = ${bare}; ldirectord takes them as part of the value or refuses it`,
    )
    return bare
  }
}

/** One of these words. ldirectord reads the first sequence of letters, digits and `_` in the value. */
export function oneOf<const T extends string>(words: readonly T[]): ValueParser<T> {
  return ({ directive, value, report }) => {
    const bare = /^"(.*)"$/.exec(value.text)?.[1] ?? value.text
    const first = /\w+/.exec(bare)?.[0] ?? ''
    const known = words.find(word => word === first)
    if (known === undefined)
      report.error(
        'BAD_VALUE',
        positionOf(value),
        `"${bare}" is no ${directive.key}: expected ${listed(words)}${didYouMean(bare, words)}`,
      )
    else if (known !== bare)
      report.warn('IGNORED_TEXT', positionOf(value), `"${bare}" is read as ${known}, as ldirectord reads it`)
    return known
  }
}

/** Warns about what ldirectord does with a comment or blanks after the value. */
export function warnOfTail({ directive, value, report, inVirtual }: ParseInput, does: string): void {
  const { tail } = directive
  // In a virtual, ldirectord removes the comment, but not the blanks before it.
  if (tail === 'nothing' || (inVirtual && tail === 'comment without a blank')) return
  const end = positionOf(value, value.text.length, 1)
  if (tail !== 'blanks')
    report.warn(
      'TRAILING_COMMENT',
      end,
      `the comment is left out; ldirectord ${does}. Put it on a line of its own`,
    )
  else if (does.startsWith('refuses'))
    report.warn('TRAILING_BLANKS', end, `the blanks at the end of the line are left out; ldirectord ${does}`)
}

function warnOfBlanks({ directive, value, report }: ParseInput): void {
  report.warn(
    'TRAILING_BLANKS',
    positionOf(value, value.text.length, 1),
    `the blanks behind the value are left out; ldirectord takes them as part of ${directive.key}`,
  )
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}

/** In a virtual, ldirectord replaces each tab by four blanks, also in quotes. */
function tabsToBlanks(text: string, inVirtual: boolean): string {
  return inVirtual ? text.replaceAll('\t', '    ') : text
}
