/**
 * Parses the text after the address of a real server: `forwarding [weight] ["request", "receive"] [l:N] [u:N]`.
 * A line is parsed twice: as ldirectord does, and literally. If the results differ, that of ldirectord is used, with a
 * warning. The literal result is used if ldirectord refuses the line, or misreads its thresholds.
 */
import { MAX_WEIGHT } from '../../core/model.js'
import { didYouMean } from '../../util/closest-match.js'
import type { Position, Problem } from '../problems/problem.js'
import type { ProblemCode, Report } from '../problems/report.js'
import { synonymOf } from '../problems/synonyms.js'
import { splitToken } from './addresses.js'
import { positionOf, positionOfWord, type TextSpan, trimmed } from './text-span.js'
import { FORWARDINGS, type ForwardingWord } from './vocabulary.js'

export interface RealParams {
  readonly forwarding: ForwardingWord
  readonly weight: number
  readonly pair: { readonly request: string; readonly receive: string } | null
  readonly lower: number | null
  readonly upper: number | null
}

/** Parses the text after the address. Reports an error and returns null if it is invalid. */
export function parseRealParams(rest: TextSpan, at: Position, report: Report): RealParams | null {
  const theirs = readAsLdirectord(rest.text)
  const plain = readLiterally(rest, at)
  const isMeant = plain.isMeant && !theirs?.isLost
  const isPlain = theirs === null || isMeant || sameParams(theirs.how, plain.how)
  const how = isPlain ? plain.how : theirs.how
  if (isPlain) for (const { severity, code, at, message } of plain.told) report[severity](code, at, message)
  if (theirs === null && how && plain.told.length === 0)
    report.warn(
      'IGNORED_TEXT',
      positionOf(trimmed(rest)),
      `read as ${inWords(how)}; ldirectord refuses the line: write it that way`,
    )
  if (!isPlain && theirs.isLost) reportLost(rest, at, report)
  if (!isPlain && !theirs.isLost)
    report.warn(
      'IGNORED_TEXT',
      positionOf(trimmed(rest)),
      `read as ${inWords(theirs.how)}, as ldirectord reads it; what else stands there is ignored`,
    )
  return how && kernelTakes(how, rest, report)
}

/** The kernel refuses weights over its limit, and a lower threshold without a higher upper one. */
function kernelTakes(how: RealParams, rest: TextSpan, report: Report): RealParams | null {
  if (how.weight > MAX_WEIGHT) {
    report.error('BAD_REAL', positionOfWord(rest, String(how.weight)), `a weight is at most ${MAX_WEIGHT}`)
    return null
  }
  if ((how.lower ?? 0) <= (how.upper ?? 0)) return how
  report.warn(
    'LOWER_THRESHOLD',
    positionOfWord(rest, `l:${how.lower}`),
    `l:${how.lower} is left out: the kernel refuses a lower threshold ${how.upper ? `above the upper one, u:${how.upper}` : 'without an upper one, u:N'}, and with ldirectord this server never gets traffic`,
  )
  return { ...how, lower: null }
}

// ---------------------------------------------------------------- as ldirectord reads it

interface LdirectordReading {
  readonly how: RealParams
  /** ldirectord matches a pair, then discards it with all that follows. */
  readonly isLost: boolean
}

/**
 * Returns null if ldirectord refuses the line. As in ldirectord, each part is searched anywhere after the previous one.
 */
function readAsLdirectord(text: string): LdirectordReading | null {
  const [word = '', behind] = cut(/(\w+)(.*)/, text)
  const forwarding = FORWARDINGS.find(known => known === word)
  if (!forwarding) return null
  const [weight, behindWeight] = cut(/\s+(\d+)(.*)/, behind)
  const base = { forwarding, weight: Number(weight ?? 1) }
  const [request, receive, behindPair] = cutPair(behindWeight)
  // ldirectord tests the first character with another match, which discards the groups of this one.
  if (request?.startsWith('/'))
    return { how: { ...base, pair: null, lower: null, upper: null }, isLost: true }
  const [lower, behindLower] = cut(/\s+l:(\d+)(.*)/, behindPair)
  const [upper, end] = cut(/\s+u:(\d+)(.*)/, behindLower)
  if (end.trim() !== '') return null
  const pair = request === undefined ? null : { request, receive }
  return { how: { ...base, pair, lower: numberOr(lower), upper: numberOr(upper) }, isLost: false }
}

/** Returns the first group and the rest of the text, or undefined and the whole text if nothing matches. */
function cut(pattern: RegExp, text: string): [found: string | undefined, rest: string] {
  const match = pattern.exec(text)
  return match ? [match[1], match[2] ?? ''] : [undefined, text]
}

function cutPair(text: string): [request: string | undefined, receive: string, rest: string] {
  const match = /\s+"(.*)"[, ]\s*"(.*)"(.*)/.exec(text)
  if (!match) return [undefined, '', text]
  const [, request, receive, rest] = match.map(part => part.replaceAll('\t', '    '))
  return [request, receive ?? '', rest ?? '']
}

function numberOr(text: string | undefined): number | null {
  return text === undefined ? null : Number(text)
}

function sameParams(one: RealParams, other: RealParams | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function inWords({ forwarding, weight, pair, lower, upper }: RealParams): string {
  return [
    `${forwarding} ${weight}`,
    pair && `"${pair.request}", "${pair.receive}"`,
    lower !== null && `l:${lower}`,
    upper !== null && `u:${upper}`,
  ]
    .filter(Boolean)
    .join(' ')
}

function reportLost(rest: TextSpan, at: Position, report: Report): void {
  const quote = rest.text.indexOf('"')
  report.warn(
    'PAIR',
    quote < 0 ? at : positionOf(rest, quote),
    'ignored, with all that follows: ldirectord forgets a pair whose request begins with a /, and asks for what the virtual says. For this request and answer to count leave the / out',
  )
}

// ---------------------------------------------------------------- literal parsing

interface Remark {
  readonly severity: 'error' | 'warn'
  readonly code: ProblemCode
  readonly at: Problem['at']
  readonly message: string
}

interface Plain {
  readonly how: RealParams | null
  readonly told: readonly Remark[]
  /** True for thresholds that ldirectord misreads: in quotes, as in its man page, or with u: before l:. */
  readonly isMeant: boolean
}

function readLiterally(rest: TextSpan, at: Position): Plain {
  const told: Remark[] = []
  const notes = {
    error: (code: ProblemCode, at: Position, message: string) =>
      told.push({ severity: 'error', code, at, message }),
    warn: (code: ProblemCode, at: Position, message: string) =>
      told.push({ severity: 'warn', code, at, message }),
  }
  const how = literalParams(rest, at, notes)
  const isMeant = how !== null && told.some(({ code }) => code.startsWith('THRESHOLD_'))
  return { how, told, isMeant }
}

type Notes = Pick<Report, 'error' | 'warn'>

function literalParams(rest: TextSpan, at: Position, notes: Notes): RealParams | null {
  const [word] = splitToken(rest.text)
  const forwarding = readForwarding(word, word === '' ? at : positionOfWord(rest, word), notes)
  if (!forwarding) return null
  const tail = trimmed({ ...rest, text: rest.text.slice(word.length), column: rest.column + word.length })
  const [weightText = ''] = /^\d+(?=\s|$)/.exec(tail.text) ?? []
  const extras = trimmed({
    ...tail,
    text: tail.text.slice(weightText.length),
    column: tail.column + weightText.length,
  })
  const read = readExtras(extras, weightText !== '', notes)
  return read && { forwarding, weight: weightText === '' ? 1 : Number(weightText), ...read }
}

/** Returns the forwarding after an address. Reports an error and returns null if it is none of the three. */
export function readForwarding(word: string, at: Position, report: Notes): ForwardingWord | null {
  const known = FORWARDINGS.find(forwarding => forwarding === word)
  if (known) return known
  const message =
    word === ''
      ? 'expected gate, masq or ipip behind the address'
      : word.startsWith('->')
        ? 'a range is written without blanks: 192.0.2.1->192.0.2.9:80'
        : `the forwarding is gate, masq or ipip, not "${word}"${nearForwarding(word)}`
  report.error('BAD_FORWARDING', at, message)
  return null
}

function nearForwarding(word: string): string {
  const synonym = synonymOf(word, FORWARDINGS)
  return synonym === null ? didYouMean(word, FORWARDINGS) : `; write ${synonym}`
}

/** Matches a part after the weight: a quoted text, a threshold, a comma, or anything else, which is an error. */
const PART = /"([^"]*)"|([lu]):(\d+)|(,)|(\S+)/g

function readExtras(
  extras: TextSpan,
  hasWeight: boolean,
  notes: Notes,
): Pick<RealParams, 'pair' | 'lower' | 'upper'> | null {
  const strings: RegExpExecArray[] = []
  const limits = new Map<string, number>()
  for (const part of extras.text.matchAll(PART)) {
    const [all, string, letter, number, , other] = part
    const quotedLimit = /^([lu]):(\d+)$/.exec(string ?? '')
    if (other !== undefined) {
      notes.error(
        'BAD_REAL',
        positionOf(extras, part.index, all.length),
        `"${other}" does not belong here: expected [weight] ["request", "receive"] [l:N] [u:N]`,
      )
      return null
    }
    if (quotedLimit)
      notes.warn(
        'THRESHOLD_QUOTES',
        positionOf(extras, part.index, all.length),
        'taken for a threshold, as in the man page of ldirectord; the program takes it for a request or an answer',
      )
    else if (string !== undefined) strings.push(part)
    const [, name = letter, value = number] = quotedLimit ?? []
    if (name === 'l' && limits.has('u'))
      notes.warn(
        'THRESHOLD_ORDER',
        positionOf(extras, part.index, all.length),
        'ldirectord wants l: before u:, and loses the u: here',
      )
    if (name !== undefined) limits.set(name, Number(value))
  }
  const pair = readPair(strings, extras, hasWeight, notes)
  if (pair === undefined) return null
  return { pair, lower: limits.get('l') ?? null, upper: limits.get('u') ?? null }
}

function readPair(
  strings: readonly RegExpExecArray[],
  extras: TextSpan,
  hasWeight: boolean,
  notes: Notes,
): RealParams['pair'] | undefined {
  const [first, second] = strings
  if (!first) return null
  if (!second || strings.length > 2) {
    notes.error('BAD_REAL', positionOf(extras), 'a request and an answer go together: "request", "receive"')
    return undefined
  }
  const between = extras.text.slice(first.index + first[0].length, second.index)
  const eaten = !hasWeight && /\s\d/.test(extras.text)
  if (!/^[, ]\s*$/.test(between) || eaten)
    notes.warn(
      'PAIR',
      positionOf(extras, first.index, second.index + second[0].length - first.index),
      eaten
        ? 'a number inside the quotes: ldirectord takes it for the weight and refuses the line; write a weight before the quotes'
        : 'ldirectord wants the two with one comma between, and no blank before it',
    )
  const [request = '', receive = ''] = [first, second].map(([, text = '']) => text.replaceAll('\t', '    '))
  return { request, receive }
}
