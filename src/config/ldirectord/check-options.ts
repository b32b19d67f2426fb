/** The options of checks, under ldirectord's own names. */
import { parseAddress, parseHostPort } from '../../core/address.js'
import { readPattern } from '../../search/perl-flags.js'
import type { Position } from '../problems/problem.js'
import { isProxyUrl, PROXY_URL } from './check-notes.js'
import type { VirtualFacts } from './effective-value.js'
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
  const count = own.checkcount ?? globals.checkcount ?? { value: 1, at }
  const text = (
    name: 'checkcommand' | 'virtualhost' | 'httpmethod' | 'login' | 'passwd' | 'database' | 'secret',
  ) => {
    const found = own[name]
    return found && found.value !== '' ? [entry(name, found.value, found.at)] : []
  }
  return [
    ...(kind === 'ping' ? [entry('count', count.value, count.at)] : []),
    ...(kind === 'external' && !own.checkcommand
      ? [entry('checkcommand', '/bin/true', at)]
      : text('checkcommand')),
    entry('transport', transportOf(kind, protocol), own.protocol?.at ?? at),
    ...(kind === 'dns' && !own.request
      ? rootQuestion(at)
      : requestOptions(kind, own.request?.value ?? '/', own.request?.at ?? at)),
    ...receiveOptions(kind, own.receive?.value ?? '', own.receive?.at ?? at, report),
    ...text('virtualhost'),
    ...text('httpmethod'),
    ...logins(kind, facts, hostname),
    ...text('database'),
    ...text('secret'),
    ...redirects(at),
    ...(kind === 'udp' && !own.receive ? [entry('reply', true, at)] : []),
    ...(VERIFYING.has(kind) ? [entry('verify', false, own.service?.at ?? at)] : []),
    ...(kind === 'submission' ? [entry('starttls', false, own.service?.at ?? at)] : []),
  ]
}

/** Told in the file as well, for whoever wants to change it. */
const VERIFYING: ReadonlySet<string> = new Set(['https', 'imaps', 'ldaps', 'pops'])

/** Of a firewall mark ldirectord asks dns over UDP and sip over TCP. */
function transportOf(kind: string, protocol: string): 'tcp' | 'udp' {
  if (protocol === 'tcp') return 'tcp'
  return protocol === 'fwm' && kind === 'sip' ? 'tcp' : 'udp'
}

/** ldirectord follows redirects, to other hosts too. */
function redirects(at: Position): Entry[] {
  return [entry('redirects', 7, at), entry('otherhosts', true, at)]
}

/** LWP's part of ldirectord: it follows redirects and never logs in. */
export function isFetch(kind: string): boolean {
  return isHttp(kind) || kind === 'http_proxy'
}

function isHttp(kind: string): boolean {
  return kind === 'http' || kind === 'https'
}

/**
 * A service written out gives ftp and sip a login where none is written; one implied by the port does not. Without a
 * login ldirectord does not log in, whatever the password. Where no file is fetched it does not mind whether the ftp login
 * that it has made up is taken.
 */
function logins(kind: string, { own }: VirtualFacts, hostname: string): Entry[] {
  const service = own.service
  const isMade = kind === 'sip' || (kind === 'ftp' && own.receive !== undefined)
  const made = service?.value === kind && isMade ? service : undefined
  const login =
    own.login ??
    (made && { value: made.value === 'ftp' ? 'anonymous' : `ldirectord@${hostname}`, at: made.at })
  const passwd =
    own.passwd ?? (made?.value === 'ftp' ? { value: `ldirectord@${hostname}`, at: made.at } : undefined)
  return [
    ...(login ? [entry('login', login.value, login.at)] : []),
    ...(login && passwd ? [entry('passwd', passwd.value, passwd.at)] : []),
  ]
}

/** Every resolver can answer it. */
function rootQuestion(at: Position): Entry[] {
  return [entry('request', '.', at), entry('type', 'NS', at)]
}

/** ldirectord keeps a request with a leading `/`, and takes it away again where it is not a path. */
function requestOptions(kind: string, request: string, at: Position, server?: string): Entry[] {
  if (isHttp(kind) || kind === 'ftp')
    return [entry('request', request.startsWith('/') ? request : `/${request}`, at)]
  const bare = request.replace(/^\//, '')
  if (kind === 'http_proxy') return [entry('request', proxyUrl(bare, server), at)]
  if (bare === '') return []
  return [entry('request', kind === 'simpletcp' || kind === 'udp' ? escaped(bare) : bare, at)]
}

/** Request and answer of one real server, in place of the virtual's: empty ones too. */
export function pairOptions(
  kind: string,
  { request, receive }: { readonly request: string; readonly receive: string },
  { own }: VirtualFacts,
  { at, server, report }: { readonly at: Position; readonly server: string; readonly report: Report },
): Entry[] {
  const path = hostOfUrl(request, kind) ? pathOfUrl(request) : request
  const asked = requestOptions(kind, path, at, server)
  const wanted = receiveOptions(kind, receive, at, report)
  if (kind === 'dns' && asked.length === 0)
    report.warn(
      'DNS_QUESTION',
      at,
      'the request is empty: the question of the virtual is asked; with ldirectord this server is always down',
    )
  const isAsked = asked.length > 0 || !own.request || kind === 'dns'
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

function receiveOptions(kind: string, receive: string, at: Position, report: Report): Entry[] {
  if (receive === '') return []
  const pattern =
    parseAddress(receive) && kind === 'dns'
      ? receive
      : perlPattern(receive, { multiline: kind === 'simpletcp' })
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
