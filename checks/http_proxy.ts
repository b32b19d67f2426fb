import { type Answer, defineCheck, down, type RunContext, type Target } from '../src/check/check.js'
import type { OptionKit, Parsed } from '../src/check/option-kit.js'
import { problemOf } from '../src/check/option-problem.js'
import { HEAD_LIMIT } from '../src/probe/match-http.js'
import { gathered } from '../src/probe/pace.js'
import { connectTo, destinationOf } from './lib/destination.js'
import { Heard } from './lib/heard.js'
import { httpJudge, httpOptions, httpProblem, requestHeaders } from './lib/http.js'
import { hearResponse, joined } from './lib/response.js'

function proxyOptions(kit: OptionKit) {
  const { httpmethod, headers, login, passwd, status, receive, text, limit, redirects } = httpOptions(kit)
  return {
    request: kit.text(undefined, 'Whole URL that the proxy is to fetch: http://…'),
    httpmethod,
    headers,
    login: login.describe('User name for basic authentication at the proxy'),
    passwd,
    status,
    receive,
    text,
    limit,
    redirects: redirects.describe(
      'Redirects to follow, each through the proxy; with 0 one is judged by its status',
    ),
  }
}

type ProxyOptions = Parsed<ReturnType<typeof proxyOptions>>

/** Requests a page of another server through a web proxy. */
export const check = defineCheck({
  name: 'http_proxy',
  aliases: ['http-proxy'],
  summary: 'requests a page of another server through a web proxy; checks status and body',
  defaultPort: 3128,

  options: proxyOptions,

  validate(options) {
    if (!urlOf(options.request))
      return problemOf('request', `request takes a whole URL, http://…, not "${options.request}"`)
    return httpProblem({ ...options, virtualhost: null, body: '', otherhosts: false })
  },

  probe({ address, port }, options) {
    const url = urlOf(options.request)
    if (!url || options.redirects > 0) return null
    const send = requestBytes(url, options)
    return { kind: 'tcp', address, port, send, end: false, reset: false, judge: httpJudge(options) }
  },

  takesPath: ({ redirects }) => redirects === 0 || 'redirects',
  async run(target, options, context) {
    let url = urlOf(options.request)
    for (let left = options.redirects; url && left >= 0; left--) {
      const met = await ask(target, url, options, context)
      if (!(met instanceof URL)) return met
      url = urlOf(met.href)
      if (!url) return down('status', `redirected to ${met.href}, which an http proxy cannot fetch`)
    }
    return down('status', `more than ${options.redirects} redirects`)
  },
})

function urlOf(request: string): URL | null {
  const url = URL.canParse(request) ? new URL(request) : null
  return url?.protocol === 'http:' ? url : null
}

/** Returns the request. A request to a proxy has the complete URL in its request line. */
function requestBytes(url: URL, options: ProxyOptions): Uint8Array {
  const { login, passwd, httpmethod } = options
  const basic = Buffer.from(`${login}:${passwd ?? ''}`).toString('base64')
  const ours: Record<string, string> = login === null ? {} : { 'Proxy-Authorization': `Basic ${basic}` }
  const headers = requestHeaders({
    ...options,
    login: null,
    headers: { ...ours, ...options.headers },
    body: '',
  })
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const whole = `${url.origin}${url.pathname}${url.search}`
  return Buffer.from(
    `${httpmethod} ${whole} HTTP/1.1\r\nHost: ${url.host}\r\n${lines.join('')}Connection: close\r\n\r\n`,
  )
}

/** Performs one exchange. Returns the answer, or the URL of a redirect. */
async function ask(
  target: Target,
  url: URL,
  options: ProxyOptions,
  { signal, phase }: RunContext,
): Promise<Answer | URL> {
  phase('connect')
  const socket = connectTo(destinationOf(target), { signal })
  try {
    socket.once('connect', () => phase('first byte')).write(requestBytes(url, options))
    const chunks = gathered(socket)[Symbol.asyncIterator]()
    const first: Buffer[] = []
    const next = options.redirects > 0 ? await redirectIn(chunks, first, url) : null
    return next ?? (await hearResponse(joined(first, chunks), options, phase))
  } finally {
    socket.destroy()
  }
}

/** Returns the URL of a redirect, or null for any other response. Chunks that are read for this are added to `first`. */
async function redirectIn(chunks: AsyncIterator<Buffer>, first: Buffer[], from: URL): Promise<URL | null> {
  const heard = new Heard()
  let isRedirect = false
  for (let bytes = 0; bytes < HEAD_LIMIT; bytes += first.at(-1)?.length ?? 0) {
    const { value, done } = await chunks.next()
    if (done) return null
    first.push(value)
    heard.push(value)
    for (
      let line = heard.line()?.toString('latin1');
      line !== undefined;
      line = heard.line()?.toString('latin1')
    ) {
      if (!isRedirect && !/^HTTP\/1\.\d 30[12378] /.test(line)) return null
      isRedirect = true
      const [, location] = /^location:[ \t]*(\S+)/i.exec(line) ?? []
      if (location !== undefined && URL.canParse(location, from.href)) return new URL(location, from)
      if (line === '') return null
    }
  }
  return null
}
