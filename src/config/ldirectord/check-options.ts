/** Derives the options of checks, which have ldirectord's names. */
import type { Check } from '../../check/check.js'
import { optionKit } from '../../check/option-kit.js'
import { parseAddress, parseHostPort } from '../../core/address.js'
import { readPattern } from '../../search/perl-flags.js'
import type { Position } from '../problems/problem.js'
import type { Report } from '../problems/report.js'
import { isProxyUrl, PROXY_URL } from './check-notes.js'
import { type KindRow, rowOf } from './kinds.js'
import { perlPattern } from './perl-pattern.js'
import type { RealParams } from './real-params.js'
import type { Located } from './text-span.js'
import { type Entry, entry, type Leaf, type Value } from './tree.js'
import type { Values, Virtual } from './virtual.js'

type Found = Located<Value> | null

/** Returns the options of a kind that ldirectord's check of this kind also uses, in a virtual with these directives. */
export function usedOptions(kind: string, own: Values, check: Check | undefined): ReadonlySet<string> {
  const known = optionNames(check)
  const { ignored = [], together = [] } = rowOf(kind)
  const unused = together.every(name => own[name]) ? ignored : [...ignored, ...together]
  return unused.length === 0 ? known : new Set([...known].filter(name => !unused.includes(name)))
}

/** Names of the options by check. Cached, because a file may have thousands of virtuals. */
const names = new WeakMap<Check, ReadonlySet<string>>()

function optionNames(check: Check | undefined): ReadonlySet<string> {
  if (!check) return new Set()
  const known = names.get(check) ?? new Set(Object.keys(check.options(optionKit)))
  names.set(check, known)
  return known
}

/** Returns options that must be written although no line of the file contains them. */
export function impliedOptions({ kind, own, at, options }: Virtual): readonly Leaf[] {
  const { implied = [] } = rowOf(kind)
  const missing = implied.filter(({ unless }) => !unless || !own[unless])
  const all = [
    // ldirectord follows redirects, also to other hosts.
    { option: 'redirects', value: 7, at },
    { option: 'otherhosts', value: true, at },
    ...missing.map(({ option, value, at: place }) => ({
      option,
      value,
      at: (place && own[place]?.at) ?? at,
    })),
  ]
  return all
    .filter(({ option }) => options.has(option))
    .map(({ option, value, at }) => ({ path: `check.${option}`, value, at }))
}

export function transport({ kind, protocol, own, at, options }: Virtual): Found {
  if (!options.has('transport')) return null
  const overMark = rowOf(kind).overMark ?? 'udp'
  return { value: protocol === 'fwm' ? overMark : protocol, at: own.protocol?.at ?? at }
}

/**
 * Returns the default login of a kind. ldirectord uses it if the directive service is present, but not if the port
 * implies the service.
 */
function madeLogin({
  own,
  kind,
  hostname,
}: Virtual): { readonly login: string; readonly passwd?: string } | null {
  const row = rowOf(kind).login
  const isMade = own.service?.value === kind && row && (!row.needs || own[row.needs])
  return isMade ? row.of(hostname) : null
}

export function login(virtual: Virtual): Found {
  const { own, at } = virtual
  const made = own.login ? null : madeLogin(virtual)
  return own.login ?? (made && { value: made.login, at: own.service?.at ?? at })
}

/** Returns the password. Without a login ldirectord does not log in, even if there is a password. */
export function password(virtual: Virtual): Found {
  const { own, at } = virtual
  const made = madeLogin(virtual)
  if (!own.login && !made) return null
  return own.passwd ?? (made?.passwd === undefined ? null : { value: made.passwd, at: own.service?.at ?? at })
}

export function request({ kind, own: { request }, at }: Virtual): Found {
  const row = rowOf(kind)
  if (row.question && !request) return { value: row.question.request, at }
  const text = requestText(row, request?.value ?? '/')
  return text === null ? null : { value: text, at: request?.at ?? at }
}

/** Returns the type of the default question, which is used if the virtual has no request. */
export function questionType({ kind, own, at }: Virtual): Found {
  const { question } = rowOf(kind)
  return question && !own.request ? { value: question.type, at } : null
}

export function receive({ kind, own: { receive }, report }: Virtual): Found {
  if (!receive) return null
  const pattern = receivePattern(rowOf(kind), receive.value, receive.at, report)
  return pattern === null ? null : { value: pattern, at: receive.at }
}

/**
 * Returns the request in the form of the kind, or null if nothing is sent. ldirectord stores each request with a
 * leading `/`, and removes it again if the request is not a path.
 */
function requestText({ request: form }: KindRow, request: string, server?: string): string | null {
  if (form === 'path') return request.startsWith('/') ? request : `/${request}`
  const bare = request.replace(/^\//, '')
  if (form === 'url') return proxyUrl(bare, server)
  if (bare === '') return null
  return form === 'escaped' ? escaped(bare) : bare
}

/** Returns the request and receive of one real server. They replace those of the virtual, even if they are empty. */
export function pairOptions(
  { kind, own, options, report }: Virtual,
  { request, receive }: NonNullable<RealParams['pair']>,
  at: Position,
  server: string,
): readonly Entry[] {
  const row = rowOf(kind)
  const asked = requestText(row, hostOfUrl(request, kind) ? pathOfUrl(request) : request, server)
  const wanted = receivePattern(row, receive, at, report)
  if (row.question && asked === null)
    report.warn(
      'DNS_QUESTION',
      at,
      'the request is empty: the question of the virtual is asked; with ldirectord this server is always down',
    )
  const isSilent = asked === null && (!own.request || row.question)
  const isAnything = wanted === null && !own.receive
  const entries = [
    ...(isSilent ? [] : [entry('request', asked ?? '', at)]),
    ...(isAnything ? [] : [entry('receive', wanted ?? '', at)]),
  ]
  return entries.filter(({ key }) => options.has(key))
}

/** Returns the URL to request from a proxy. A path in a real server's own request becomes a URL of that server. */
function proxyUrl(request: string, server: string | undefined): string {
  if (isProxyUrl(request)) return request.replace(/^\/+/, '')
  return server === undefined ? PROXY_URL : `http://${server}/${request}`
}

function pathOfUrl(url: string): string {
  const path = /^[a-z]+:\/\/[^/]*(.*)$/.exec(url)?.[1] ?? ''
  return path === '' ? '/' : path
}

/** Returns the host and port of a request that is a whole URL of the service, or null. */
export function hostOfUrl(request: string, service: string) {
  const match = /^\/*([a-z]+):\/\/([^/]+)/.exec(request)
  return match && match[1] === service ? parseHostPort(match[2] ?? '') : null
}

/** Doubles backslashes that are not part of `\n`, the only escape of ldirectord: lvsd has more escapes. */
function escaped(text: string): string {
  return text.replace(/\\(?!n)/g, '\\\\')
}

/** Returns the error in a pattern, or null. */
function faultOf(text: string): string | null {
  const { source, flags } = readPattern(text)
  try {
    new RegExp(source, flags)
    return null
  } catch (error) {
    return (error as Error).message.replace(/^.*: /s, '')
  }
}

/**
 * Returns the pattern in JavaScript syntax, or null if there is none. Reports an error and returns null if it is
 * invalid.
 */
function receivePattern(
  { receive: form }: KindRow,
  receive: string,
  at: Position,
  report: Report,
): string | null {
  if (receive === '') return null
  const pattern =
    parseAddress(receive) && form === 'address'
      ? receive
      : perlPattern(receive, { multiline: form === 'multiline' })
  const fault = faultOf(pattern)
  if (fault !== null)
    report.error(
      'BAD_VALUE',
      at,
      `the pattern "${receive}" is invalid: ${fault}. ldirectord accepts a pattern that is invalid in Perl, too, and ends at the first answer`,
    )
  else if (pattern !== receive)
    report.note(
      'PATTERN',
      at,
      `the Perl pattern "${receive}" is written "${pattern}" here, which means the same`,
    )
  return fault === null ? pattern : null
}
