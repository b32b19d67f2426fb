/** The options of checks, under ldirectord's own names. */
import { parseAddress, parseHostPort } from '../../core/address.js'
import { readPattern } from '../../search/perl-flags.js'
import type { Position } from '../problems/problem.js'
import { isProxyUrl, PROXY_URL } from './check-notes.js'
import type { VirtualFacts } from './effective-value.js'
import { type KindRow, rowOf } from './kinds.js'
import { perlPattern } from './perl-pattern.js'
import type { Report } from './report.js'
import { type Entry, entry } from './tree.js'

/** Everything that may be an option, of whatever kind; the kind's own are picked from it. */
export function optionsOf(
  kind: string,
  facts: VirtualFacts,
  { report, hostname }: { readonly report: Report; readonly hostname: string },
): Entry[] {
  const { own, globals, protocol, at } = facts
  const row = rowOf(kind)
  const count = own.checkcount ?? globals.checkcount ?? { value: 1, at }
  const text = (
    name: 'checkcommand' | 'virtualhost' | 'httpmethod' | 'login' | 'passwd' | 'database' | 'secret',
  ) => {
    const found = own[name]
    return found && found.value !== '' ? [entry(name, found.value, found.at)] : []
  }
  return [
    ...(row.isCounted ? [entry('count', count.value, count.at)] : []),
    ...text('checkcommand'),
    entry('transport', transportOf(row, protocol), own.protocol?.at ?? at),
    ...(row.question && !own.request
      ? Object.entries(row.question).map(([name, value]) => entry(name, value, at))
      : requestOptions(row, own.request?.value ?? '/', own.request?.at ?? at)),
    ...receiveOptions(row, own.receive?.value ?? '', own.receive?.at ?? at, report),
    ...text('virtualhost'),
    ...text('httpmethod'),
    ...logins(kind, facts, hostname),
    ...text('database'),
    ...text('secret'),
    ...redirects(at),
    ...impliedOptions(row, facts),
  ]
}

/** What has to be written although no line of the file says it. */
function impliedOptions({ implied = [] }: KindRow, { own, at }: VirtualFacts): Entry[] {
  const missing = implied.filter(({ unless }) => !unless || !own[unless])
  return missing.map(({ option, value, at: place }) => entry(option, value, (place && own[place]?.at) ?? at))
}

/** The options of ours that ldirectord's check of this kind does not look at in this virtual. */
export function ignoredOptions(kind: string, { own }: VirtualFacts): readonly string[] {
  const { ignored = [], together = [] } = rowOf(kind)
  return together.every(name => own[name]) ? ignored : [...ignored, ...together]
}

function transportOf({ overMark }: KindRow, protocol: string): 'tcp' | 'udp' {
  if (protocol === 'tcp') return 'tcp'
  return (protocol === 'fwm' && overMark) || 'udp'
}

/** ldirectord follows redirects, to other hosts too. */
function redirects(at: Position): Entry[] {
  return [entry('redirects', 7, at), entry('otherhosts', true, at)]
}

/**
 * A service written out gives some kinds a login where none is written; one implied by the port does not. Without a login
 * ldirectord does not log in, whatever the password.
 */
function logins(kind: string, { own, at: begin }: VirtualFacts, hostname: string): Entry[] {
  const { service } = own
  const row = rowOf(kind).login
  const isMade = service?.value === kind && row && (!row.needs || own[row.needs])
  const made = isMade ? row.of(hostname) : null
  const at = service?.at ?? begin
  const login = own.login ?? (made && { value: made.login, at })
  const passwd = own.passwd ?? (made?.passwd === undefined ? null : { value: made.passwd, at })
  return [
    ...(login ? [entry('login', login.value, login.at)] : []),
    ...(login && passwd ? [entry('passwd', passwd.value, passwd.at)] : []),
  ]
}

/** ldirectord keeps a request with a leading `/`, and takes it away again where it is not a path. */
function requestOptions({ request: form }: KindRow, request: string, at: Position, server?: string): Entry[] {
  if (form === 'path') return [entry('request', request.startsWith('/') ? request : `/${request}`, at)]
  const bare = request.replace(/^\//, '')
  if (form === 'url') return [entry('request', proxyUrl(bare, server), at)]
  if (bare === '') return []
  return [entry('request', form === 'escaped' ? escaped(bare) : bare, at)]
}

/** Request and answer of one real server, in place of the virtual's: empty ones too. */
export function pairOptions(
  kind: string,
  { request, receive }: { readonly request: string; readonly receive: string },
  { own }: VirtualFacts,
  { at, server, report }: { readonly at: Position; readonly server: string; readonly report: Report },
): Entry[] {
  const path = hostOfUrl(request, kind) ? pathOfUrl(request) : request
  const row = rowOf(kind)
  const asked = requestOptions(row, path, at, server)
  const wanted = receiveOptions(row, receive, at, report)
  if (row.question && asked.length === 0)
    report.warn(
      'DNS_QUESTION',
      at,
      'the request is empty: the question of the virtual is asked; with ldirectord this server is always down',
    )
  const isAsked = asked.length > 0 || !own.request || row.question
  return [
    ...(isAsked ? asked : [entry('request', '', at)]),
    ...(wanted.length > 0 || !own.receive ? wanted : [entry('receive', '', at)]),
  ]
}

/** The path of one real server's own request belongs to that server, even where it is a proxy. */
function proxyUrl(request: string, server: string | undefined): string {
  if (isProxyUrl(request)) return request.replace(/^\/+/, '')
  return server === undefined ? PROXY_URL : `http://${server}/${request}`
}

function pathOfUrl(url: string): string {
  const path = /^[a-z]+:\/\/[^/]*(.*)$/.exec(url)?.[1] ?? ''
  return path === '' ? '/' : path
}

/** Where a request that is a whole URL of the service is sent, or null. */
export function hostOfUrl(request: string, service: string) {
  const match = /^\/*([a-z]+):\/\/([^/]+)/.exec(request)
  return match && match[1] === service ? parseHostPort(match[2] ?? '') : null
}

/** Of ldirectord's escapes there is only `\n`; ours has more, and a backslash that is none is doubled. */
function escaped(text: string): string {
  return text.replace(/\\(?!n)/g, '\\\\')
}

/** Why a pattern is none, or null. */
function faultOf(text: string): string | null {
  const { source, flags } = readPattern(text)
  try {
    new RegExp(source, flags)
    return null
  } catch (error) {
    return (error as Error).message.replace(/^.*: /s, '')
  }
}

function receiveOptions({ receive: form }: KindRow, receive: string, at: Position, report: Report): Entry[] {
  if (receive === '') return []
  const pattern =
    parseAddress(receive) && form === 'address'
      ? receive
      : perlPattern(receive, { multiline: form === 'multiline' })
  const fault = faultOf(pattern)
  if (fault !== null)
    report.error(
      'BAD_VALUE',
      at,
      `the pattern "${receive}" cannot be read: ${fault}. A pattern that Perl cannot read either ldirectord accepts, and dies of it at the first answer`,
    )
  else if (pattern !== receive)
    report.note(
      'PATTERN',
      at,
      `the Perl pattern "${receive}" is written "${pattern}" here, which means the same`,
    )
  return fault === null ? [entry('receive', pattern, at)] : []
}
