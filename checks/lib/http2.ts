/** Sends one request over HTTP/2 on its own connection. */

import { once } from 'node:events'
import type { ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2'
import type { Readable } from 'node:stream'
import { type Answer, down, type RunContext, type Target } from '../../src/check/check.js'
import { destinationOf } from './destination.js'
import { CheckFailure } from './failure.js'
import { type HttpOptions, hostHeader, hostName, requestHeaders, requestPath } from './http.js'
import { judgeResponse } from './response.js'
import { askOverTls } from './resumption.js'
import { bodyOf, sessionOn } from './session.js'
import type { TlsOptions } from './tls.js'

/** Headers that HTTP/2 does not allow, because frames carry this information. */
const HOP_BY_HOP = new Set([
  'connection',
  'host',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

export async function ask(
  target: Target,
  options: HttpOptions & TlsOptions,
  context: RunContext,
): Promise<Answer> {
  const peer = {
    ...destinationOf(target),
    name: hostName(options.virtualhost),
    alpn: ['h2'],
  }
  const authority = hostHeader(target, options.virtualhost, 'https')
  return askOverTls(peer, options, context, async socket => {
    if (socket.alpnProtocol !== 'h2')
      return down('garbage', 'the server does not offer HTTP/2 in the handshake (ALPN h2): leave http2 out')
    const session = sessionOn(socket, `https://${authority}`, options.limit)
    try {
      const stream = session.request(headersOf(authority, options), { endStream: false })
      return await exchange(stream, session.broken, options, context)
    } finally {
      session.close()
    }
  })
}

async function exchange(
  stream: ClientHttp2Stream,
  broken: Promise<never>,
  options: HttpOptions,
  { phase }: RunContext,
): Promise<Answer> {
  const body = bodyOf(stream)
  // An error may occur before the body is read.
  body.on('error', () => {})
  stream.end(options.body)
  phase('first byte')
  let status: string
  let given: IncomingHttpHeaders
  try {
    const [headers] = await Promise.race([once(stream, 'response'), broken])
    status = String(headers[':status'])
    given = headers
  } catch (error) {
    return noResponse(error)
  }
  phase('body')
  try {
    return await judgeResponse(status, given, wholeBody(stream, body), options)
  } catch (error) {
    if (error instanceof CheckFailure) return error.answer
    return down('truncated', `${status}, but the body is incomplete: ${(error as Error).message}`)
  }
}

/** Node ends a stream in the same way after a complete body and after a reset. The reset code makes the difference. */
async function* wholeBody(stream: ClientHttp2Stream, body: Readable): AsyncIterable<Buffer> {
  yield* body
  if (!stream.closed) await once(stream, 'close')
  if (stream.rstCode) throw new Error(`the stream was closed with error code ${stream.rstCode}`)
}

function headersOf(authority: string, options: HttpOptions): Record<string, string> {
  const given = Object.entries(requestHeaders(options)).map(([name, value]) => [name.toLowerCase(), value])
  const host = given.find(([name]) => name === 'host')?.[1]
  return {
    ...Object.fromEntries(given.filter(([name = '']) => !HOP_BY_HOP.has(name))),
    ':method': options.httpmethod,
    ':scheme': 'https',
    ':authority': host ?? authority,
    ':path': requestPath(options.request),
  }
}

/** Returns the answer for a protocol error; the core converts network errors. */
function noResponse(error: unknown): Answer {
  if (error instanceof CheckFailure) return error.answer
  const { code, message } = error as NodeJS.ErrnoException
  if (code?.startsWith('ERR_HTTP2')) return down('garbage', `no HTTP/2: ${message} (${code})`)
  if (code === undefined) return down('closed', message)
  throw error
}
