/** Parsers for the values of ldirectord's mail directives. */
import { bracketed, parseAddress } from '../../core/address.js'
import { isMailAddress, readMailServer, splitAddresses } from '../../core/mail-address.js'
import { didYouMean } from '../../util/closest-match.js'
import { positionOf, positionOfWord } from './text-span.js'
import { listed, type ParseInput, restOfLine, type ValueParser, warnOfTail } from './values.js'

/** Addresses, separated by commas or blanks. */
export const mailAddresses: ValueParser<readonly string[]> = given => {
  const line = restOfLine()(given)
  if (line === undefined) return undefined
  const bare = /^"([^"]*)"$/.exec(line)?.[1] ?? line
  if (bare !== '') return splitAddresses(bare).filter(word => isAddress(word, given))
  given.report.error('BAD_VALUE', positionOf(given.value), 'emailalert must not be empty')
  return undefined
}

/** One address, with an optional name before it. */
export const mailSender: ValueParser<string | null> = given => {
  const line = restOfLine()(given)
  if (line === undefined) return undefined
  const bare = /^"([^"]*)"$/.exec(line)?.[1] ?? line
  return isAddress(bare, given) ? bare : null
}

/**
 * True for a mail address. Others are left out with a warning, because one of them would stop every mail. ldirectord
 * does not test addresses.
 */
function isAddress(word: string, { directive, value, report }: ParseInput): boolean {
  if (isMailAddress(word)) return true
  report.warn(
    'BAD_MAIL_ADDRESS',
    positionOfWord(value, word),
    `"${word}" is no mail address and is left out; ldirectord hands ${directive.key} to the mail server as it is`,
  )
  return false
}

/** A name or an address, with an optional port, which ldirectord does not support. */
export const mailServer: ValueParser<string> = given => {
  const { value, report } = given
  const text = restOfLine({ plain: true })(given)
  if (text === undefined) return undefined
  const first = text.split(/[\s,;]/)[0] ?? ''
  const server = readMailServer(first)
  if (!server) {
    report.error('BAD_VALUE', positionOf(value), `smtp takes the name or address of a server, not "${text}"`)
    return undefined
  }
  const address = parseAddress(server.host)
  const host = address ? bracketed(address) : server.host
  if (first !== text)
    report.warn(
      'IGNORED_TEXT',
      positionOfWord(value, text.slice(first.length)),
      `only ${first} counts; the rest is ignored, as ldirectord does`,
    )
  if (address?.family === 'ipv6')
    report.warn('ODD_ADDRESS', positionOf(value), 'an IPv6 address; ldirectord refuses it')
  else if (first !== host)
    report.warn(
      'IGNORED_TEXT',
      positionOfWord(value, first.slice(host.length)),
      `mails go to port ${server.port}; ldirectord ignores that and takes port 25`,
    )
  return server.port === 25 ? host : `${host}:${server.port}`
}

const EMAIL_STATUSES = ['all', 'none', 'starting', 'stopping', 'running', 'reloading']

/** Words, separated by commas. */
export const emailStatus: ValueParser<readonly string[]> = given => {
  const { value, report } = given
  if (value.text === '') {
    report.warn(
      'NO_VALUE',
      positionOf(value),
      'no mails at all, as with ldirectord; write emailalertstatus = none',
    )
    return ['none']
  }
  const words = value.text
    .replace(/,+$/, '')
    .split(',')
    .map(word => word.trim())
  const wrong = words.find(word => !EMAIL_STATUSES.includes(word))
  if (wrong === undefined && !(words.includes('none') && words.length > 1)) {
    warnOfTail(given, 'refuses the line')
    return words
  }
  const why =
    wrong === undefined
      ? '"none" cannot stand beside others'
      : `expected ${listed(EMAIL_STATUSES)}, not "${wrong}"`
  report.error(
    'BAD_VALUE',
    positionOfWord(value, wrong ?? 'none'),
    `emailalertstatus: ${why}${didYouMean(wrong ?? '', EMAIL_STATUSES)}`,
  )
  return undefined
}
