/** Shared by http and https: options, request bytes, and the judge of the response. */

import type { Target } from '../../src/check/check.js'
import type { OptionKit, Parsed } from '../../src/check/option-kit.js'
import { type OptionProblem, problemOf } from '../../src/check/option-problem.js'
import type { Judge, ProbeSpec } from '../../src/check/probe-spec.js'
import { type Address, bracketed, parseHostPort } from '../../src/core/address.js'
import { matchOf, matchOptions, matchProblem } from './match.js'

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'PATCH'] as const

export function httpOptions(kit: OptionKit) {
  return {
    request: kit.text('/', 'Path and query to ask for; a leading / is added where it is missing'),
    httpmethod: kit.choice(METHODS, 'GET', 'Request method'),
    virtualhost: kit.maybeText(
      'Host header; by default the address, with the port where it is not the usual one',
    ),
    headers: kit.secretMap('Further request headers, by name'),
    body: kit.secret('', 'Body of the request, for POST, PUT and PATCH'),
    login: kit.maybeText('User name for basic authentication'),
    passwd: kit.secret(null, 'Password for basic authentication'),
    status: kit.ranges('200-299', 'Status codes that are up: 200, 200-299 or a list of them', {
      min: 100,
      max: 599,
    }),
    ...matchOptions(kit),
    limit: kit.number(1_048_576, 'Bytes that the body may have; a longer one is down', { min: 1 }),
    redirects: kit.number(0, 'Redirects to follow; with 0 a redirect is judged by its status', { max: 20 }),
    otherhosts: kit.flag(false, 'Follow redirects to other hosts too'),
  }
}

export type HttpOptions = Parsed<ReturnType<typeof httpOptions>>
/** The options that the judge of a response uses. */
export type JudgeOptions = Pick<HttpOptions, 'httpmethod' | 'status' | 'receive' | 'text' | 'limit'>

/** The scheme of a URL. */
export type Scheme = 'http' | 'https'

const USUAL_PORT = { http: 80, https: 443 } as const

/** Returns the error in a combination of options that are each valid, or null. */
export function httpProblem(options: HttpOptions): OptionProblem | null {
  const { virtualhost, headers, body, httpmethod, login, passwd, redirects, otherhosts } = options
  const odd = virtualhostProblem(virtualhost)
  if (odd) return odd
  const bad = Object.entries(headers).find(([name, value]) => !isHeader(name, value))
  if (bad)
    return problemOf(['headers', bad[0]], `the header "${bad[0]}" or its value is not one that HTTP allows`)
  if (body !== '' && !['POST', 'PUT', 'PATCH'].includes(httpmethod))
    return problemOf(
      'body',
      `a ${httpmethod} request has no body: set httpmethod: POST; to search the answer, use text or receive`,
    )
  if (passwd !== null && login === null) return problemOf('passwd', 'passwd needs login')
  if (login?.includes(':'))
    return problemOf('login', 'a login of basic authentication cannot contain a colon')
  if (otherhosts && redirects === 0)
    return problemOf('otherhosts', 'otherhosts needs redirects: the number of them to follow')
  return matchProblem(options)
}

/** A registered name of RFC 3986 without escapes. `*.example.com` is allowed, as in ldirectord. */
const REGISTERED_NAME = /^[\w.~!$&'()*+,;=-]+(:\d+)?$/

export function virtualhostProblem(virtualhost: string | null): OptionProblem | null {
  if (virtualhost === null || parseHostPort(virtualhost) || REGISTERED_NAME.test(virtualhost)) return null
  return problemOf(
    'virtualhost',
    `virtualhost takes a host name or an address, with a port or without; "${virtualhost}" is neither`,
  )
}

function isHeader(name: string, value: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[\r\n\0]/.test(value)
}

/** Returns the Host header (RFC 9110): without the scheme's default port and without a zone. */
export function hostHeader(
  target: Pick<Target, 'address' | 'port'>,
  virtualhost: string | null,
  scheme: Scheme,
) {
  if (virtualhost !== null) return virtualhost
  const host = withoutZone(target.address)
  return target.port === USUAL_PORT[scheme] ? host : `${host}:${target.port}`
}

/** Returns the virtualhost without its port, for the TLS handshake; null if no certificate could be issued for it. */
export function hostName(virtualhost: string | null): string | null {
  return virtualhost === null ? null : (parseHostPort(virtualhost)?.host ?? null)
}

function withoutZone(address: Address): string {
  return bracketed(address.zone === null ? address : { ...address, text: address.text.split('%')[0] ?? '' })
}

/** Returns the path for the request line: with a leading slash, and other characters percent-encoded. */
export function requestPath(request: string): string {
  const path = request.startsWith('/') ? request : `/${request}`
  return path.replace(/[^\x21-\x7e]+/g, other => Array.from(Buffer.from(other), percent).join(''))
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

/** Returns all request headers except Host. Headers of the user replace the default ones. */
export function requestHeaders({
  headers,
  login,
  passwd,
  body,
  httpmethod,
}: Pick<HttpOptions, 'headers' | 'login' | 'passwd' | 'body' | 'httpmethod'>) {
  const ours: Record<string, string> = {
    'User-Agent': 'lvsd',
    Accept: '*/*',
    // Compressed bodies cannot be searched directly.
    'Accept-Encoding': 'identity',
  }
  if (login !== null) {
    const credentials = Buffer.from(`${login}:${passwd ?? ''}`).toString('base64')
    ours.Authorization = `Basic ${credentials}`
  }
  if (['POST', 'PUT', 'PATCH'].includes(httpmethod)) ours['Content-Length'] = String(Buffer.byteLength(body))
  const given = new Set(Object.keys(headers).map(name => name.toLowerCase()))
  const kept = Object.entries(ours).filter(([name]) => !given.has(name.toLowerCase()))
  return { ...Object.fromEntries(kept), ...headers }
}

/** Returns the complete HTTP/1.1 request, with `Connection: close`. */
export function requestBytes(target: Target, options: HttpOptions, scheme: Scheme): Uint8Array {
  const { before, after, hasHost } = partsOf(options)
  const host = hasHost ? '' : `Host: ${hostHeader(target, options.virtualhost, scheme)}\r\n`
  return Buffer.from(`${before}${host}${after}`)
}

/** A request without our Host header, which stands between the two parts. */
interface RequestParts {
  readonly before: string
  readonly after: string
  /** True if the user's headers have one. */
  readonly hasHost: boolean
}

/** The servers of a service have the same object, and a start makes a request for each. */
const requests = new WeakMap<HttpOptions, RequestParts>()

function partsOf(options: HttpOptions): RequestParts {
  const known = requests.get(options)
  if (known) return known
  const headers = requestHeaders(options)
  const given = new Set(Object.keys(headers).map(name => name.toLowerCase()))
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  if (!given.has('connection')) lines.push('Connection: close\r\n')
  const parts = {
    before: `${options.httpmethod} ${requestPath(options.request)} HTTP/1.1\r\n`,
    after: `${lines.join('')}\r\n${options.body}`,
    hasHost: given.has('host'),
  }
  requests.set(options, parts)
  return parts
}

/** Returns the judge of the response as data. */
export function httpJudge({ httpmethod, status, receive, text, limit }: JudgeOptions) {
  const match = matchOf({ receive, text })
  return { kind: 'http', method: httpmethod, status, match, limit, deferCoded: true } as const
}

/** Redirect statuses. */
const REDIRECTS = [
  [301, 303],
  [307, 308],
] as const

/** Returns a probe for one plain exchange. Redirects to follow and compressed bodies to search are deferred to code. */
export function httpProbe(target: Target, options: HttpOptions): ProbeSpec {
  const { address, port } = target
  const send = requestBytes(target, options, 'http')
  return { kind: 'tcp', address, port, send, end: false, reset: false, judge: judgeOf(options) }
}

/** One object for all servers with the same options: it is sent to the engine's thread, and compared there, once. */
const judges = new WeakMap<HttpOptions, Judge>()

function judgeOf(options: HttpOptions): Judge {
  const known = judges.get(options)
  if (known) return known
  const judge: Judge = { ...httpJudge(options), ...(options.redirects > 0 && { defer: REDIRECTS }) }
  judges.set(options, judge)
  return judge
}
