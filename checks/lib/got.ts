/** Requests that follow redirects, with the library got. Loaded only if redirects are configured. */
import { once } from 'node:events'
import { type ClientRequest, Agent as HttpAgent, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Answer, down, type RunContext, type Target } from '../../src/check/check.js'
import { got, MaxRedirectsError, ReadError, type Request } from '../../src/system/got.js'
import { connectTo, type Destination, destinationOf } from './destination.js'
import { type HttpOptions, hostHeader, requestHeaders, requestPath, type Scheme } from './http.js'
import { judgeResponse } from './response.js'
import { connectTls, type TlsOptions, tlsAnswer } from './tls.js'

/** Like `http`, but follows redirects. The last response is judged. */
export async function follow(
  scheme: Scheme,
  target: Target,
  options: HttpOptions,
  context: RunContext,
  tls: TlsOptions = UNVERIFIED,
): Promise<Answer> {
  const host = hostHeader(target, options.virtualhost, scheme)
  const first = new URL(`${scheme}://${host}${requestPath(options.request)}`)
  const route = routeOf(target, first)
  const agents = agentsOf(route, tls, context)
  let refused: string | null = null
  const request = got.stream(first, {
    method: options.httpmethod,
    headers: requestHeaders(options),
    ...(options.body === '' ? {} : { body: options.body }),
    followRedirect: true,
    maxRedirects: options.redirects,
    retry: { limit: 0 },
    throwHttpErrors: false,
    decompress: false,
    signal: context.signal,
    agent: agents,
    hooks: {
      beforeRedirect: [
        ({ url }) => {
          const isOther = url instanceof URL && url.hostname !== first.hostname
          if (!isOther || options.otherhosts) return
          refused = url.href
          throw new Error('a redirect to another host')
        },
      ],
    },
  })
  // An error may occur after the run; without a listener it would end the process.
  let failure: Error | null = null
  request.on('error', error => {
    failure ??= error
  })
  request.on('request', asked => limitInterim(asked, () => fail(INTERIM)))
  const fail = (error: Error) => {
    failure ??= error
    request.destroy(error)
  }
  try {
    return await hear(request, options, context)
  } catch (error) {
    if (refused !== null)
      return down('status', `redirected to another host, ${refused}: set otherhosts to follow it there`)
    if ((failure as Error | null) === INTERIM) return down('garbage', INTERIM.message)
    return answerFrom(failure ?? error, options)
  } finally {
    request.destroy()
    agents.http.destroy()
    agents.https.destroy()
  }
}

/** Maximum number of interim responses (1xx) before the final one, as in the HTTP probe. */
const MOST_INTERIM = 32
const INTERIM = new Error(`more than ${MOST_INTERIM} interim answers`)

function limitInterim(asked: ClientRequest, fail: () => void): void {
  let count = 0
  asked.on('information', () => {
    if (++count > MOST_INTERIM) fail()
  })
}

/** TLS options of `http`, for redirects to https: encrypted but not verified. */
const UNVERIFIED: TlsOptions = {
  verify: false,
  ca: null,
  sni: null,
  verifyname: null,
  pin: [],
  cert: null,
  key: null,
  minversion: 'TLSv1.2',
}

async function hear(request: Request, options: HttpOptions, { phase }: RunContext): Promise<Answer> {
  if (options.body === '') request.end()
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  phase('body')
  const status = `${response.statusCode} ${response.statusMessage ?? ''}`
  return judgeResponse(status, response.headers, request, options)
}

type Route = (host: string, port: number) => Destination

/**
 * Sends requests for the original host to the real server, and all others to the host in the redirect, for which the
 * kernel chooses the source.
 */
function routeOf(target: Target, first: URL): Route {
  const own = bare(first.hostname)
  const ownPort = Number(first.port) || (first.protocol === 'https:' ? 443 : 80)
  return (host, asked) =>
    bare(host) === own
      ? { ...destinationOf(target), port: asked === ownPort ? target.port : asked }
      : { host: bare(host), port: asked }
}

function bare(host: string): string {
  return host.replace(/^\[|\]$/g, '')
}

/** Returns agents that open a new connection for each request. */
function agentsOf(route: Route, tls: TlsOptions, context: RunContext) {
  const { signal, phase } = context
  class Http extends HttpAgent {
    override createConnection(options: { host?: string | null; port?: number | string | null }): Duplex {
      phase('connect')
      const socket = connectTo(route(options.host ?? '', Number(options.port)), { signal })
      return socket.once('connect', () => phase('first byte'))
    }
  }
  class Https extends HttpsAgent {
    override createConnection(
      options: { host?: string | null; port?: number | string | null },
      done?: (error: Error | null, stream: Duplex) => void,
    ): undefined {
      const name = bare(options.host ?? '')
      connectTls({ ...route(name, Number(options.port)), name }, tls, context).then(
        socket => {
          phase('first byte')
          done?.(null, socket)
        },
        error => done?.(error, undefined as unknown as Socket),
      )
    }
  }
  return { http: new Http({ keepAlive: false }), https: new Https({ keepAlive: false }) }
}

/** Converts an error to an answer. got wraps errors of Node, and the original error is used. */
function answerFrom(error: unknown, { redirects }: HttpOptions): Answer {
  if (error instanceof MaxRedirectsError) return down('status', `more than ${redirects} redirects`)
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const cause = (error as Error).cause ?? error
  if (code === 'ERR_UNSUPPORTED_PROTOCOL')
    return down('garbage', `redirected to a URL that is neither http nor https (${(error as Error).message})`)
  // The URL of the check itself is parsed before the request.
  if (code === 'ERR_INVALID_URL') return down('garbage', 'redirected to an invalid URL')
  if (code === 'HPE_HEADER_OVERFLOW') return down('too-big', `the headers exceed the limit (${code})`)
  if (code.startsWith('HPE_')) return down('garbage', `no HTTP: ${(error as Error).message} (${code})`)
  if (error instanceof ReadError)
    return down('truncated', `the response is incomplete: ${(error as Error).message}`)
  if (code === 'ECONNRESET' && /hang up/.test((error as Error).message))
    return down('closed', 'closed without a response')
  const answer = tlsAnswer(cause)
  if (answer) return answer
  throw cause
}
