/** Reads one check of a real server, after the layers are merged: its kind, options, policy and target. */

import { type Check, isOverTcp } from '../../check/check.js'
import type { OptionShape } from '../../check/option-kit.js'
import { asOptionProblem } from '../../check/option-problem.js'
import { markOf, type z } from '../../check/option-types.js'
import { isLinkLocal, parseAddress, parseHostPort } from '../../core/address.js'
import type { WantedSource } from '../../core/check-source.js'
import type { CheckPath, CheckPolicy, CheckUse } from '../../core/model.js'
import { readPattern } from '../../search/perl-flags.js'
import { searchRegExp } from '../../search/search.js'
import { didYouMean } from '../../util/closest-match.js'
import { isUnicast, readPort } from '../endpoints.js'
import { hintFor, optionHint } from '../problems/hints.js'
import type { Position } from '../problems/problem.js'
import { kindFor } from '../problems/synonyms.js'
import type { RawEntry } from '../raw.js'
import { type Fields, isMisspelt } from '../read/fields.js'
import { absent, outputOf } from '../read/layers.js'
import { readFields } from '../read/read-node.js'
import { checkFields, policyFields } from '../schema/check-fields.js'
import { type Draft, draftsOf } from './check-drafts.js'
import type { Context, DefaultsFields } from './context.js'
import { areFilesThere, placeOfOption } from './option-places.js'
import { readPath } from './paths.js'

type CheckFields = Fields<typeof checkFields>

// ---------------------------------------------------------------- one check

/** Returns the check as it will run. If its kind or an option is invalid, reports it and returns null. */
export function readCheck(
  draft: Draft,
  { protocol, path: byService }: { readonly protocol: string; readonly path: CheckPath },
  context: Context,
): CheckUse | null {
  for (let part: Draft | undefined = draft; part; part = part.under) context.judged.add(part)
  const check = draft.isBroken ? null : checkOf(draft, context)
  if (!check) return null
  const fields: CheckFields = readFields(
    draft.entries,
    withCommonKeys(context.optionsOf(check)),
    {
      name: check.name,
      at: draft.kind?.at ?? draft.at,
      tellUnknown: entry => reportUnknownOption(entry, check, context),
    },
    context,
  )
  const options = readOptions(draft, fields, check, context)
  const policy = readPolicy(fields, context)
  const target = readTarget(fields, protocol, context)
  const connects = readConnects(fields, check, context)
  const sentinel = readSentinel(fields, check, options, context)
  const source = readSource(fields, context)
  const path = options && readPath(fields, { check, options, byService }, context)
  return (
    options && {
      kind: check.name,
      options,
      policy,
      ...target,
      ...(connects > 0 && { connects }),
      ...(sentinel && { sentinel }),
      ...(fields.values['early-timeout'] === true && { earlyTimeout: true as const }),
      ...(source !== null && { source }),
      ...(path === 'service' && { path }),
    }
  )
}

/** Judges the checks of `defaults` that no service uses. A key that is missing in one may come from a service. */
export function judgeUnused(defaults: DefaultsFields, context: Context): void {
  for (const draft of draftsOf(defaults, context) ?? []) {
    if (context.judged.has(draft)) continue
    const how = { name: 'a check', at: draft.at, tellUnknown: () => {} }
    if (draft.kind) readCheck({ ...draft, isPartial: true }, { protocol: 'tcp', path: 'real' }, context)
    else readPolicy(readFields(draft.entries, checkFields, how, context), context)
  }
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
    `a TCP connect cannot replace a check by ${check.name}: remove connects`,
  )
  return 0
}

function readSentinel(
  fields: CheckFields,
  check: Check,
  options: CheckUse['options'] | null,
  { report }: Context,
): boolean {
  const { sentinel = false } = fields.values
  if (!sentinel || !options || isOverTcp(check, options)) return sentinel
  report.error(
    'CHECK_OPTIONS',
    fields.valueAt('sentinel'),
    `${check.name} has no TCP connection to the server with these options, so there can be no sentinel: write sentinel: false`,
  )
  return false
}

/** What other programs call the kind of a check. */
const NAMES_OF_KIND: ReadonlySet<string> = new Set(['type', 'check', 'checktype'])

function textIn({ value }: RawEntry): string | null {
  return value.kind === 'scalar' && typeof value.value === 'string' ? value.value : null
}

function kindAdvice(word: string, checks: Context['checks']): string {
  return checks.has(word) ? `: ${word}` : (kindFor(word) ?? didYouMean(word, checks.keys()))
}

function reportWithoutKind({ at, entries }: Draft, { checks, report }: Context): void {
  const slip = entries.find(entry => isMisspelt('kind', [entry], Object.keys(checkFields)))
  const name = entries.find(({ key }) => checks.has(key))
  const other = entries.find(entry => NAMES_OF_KIND.has(entry.key) && textIn(entry) !== null)
  if (slip)
    report.error('UNKNOWN_KEY', slip.keyAt, `"${slip.key}" is not a key of a check; did you mean "kind"?`)
  else if (name)
    report.error(
      'CHECK_WITHOUT_KIND',
      name.keyAt,
      `"${name.key}" is a kind of check, not a key: write kind: ${name.key}, with its options beside it`,
    )
  else if (other)
    report.error(
      'UNKNOWN_KEY',
      other.keyAt,
      `"${other.key}" is not a key of a check: the kind is given by kind${kindAdvice(textIn(other) ?? '', checks)}`,
    )
  else
    report.error(
      'CHECK_WITHOUT_KIND',
      at,
      'the kind is missing: neither this mapping nor the service has one; add a kind, such as kind: connect. A check given here replaces one merged by <<',
    )
}

function checkOf(draft: Draft, context: Context): Check | null {
  const { checks, report, useKind } = context
  const { kind } = draft
  if (!kind) {
    reportWithoutKind(draft, context)
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

function reportUnknownOption(entry: RawEntry, check: Check, { report, optionsOf }: Context): void {
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
  const { report, dialect, optionsOf, missingOf, askApart, looksAtFiles, secrets } = context
  const shape = optionsOf(check)
  const { at } = fields
  const entries = draft.entries.filter(({ key }) => isOption(key, shape))
  const { options, ...values } = optionValues(shape, fields, { check, isPartial: draft.isPartial }, context)
  // What the kind says of a placeholder is no mistake of the user.
  const isComplete = values.isComplete && !entries.some(({ value }) => secrets.isMissing(value))
  reportUrl(check, entries, context)
  const namesFile = entries.some(({ key }) => markOf(shape[key]).path !== undefined)
  if (check.missing || check.origin === 'user' || namesFile) looksAtFiles?.()
  // The kind of a user's file may create the file itself, so its paths are not tested.
  const areThere = check.origin === 'user' || areFilesThere(entries, options, shape, report)
  const wrong = isComplete && areThere ? asOptionProblem(check.validate?.(options) ?? null) : null
  if (wrong !== null) {
    const code = wrong.isOfFile ? 'OPTION_FILE' : 'CHECK_OPTIONS'
    const message = `${check.name}: ${wrong.message}${dialect.outcomeOf(code, check.name)}`
    report.error(code, placeOfOption(wrong.path, entries, at), message)
  }
  const missing = isComplete && areThere && wrong === null ? missingOf(check, options) : null
  const commandAt = entries.find(({ key }) => key === 'checkcommand')?.value.at
  if (missing !== null) report.warn('CHECK_UNAVAILABLE', commandAt ?? at, `${check.name}: ${missing}`)
  for (const { key, value } of entries)
    if (markOf(shape[key]).pattern && isTimed(options[key])) report.warn('TIMED_PATTERN', value.at, TIMED)
  if (isComplete && check.isJudgedApart)
    askApart({ check, options, at: path => placeOfOption(path, entries, at) })
  return isComplete && areThere && wrong === null ? options : null
}

function isOption(key: string, shape: OptionShape): boolean {
  return Object.hasOwn(shape, key) && !Object.hasOwn(checkFields, key)
}

/** Returns each option's value, or its default. Reports required options that are missing. */
function optionValues(
  shape: OptionShape,
  fields: CheckFields,
  { check, isPartial }: { readonly check: Check; readonly isPartial: Draft['isPartial'] },
  { report }: Context,
) {
  const given = fields.values as Readonly<Record<string, unknown>>
  const options: Record<string, unknown> = {}
  let isComplete = true
  for (const [key, type] of Object.entries(shape)) {
    const entry = isOption(key, shape) ? fields.entry(key as keyof typeof checkFields) : undefined
    const byDefault = entry ? null : absent(type)
    options[key] = entry ? given[key] : byDefault?.value
    if (entry ? given[key] === undefined : !byDefault) isComplete = false
    if (!entry && !byDefault && !isPartial)
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
function reportUrl({ scheme }: Check, entries: readonly RawEntry[], { checks, report }: Context): void {
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
  // In place of an interval that cannot be read stands the default, which the file does not have.
  const hasInterval = fields.entry('interval')
    ? fields.values.interval !== undefined
    : !fields.isMisspelt('interval')
  if (hasInterval && fields.values.timeout !== undefined && timeout > interval)
    report.warn(
      'TIMEOUT_OVER_INTERVAL',
      laterOf(fields, 'timeout', 'interval'),
      `the timeout (${inSeconds(timeout)}) is longer than the interval (${inSeconds(interval)}): a silent server is checked only every ${inSeconds(timeout)}`,
    )
  if (hasInterval && fastinter !== undefined && fastinter > interval)
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

/** Returns null if there is none, or if it is invalid, which is reported. */
function readSource(fields: CheckFields, { report }: Context): WantedSource | null {
  const { source } = fields.values
  if (source === undefined || source === 'kernel') return source ?? null
  const at = fields.valueAt('source')
  const address = parseAddress(source)
  if (!address)
    report.error(
      'BAD_ADDRESS',
      at,
      `"${source}" is no IPv6 or IPv4 address, nor kernel, which leaves it to the kernel`,
    )
  else if (isLinkLocal(address))
    report.error(
      'BAD_ADDRESS',
      at,
      `${source} is a link-local address: the kernel itself chooses that of the interface`,
    )
  else return isUnicast(address, at, 'the source of a check', report) ? address : null
  return null
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
