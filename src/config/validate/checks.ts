/** Reads the checks of a real server: merges `check` and `checks` of defaults, service and real server. */

import type { Check } from '../../check/check.js'
import type { OptionShape } from '../../check/option-kit.js'
import { markOf, type z } from '../../check/option-types.js'
import { isLinkLocal, parseAddress, parseHostPort } from '../../core/address.js'
import type { CheckPolicy, CheckUse } from '../../core/model.js'
import { readPattern } from '../../search/perl-flags.js'
import { searchRegExp } from '../../search/search.js'
import { didYouMean } from '../../util/closest-match.js'
import { readPort } from '../endpoints.js'
import { hintFor, optionHint } from '../problems/hints.js'
import type { Position } from '../problems/problem.js'
import { kindFor } from '../problems/synonyms.js'
import { type RawEntry, type RawNode, type RawScalar, writtenOf } from '../raw.js'
import { type Fields, isMisspelt, type Unread } from '../read/fields.js'
import { absent, layEntries, outputOf } from '../read/layers.js'
import { readEntry, readFields } from '../read/read-node.js'
import { checkFields, type checksFields, policyFields } from '../schema/schema.js'
import type { Context } from './context.js'
import { areFilesThere, codeOfSentence, placeOfSentence } from './option-places.js'

type CheckFields = Fields<typeof checkFields>

/** A check before its kind is looked up: the merged entries, each with its position. */
export interface Draft {
  readonly at: Position
  readonly kind: { readonly name: string; readonly at: Position } | null
  /** All entries except the kind. */
  readonly entries: readonly RawEntry[]
  /** Set if the check is invalid, which has been reported. */
  readonly isBroken?: true
}

/** Returns the drafts of one level. Returns null if the level has neither `check` nor `checks`. */
export function draftsOf(level: Fields<typeof checksFields>, context: Context): readonly Draft[] | null {
  const { check, checks } = level.values
  const [isThere, isBeside] = [level.entry('check') !== undefined, level.entry('checks') !== undefined]
  if (isThere && isBeside)
    context.report.error(
      'CHECK_TWICE',
      level.keyAt('checks'),
      'give either check or checks; checks takes a list of several',
    )
  if (!isThere && !isBeside) return null
  const key = isThere ? 'check' : 'checks'
  const items = (isThere ? check : checks) ?? [null]
  return items.map(item => (item ? draftOf(item, context) : { ...NOTHING, at: level.keyAt(key) }))
}

const NOTHING = { kind: null, entries: [], isBroken: true } as const

function draftOf({ at, entries }: Unread, context: Context): Draft {
  const kind = entries.find(({ key }) => key === 'kind')
  if (!kind) return { at, kind: null, entries }
  // A number or true is reported as an unknown kind: quotes would not help.
  const name = isWord(kind.value) ? writtenOf(kind.value) : readEntry(kind, checkFields.kind, context)
  if (name === undefined) return { ...NOTHING, at }
  return { at, kind: { name, at: kind.value.at }, entries: entries.filter(entry => entry !== kind) }
}

function isWord(node: RawNode): node is RawScalar {
  return node.kind === 'scalar' && node.value !== null
}

/**
 * Merges the drafts of two levels. A draft of `over` takes all entries of the draft in `base` that has the same kind,
 * or else of one without a kind. If there is none, it takes only the policy that all drafts of `base` have in common. A
 * draft without a kind modifies every draft of `base`.
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

/** Returns the name of the draft's kind, also for an alias. */
function nameOf(draft: Draft, { checks }: Context): string | null {
  return draft.kind && (checks.get(draft.kind.name)?.name ?? draft.kind.name)
}

/** Returns the entries of the policy (`interval` and so on) that all drafts share. */
function commonPolicy([first, ...others]: readonly Draft[]): readonly RawEntry[] {
  const policy = first?.entries.filter(({ key }) => Object.hasOwn(policyFields, key)) ?? []
  return policy.filter(entry => others.every(({ entries }) => entries.includes(entry)))
}

// ---------------------------------------------------------------- one check

/** Returns the check as it will run. If its kind or an option is invalid, reports it and returns null. */
export function readCheck(draft: Draft, protocol: string, context: Context): CheckUse | null {
  const check = draft.isBroken ? null : checkOf(draft, context)
  if (!check) return null
  const fields: CheckFields = readFields(
    draft.entries,
    withCommonKeys(context.optionsOf(check)),
    {
      name: check.name,
      at: draft.kind?.at ?? draft.at,
      tellUnknown: entry => tellUnknownOption(entry, check, context),
    },
    context,
  )
  const options = readOptions(draft, fields, check, context)
  const policy = readPolicy(fields, context)
  const target = readTarget(fields, protocol, context)
  const connects = readConnects(fields, check, context)
  return options && { kind: check.name, options, policy, ...target, ...(connects > 0 ? { connects } : {}) }
}

const shapes = new WeakMap<OptionShape, OptionShape & typeof checkFields>()

/**
 * Returns all keys of a check of one kind. The result is cached by kind, because many real servers may have their own
 * checks.
 */
function withCommonKeys(options: OptionShape): OptionShape & typeof checkFields {
  const shape = shapes.get(options) ?? { ...options, ...checkFields }
  shapes.set(options, shape)
  return shape
}

function readConnects(fields: CheckFields, check: Check, { report }: Context): number {
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
  fields: CheckFields,
  check: Check,
  context: Context,
): CheckUse['options'] | null {
  const { report, dialect, optionsOf, missingOf, askApart } = context
  const shape = optionsOf(check)
  const { at } = fields
  const entries = draft.entries.filter(({ key }) => isOption(key, shape))
  const { options, isComplete } = optionValues(shape, fields, check, context)
  tellUrl(check, entries, context)
  // The kind of a user's file may create the file itself, so its paths are not tested.
  const areThere = check.origin === 'user' || areFilesThere(entries, options, shape, report)
  const wrong = isComplete && areThere ? (check.validate?.(options) ?? null) : null
  if (wrong !== null) {
    const code = codeOfSentence(wrong, entries, shape)
    const message = `${check.name}: ${wrong}${dialect.outcomeOf(code, check.name)}`
    report.error(code, placeOfSentence(wrong, entries, at), message)
  }
  const missing = isComplete && areThere && wrong === null ? missingOf(check, options) : null
  const commandAt = entries.find(({ key }) => key === 'checkcommand')?.value.at
  if (missing !== null) report.warn('CHECK_UNAVAILABLE', commandAt ?? at, `${check.name}: ${missing}`)
  for (const { key, value } of entries)
    if (markOf(shape[key]).pattern && isTimed(options[key])) report.warn('TIMED_PATTERN', value.at, TIMED)
  if (isComplete && check.isJudgedApart)
    askApart({ check, options, at: sentence => placeOfSentence(sentence, entries, at) })
  return isComplete && areThere && wrong === null ? options : null
}

function isOption(key: string, shape: OptionShape): boolean {
  return Object.hasOwn(shape, key) && !Object.hasOwn(checkFields, key)
}

/** Returns each option's value, or its default. Reports required options that are missing. */
function optionValues(shape: OptionShape, fields: CheckFields, check: Check, { report }: Context) {
  const given = fields.values as Readonly<Record<string, unknown>>
  const options: Record<string, unknown> = {}
  let isComplete = true
  for (const [key, type] of Object.entries(shape)) {
    const entry = isOption(key, shape) ? fields.entry(key as keyof typeof checkFields) : undefined
    const byDefault = entry ? null : absent(type)
    options[key] = entry ? given[key] : byDefault?.value
    if (entry ? given[key] === undefined : !byDefault) isComplete = false
    if (!entry && !byDefault)
      report.error('MISSING_KEY', fields.at, `${check.name} needs "${key}"${aboutOf(type)}`)
  }
  return { options, isComplete }
}

function aboutOf({ description }: z.ZodType): string {
  return description ? `: ${description}` : ''
}

const TIMED =
  'this expression is searched with a time limit, for all that a check reads: it has look-around, a backreference, or a repetition that is too large for a search in linear time'

function isTimed(pattern: unknown): boolean {
  if (typeof pattern !== 'string') return false
  const { source, flags } = readPattern(pattern)
  return searchRegExp(source, flags).isTimed
}

/** Warns about a URL in `request`. A server may answer `GET /http://www.example/health` with an unrelated page. */
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

/** Intervals below this number of milliseconds are probably a mistake. */
const SHORT_INTERVAL = 100

function readPolicy(fields: CheckFields, { report }: Context): CheckPolicy {
  const policy = outputOf(policyFields, [fields])
  const { interval, timeout, fastinter } = policy
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
  return { ...policy, fastinter: Math.min(fastinter ?? 1000, interval) }
}

/** Returns the position of the later of two conflicting values. The reader of the file notices the conflict there. */
function laterOf(fields: CheckFields, one: 'timeout' | 'fastinter', other: 'interval'): Position {
  if (!fields.entry(other)) return fields.valueAt(one)
  const [a, b] = [fields.valueAt(one), fields.valueAt(other)]
  return a.line > b.line || (a.line === b.line && a.column > b.column) ? a : b
}

function inSeconds(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${ms / 1000} s`
}

function readTarget(
  fields: CheckFields,
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
