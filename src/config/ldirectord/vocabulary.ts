/** Words of ldirectord, and parsers for values made of them. */
import { didYouMean } from '../../util/closest-match.js'
import { CHECK_TYPE_NAMES } from './kinds.js'
import { positionOf, positionOfWord } from './text-span.js'
import { listed, maybeQuoted, quoted, restOfLine, type ValueParser, warnOfTail } from './values.js'

export const FORWARDINGS = ['gate', 'masq', 'ipip'] as const
export type ForwardingWord = (typeof FORWARDINGS)[number]

const CHECK_TYPES = ['negotiate', ...CHECK_TYPE_NAMES] as const
/** A number is the number of connects between two negotiations. */
export type CheckType = (typeof CHECK_TYPES)[number] | number

/** A word or a number. ldirectord reads any value that contains a digit as a number. */
export const checkTypes: ValueParser<CheckType> = ({ value, report }) => {
  const bare = /^"(.*)"$/.exec(value.text)?.[1] ?? value.text
  if (/^\d{1,6}(?!\S)/.test(bare)) return Number.parseInt(bare, 10)
  const digits = /\d+/.exec(bare)?.[0]
  const word = /[\w-]+/.exec(bare)?.[0] ?? ''
  const known = digits === undefined ? CHECK_TYPES.find(type => type === word) : undefined
  if (known && known !== bare)
    report.warn('IGNORED_TEXT', positionOf(value), `"${bare}" is read as ${known}, as ldirectord reads it`)
  if (known) return known
  const guess =
    digits === undefined ? '' : ` (ldirectord would take the ${digits} in it for a number of connects)`
  report.error(
    'BAD_VALUE',
    positionOf(value),
    `"${bare}" is no checktype: expected ${listed(CHECK_TYPES)}, or a number${guess}${didYouMean(word, CHECK_TYPES)}`,
  )
  return undefined
}

/** Unused by ldirectord, but it must contain a letter or a digit. */
export const load: ValueParser<string> = given => {
  const text = quoted()(given)
  if (text === undefined || /\w/.test(text)) return text
  given.report.error(
    'BAD_VALUE',
    positionOf(given.value),
    'load needs a letter or a digit; it is never used: leave the line out',
  )
  return undefined
}

export const httpMethods: ValueParser<'GET' | 'HEAD'> = ({ value, report }) => {
  const word = /\w+/.exec(value.text)?.[0]?.toUpperCase()
  if (word === 'GET' || word === 'HEAD') return word
  report.error('BAD_VALUE', positionOf(value), `httpmethod must be GET or HEAD, not "${value.text}"`)
  return undefined
}

/**
 * A command line for the shell. In a virtual ldirectord removes the quotes around it; in the global part it passes them
 * to the shell.
 */
export const commandLine: ValueParser<string> = given => {
  if (given.inVirtual) return maybeQuoted()(given)
  const { value, report } = given
  if (/^"\S+\s[^"]*"$/.test(value.text))
    report.warn(
      'COMMAND_ARGUMENTS',
      positionOf(value),
      'in quotes the whole is the name of one program, as with ldirectord; without the quotes the first word is',
    )
  return restOfLine()(given)
}

/** Text up to the first quote, or between the first two. Text after it is ignored. */
export const virtualHost: ValueParser<string> = given => {
  const { value, report } = given
  const read = /"?([^"]*)"?/.exec(value.text)
  if (!read) return undefined
  const rest = value.text.slice(read[0].length).trim()
  if (rest !== '')
    report.warn(
      'IGNORED_TEXT',
      positionOfWord(value, rest),
      `only ${read[1]} counts; the rest is ignored, as ldirectord does`,
    )
  const quoted = read[0].startsWith('"')
  const spoilt = quoted ? /\s$/.test(read[1] ?? '') : /^(blanks|comment)$/.test(given.directive.tail)
  if (spoilt)
    report.warn(
      'TRAILING_BLANKS',
      positionOf(value, value.text.length, 1),
      'blanks behind the name are left out; ldirectord sends them to the servers',
    )
  return read[1]?.trimEnd()
}

/** The first sequence of lower-case letters. ldirectord reads `Wrr` as `rr`; lvsd refuses it. */
export const scheduler: ValueParser<string> = ({ value, report }) => {
  const found = /[a-z]+/.exec(value.text)
  const word = found?.[0]
  if (word === undefined || found?.index !== 0) {
    const guess = word === undefined ? '' : `; ldirectord would take it for ${word}`
    report.error(
      'BAD_VALUE',
      positionOf(value),
      `a scheduler is a word in lower case, such as wlc, not "${value.text}"${guess}`,
    )
    return undefined
  }
  if (word !== value.text)
    report.warn(
      'IGNORED_TEXT',
      positionOf(value, word.length),
      `only ${word} counts; the rest is ignored, as ldirectord does`,
    )
  return word
}

const FLAG_WORDS = ['sh-fallback', 'sh-port', 'mh-fallback', 'mh-port', 'flag-1', 'flag-2', 'flag-3']

/** Words of ipvsadm's option `-b`, separated by commas. */
export const schedulerFlagWords: ValueParser<readonly string[]> = ({ value, report }) => {
  const [first = ''] = value.text.split(/\s/)
  const words = first.split(',').filter(word => word !== '')
  const wrong = words.find(word => !FLAG_WORDS.includes(word))
  if (wrong === undefined && words.length > 0) return words
  report.error(
    'BAD_VALUE',
    positionOfWord(value, wrong ?? ''),
    `schedflags takes ${listed(FLAG_WORDS)}, with commas between them, not "${wrong ?? value.text}"${didYouMean(wrong ?? '', FLAG_WORDS)}`,
  )
  return undefined
}

/** A netmask or a prefix length. `service-keys.ts` judges whether the family of the virtual allows it. */
export const netmask: ValueParser<string> = given => {
  const read = restOfLine()(given)
  if (read === undefined) return undefined
  warnOfTail(given, 'refuses the line')
  const isPrefix = /^\d{1,3}$/.test(read) && Number(read) >= 1 && Number(read) <= 128
  if (isPrefix || /^\d+\.\d+\.\d+\.\d+$/.test(read)) return read
  given.report.error(
    'BAD_VALUE',
    positionOf(given.value),
    `netmask is a dotted quad such as 255.255.255.0, or for IPv6 a prefix length from 1 to 128, not "${read}"`,
  )
  return undefined
}
