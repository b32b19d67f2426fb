/** The checks of a real server: `check` and `checks` of defaults, service and real server laid over each other. */

import type { Check } from '../../check/check.js'
import { markOf } from '../../check/option-types.js'
import { isLinkLocal, parseAddress, parseHostPort } from '../../core/address.js'
import type { CheckPolicy, CheckUse } from '../../core/model.js'
import { readPattern } from '../../search/perl-flags.js'
import { searchRegExp } from '../../search/search.js'
import { didYouMean } from '../../util/closest-match.js'
import { readPort } from '../endpoints.js'
import { hintFor, optionHint } from '../problems/hints.js'
import type { Position } from '../problems/problem.js'
import { kindFor } from '../problems/synonyms.js'
import { type RawEntry, type RawNode, sortOf } from '../raw.js'
import { type Fields, isMisspelt, isNothing, readFields } from '../read-fields.js'
import { checkFields, policyFields } from '../schema/schema.js'
import { tellBareNumber } from './bare-numbers.js'
import type { Context } from './context.js'
import { withDefaults } from './layers.js'
import { markedEntry } from './marked.js'
import { areFilesThere, codeOfSentence, placeOfSentence } from './option-places.js'

/** One check before its kind is looked up: the entries that count, each with its place. */
export interface Draft {
  readonly at: Position
  readonly kind: { readonly name: string; readonly at: Position } | null
  /** All but the kind. */
  readonly entries: readonly RawEntry[]
  /** Wrong in itself, which has been told. */
  readonly isBroken?: true
}

type CheckKeys = { entry(key: 'check' | 'checks'): RawEntry | undefined }

/** What one level says; null where it says nothing. */
export function draftsOf(level: CheckKeys, context: Context): readonly Draft[] | null {
  const check = level.entry('check')
  const checks = level.entry('checks')
  if (check && checks)
    context.report.error(
      'CHECK_TWICE',
      checks.keyAt,
      'give either check or checks; checks takes a list of several',
    )
  const entry = check ?? checks
  if (!entry) return null
  if (isNothing(entry.value)) {
    context.report.error(
      'WRONG_TYPE',
      entry.keyAt,
      `"${entry.key}" has no value; for no check at all write none`,
    )
    return [{ ...NOTHING, at: entry.keyAt }]
  }
  const nodes = entry.value.kind === 'list' ? entry.value.items : [entry.value]
  return nodes.map(node => draftOf(node, context))
}

const NOTHING = { kind: null, entries: [], isBroken: true } as const

function draftOf(node: RawNode, { report }: Context): Draft {
  if (node.kind === 'scalar' && typeof node.value === 'string')
    return { at: node.at, kind: { name: node.value, at: node.at }, entries: [] }
  if (node.kind !== 'map') {
    report.error('WRONG_TYPE', node.at, `a check is a kind, or a mapping with a kind, not ${sortOf(node)}`)
    return { ...NOTHING, at: node.at }
  }
  const kind = node.entries.find(({ key }) => key === 'kind')
  const entries = node.entries.filter(entry => entry !== kind)
  if (!kind) return { at: node.at, kind: null, entries }
  if (kind.value.kind === 'scalar' && typeof kind.value.value === 'string')
    return { at: node.at, kind: { name: kind.value.value, at: kind.value.at }, entries }
  const at = isNothing(kind.value) ? kind.keyAt : kind.value.at
  report.error('WRONG_TYPE', at, `"kind" must be the name of a check, not ${sortOf(kind.value)}`)
  return { ...NOTHING, at: node.at }
}

/**
 * The drafts of `over` with what they take from `base`. A kind that `base` has too takes all its entries, another kind
 * its policy alone. A draft without a kind changes every check of `base`.
 */
export function layDrafts(
  base: readonly Draft[] | null,
  over: readonly Draft[] | null,
  context: Context,
): readonly Draft[] | null {
  if (!over || !base || base.length === 0) return over ?? base
  return over.flatMap(draft => {
    if (draft.isBroken) return draft
    if (!draft.kind) return base.map(under => layDraft(under, draft))
    const name = nameOf(draft, context)
    const under = base.find(one => nameOf(one, context) === name) ?? base.find(one => !one.kind)
    return under
      ? layDraft(under, draft)
      : { ...draft, entries: layEntries(commonPolicy(base), draft.entries) }
  })
}

function layDraft(under: Draft, over: Draft): Draft {
  if (under.isBroken && !over.kind) return under
  return { at: over.at, kind: over.kind ?? under.kind, entries: layEntries(under.entries, over.entries) }
}

function layEntries(under: readonly RawEntry[], over: readonly RawEntry[]): readonly RawEntry[] {
  const keys = new Set(over.map(({ key }) => key))
  return [...under.filter(({ key }) => !keys.has(key)), ...over]
}

/** Aliases and the name are one kind. */
function nameOf(draft: Draft, { checks }: Context): string | null {
  return draft.kind && (checks.get(draft.kind.name)?.name ?? draft.kind.name)
}

/** Interval and so on, where all of them agree. */
function commonPolicy([first, ...others]: readonly Draft[]): readonly RawEntry[] {
  const policy = first?.entries.filter(({ key }) => Object.hasOwn(policyFields, key)) ?? []
  return policy.filter(entry => others.every(({ entries }) => entries.includes(entry)))
}

// ---------------------------------------------------------------- one check

/** The check as it will run, or null where something is wrong with it, which has been told. */
export function readCheck(draft: Draft, protocol: string, context: Context): CheckUse | null {
  const check = draft.isBroken ? null : checkOf(draft, context)
  if (!check) return null
  const shape = context.optionsOf(check)
  const isOption = ({ key }: RawEntry) => Object.hasOwn(shape, key) && !Object.hasOwn(checkFields, key)
  const common = readFields(
    draft.entries.filter(entry => Object.hasOwn(checkFields, entry.key)),
    checkFields,
    { what: 'a check', at: draft.at },
    context.report,
  )
  for (const entry of draft.entries) {
    if (!isOption(entry) && !Object.hasOwn(checkFields, entry.key)) tellUnknownOption(entry, check, context)
  }
  const options = readOptions(draft, draft.entries.filter(isOption), check, context)
  const policy = readPolicy(common, context)
  const target = readTarget(common, protocol, context)
  const connects = readConnects(common, check, context)
  return options && { kind: check.name, options, policy, ...target, ...(connects > 0 ? { connects } : {}) }
}

function readConnects(fields: Fields<typeof checkFields>, check: Check, { report }: Context): number {
  const { connects = 0 } = fields.values
  if (connects === 0 || check.connects !== false) return connects
  report.error(
    'CHECK_OPTIONS',
    fields.valueAt('connects'),
    `a TCP connect cannot stand for a check by ${check.name}: leave out connects`,
  )
  return 0
}

function checkOf({ kind, at, entries }: Draft, { checks, report, useKind }: Context): Check | null {
  if (!kind) {
    const slip = entries.find(entry => isMisspelt('kind', [entry], Object.keys(checkFields)))
    if (slip)
      report.error('UNKNOWN_KEY', slip.keyAt, `"${slip.key}" is not a key of a check; did you mean "kind"?`)
    else
      report.error(
        'CHECK_WITHOUT_KIND',
        at,
        'which check? Neither this mapping nor the service says it; add a kind, such as kind: connect. A check that stands here takes the place of one that << brings',
      )
    return null
  }
  useKind(kind.name)
  const check = checks.get(kind.name)
  if (check) return check
  const near = kindFor(kind.name) ?? didYouMean(kind.name, checks.keys())
  const known = [...new Set([...checks.values()].map(({ name }) => name))].sort().join(', ')
  report.error(
    'UNKNOWN_CHECK',
    kind.at,
    `there is no check "${kind.name}"${near || `; lvsd has ${known || 'none'}; one of your own needs its folder under settings: checks`}`,
  )
  return null
}

function tellUnknownOption(entry: RawEntry, check: Check, { report, optionsOf }: Context): void {
  const own = Object.keys(optionsOf(check))
  const advice =
    hintFor(entry.key, 'a check') ??
    optionHint(entry.key, own) ??
    (didYouMean(entry.key, [...own, ...Object.keys(checkFields)]) || `; it has ${own.join(', ') || 'none'}`)
  report.error('UNKNOWN_KEY', entry.keyAt, `"${entry.key}" is not an option of ${check.name}${advice}`)
}

function readOptions(
  draft: Draft,
  entries: readonly RawEntry[],
  check: Check,
  context: Context,
): CheckUse['options'] | null {
  const { report, dialect, optionsOf, missingOf, askApart } = context
  const shape = optionsOf(check)
  const marked = entries.map(entry => markedEntry(entry, shape[entry.key], context))
  const { values } = readFields(marked, shape, { what: check.name, at: draft.at }, report)
  const given = new Set(entries.map(({ key }) => key))
  const at = draft.kind?.at ?? draft.at
  let complete = true
  const options: Record<string, unknown> = {}
  for (const [key, type] of Object.entries(shape)) {
    const absent = given.has(key) ? null : type.safeParse(undefined)
    if (absent && !absent.success)
      report.error(
        'MISSING_KEY',
        at,
        `${check.name} needs "${key}"${type.description ? `: ${type.description}` : ''}`,
      )
    const value = absent?.success ? absent.data : values[key]
    if (value === undefined && !absent?.success) complete = false
    options[key] = value
  }
  tellUrl(check, marked, context)
  // What a file of one's own does with a path is not known: it may make the file itself.
  const areThere = check.origin === 'user' || areFilesThere(marked, shape, report)
  const wrong = complete && areThere ? (check.validate?.(options) ?? null) : null
  if (wrong !== null) {
    const code = codeOfSentence(wrong, entries, shape)
    const message = `${check.name}: ${wrong}${dialect.outcomeOf(code, check.name)}`
    report.error(code, placeOfSentence(wrong, entries, at), message)
  }
  const missing = complete && areThere && wrong === null ? missingOf(check, options) : null
  const commandAt = entries.find(({ key }) => key === 'checkcommand')?.value.at
  if (missing !== null) report.warn('CHECK_UNAVAILABLE', commandAt ?? at, `${check.name}: ${missing}`)
  for (const { key, value } of entries)
    if (markOf(shape[key]).pattern && isTimed(values[key])) report.warn('TIMED_PATTERN', value.at, TIMED)
  if (complete && check.isJudgedApart)
    askApart({ check, options, at: sentence => placeOfSentence(sentence, entries, at) })
  return complete && areThere && wrong === null ? options : null
}

const TIMED =
  'this expression is searched with a time limit, for all that a check reads: it has look-around, a backreference, or a repetition that is too large for a search in linear time'

function isTimed(pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false
  const { source, flags } = readPattern(pattern)
  return searchRegExp(source, flags).isTimed
}

/** A server may well answer `GET /http://www.example/health`, with a page that says nothing about it. */
function tellUrl({ scheme }: Check, entries: readonly RawEntry[], { checks, report }: Context): void {
  const request = entries.find(({ key }) => key === 'request')?.value
  const text = request?.kind === 'scalar' ? String(request.value) : ''
  const [, ofUrl = '', host = '', path = ''] = /^([a-z][a-z\d+.-]*):\/\/([^/?#]*)(.*)$/i.exec(text) ?? []
  const meant = [...checks.values()].find(each => each.scheme === ofUrl.toLowerCase())
  if (!request || scheme === undefined || !meant) return
  const kind = meant.scheme === scheme ? '' : `, and kind: ${meant.name}`
  report.warn(
    'URL_REQUEST',
    request.at,
    `request is a path, and this URL would be sent as one; write request: ${path || '/'} and virtualhost: ${host.replace(/^.*@/, '')}${kind}`,
  )
}

// ---------------------------------------------------------------- policy and target

/** Shorter than this is hardly meant. */
const SHORT_INTERVAL = 100

function readPolicy(fields: Fields<typeof checkFields>, { report }: Context): CheckPolicy {
  const { interval, timeout, fall, rise, fastinter } = withDefaults(checkFields, fields)
  const inForce: CheckPolicy = {
    interval,
    timeout,
    fall,
    rise,
    fastinter: Math.min(fastinter ?? 1000, interval),
  }
  for (const key of ['interval', 'timeout', 'fastinter'] as const) tellBareNumber(fields.entry(key), report)
  if (interval < SHORT_INTERVAL)
    report.warn(
      'SHORT_INTERVAL',
      fields.valueAt('interval'),
      `an interval of ${interval} ms: were seconds meant?`,
    )
  if (fields.values.timeout !== undefined && timeout > interval)
    report.warn(
      'TIMEOUT_OVER_INTERVAL',
      laterOf(fields, 'timeout', 'interval'),
      `the timeout (${inSeconds(timeout)}) is longer than the interval (${inSeconds(interval)}): a silent server is checked only every ${inSeconds(timeout)}`,
    )
  if (fastinter !== undefined && fastinter > interval)
    report.warn(
      'FASTINTER_OVER_INTERVAL',
      laterOf(fields, 'fastinter', 'interval'),
      `fastinter (${inSeconds(fastinter)}) is longer than the interval (${inSeconds(interval)}), which is used instead`,
    )
  return inForce
}

/** Of two values that do not fit, the one further down: that is where the reader of the file sees it. */
function laterOf(
  fields: Fields<typeof checkFields>,
  one: 'timeout' | 'fastinter',
  other: 'interval',
): Position {
  if (!fields.entry(other)) return fields.valueAt(one)
  const [a, b] = [fields.valueAt(one), fields.valueAt(other)]
  return a.line > b.line || (a.line === b.line && a.column > b.column) ? a : b
}

function inSeconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`
}

function readTarget(
  fields: Fields<typeof checkFields>,
  protocol: string,
  { report, ports }: Context,
): Pick<CheckUse, 'port' | 'host'> {
  const { checkport, checkaddress } = fields.values
  const portAt = fields.valueAt('checkport')
  const port =
    typeof checkport === 'string' ? readPort(checkport, portAt, { report, ports, protocol }) : checkport
  if (port === 0) report.error('BAD_PORT', portAt, 'checkport is a port from 1 to 65535')
  if (checkaddress === undefined) return { port: port ?? null, host: null }
  const at = fields.valueAt('checkaddress')
  const address = parseAddress(checkaddress)
  const name = address ? null : parseHostPort(checkaddress)
  if (name && name.port === null) return { port: port ?? null, host: name.host }
  if (!address)
    report.error('BAD_ADDRESS', at, `"${checkaddress}" is neither an IPv6 or IPv4 address nor a host name`)
  else if (isLinkLocal(address) && address.zone === null)
    report.error('ZONE_NEEDED', at, `a link-local address needs its interface: ${address.text}%eth0`)
  return { port: port ?? null, host: address?.text ?? null }
}
