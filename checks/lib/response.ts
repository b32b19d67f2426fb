/** Judges responses that do not come from a probe, with the same judge. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Answer, RunContext } from '../../src/check/check.js'
import { tooBig } from '../../src/probe/chunked.js'
import { codingsIn, hearBody } from '../../src/probe/match-http.js'
import { compileJudge } from '../../src/probe/matcher.js'
import { NEEDS_CODE } from '../../src/probe/needs-code.js'
import { gathered } from '../../src/probe/pace.js'
import type { ResponseParser } from '../../src/probe/response-parser.js'
import { undone } from './coding.js'
import { type HttpOptions, httpJudge, type JudgeOptions } from './http.js'

const judges = new WeakMap<JudgeOptions, () => ResponseParser>()

/** Returns a judge for one response. The compiled judge is shared by all responses of a check. */
function hearingOf(options: JudgeOptions): ResponseParser {
  const known = judges.get(options)
  if (known) return known()
  const compiled = compileJudge(httpJudge(options))
  judges.set(options, compiled)
  return compiled()
}

/** Performs one exchange on an open connection. Returns null if the answer is a redirect that must be followed. */
export async function exchange(
  socket: Socket,
  request: Uint8Array,
  options: HttpOptions,
  { phase }: RunContext,
): Promise<Answer | null> {
  phase('send')
  socket.write(request)
  phase('first byte')
  const chunks = gathered(socket)[Symbol.asyncIterator]()
  const first: Buffer[] = []
  if (options.redirects > 0) {
    let start = ''
    while (start.length < STATUS_LENGTH) {
      const { value, done } = await chunks.next()
      if (done) break
      first.push(value)
      start += value.toString('latin1', 0, STATUS_LENGTH - start.length)
    }
    if (REDIRECT.test(start)) return null
  }
  return hearResponse(joined(first, chunks), options, phase)
}

const STATUS_LENGTH = 'HTTP/1.1 302'.length
const REDIRECT = /^HTTP\/1\.\d 30[12378]$/

/** Yields the chunks that were already read, then the remaining ones. */
export async function* joined(
  first: readonly Buffer[],
  rest: AsyncIterator<Buffer>,
): AsyncGenerator<Buffer, void> {
  yield* first
  for (;;) {
    const { value, done } = await rest.next()
    if (done) return
    yield value
  }
}

/** Judges a complete HTTP/1 response. */
export async function hearResponse(
  chunks: AsyncIterable<Buffer>,
  options: JudgeOptions,
  phase: RunContext['phase'],
): Promise<Answer> {
  const hearing = hearingOf(options)
  /** Chunks that arrived before or with the head. */
  const heard: Buffer[] = []
  const all = chunks[Symbol.asyncIterator]()
  for (let next = await all.next(); !next.done; next = await all.next()) {
    if (hearing.phase !== 'body') heard.push(next.value)
    const answer = hearing.push(next.value)
    phase(hearing.phase)
    if (answer === NEEDS_CODE) return hearCoded(joined(heard, all), options)
    if (answer) return answer
  }
  return hearing.end()
}

/** The same for a compressed body: it is read completely and then searched. */
async function hearCoded(chunks: AsyncIterable<Buffer>, options: JudgeOptions): Promise<Answer> {
  const body: Buffer[] = []
  const hearing = hearBody(httpJudge(options), (bytes, from, to) =>
    body.push(Buffer.from(bytes.subarray(from, to))),
  )
  const answer = await heardWhole(hearing, chunks)
  return answer.ok ? judgeCoded(hearing.status, Buffer.concat(body), hearing.codings, options) : answer
}

async function heardWhole(hearing: ResponseParser, chunks: AsyncIterable<Buffer>): Promise<Answer> {
  for await (const chunk of chunks) {
    const answer = hearing.push(chunk)
    if (answer) return answer
  }
  return hearing.end()
}

async function judgeCoded(
  status: string,
  body: Buffer,
  codings: readonly string[],
  options: JudgeOptions,
): Promise<Answer> {
  const plain = await undone(body, codings, options.limit)
  if ('ok' in plain) return { ...plain, detail: `${status}, but ${plain.detail}` }
  const hearing = hearingOf(options)
  return hearing.push(headOf(status)) ?? hearing.push(plain) ?? hearing.end()
}

/** Maximum characters of a header Location that the judge sees. */
const TOLD_LOCATION = 200

function headOf(status: string, location?: string): Buffer {
  // It is told and not followed, so its beginning suffices, and no byte of it may end the line.
  const told = location?.slice(0, TOLD_LOCATION).replace(/[^\x20-\x7e]/g, '.')
  const field = told === undefined ? '' : `\r\nLocation: ${told}`
  return Buffer.from(`HTTP/1.1 ${status.trimEnd()}${field}\r\n\r\n`, 'latin1')
}

/**
 * Judges a response that a library has read. The judge sees a body that ends with the connection, because the library
 * has removed the framing. `headers`: of Node, the names in lower case.
 */
export async function judgeResponse(
  status: string,
  headers: Pick<IncomingHttpHeaders, 'content-encoding' | 'location'>,
  body: AsyncIterable<Buffer>,
  options: JudgeOptions,
): Promise<Answer> {
  const hearing = hearingOf(options)
  const early = hearing.push(headOf(status, headers.location))
  if (early) return early
  const codings = codingsIn(headers['content-encoding'] ?? '')
  const isSearched = (options.receive ?? options.text ?? '') !== ''
  return codings.length > 0 && isSearched
    ? gatherCoded(status, codings, gathered(body), options)
    : heardWhole(hearing, gathered(body))
}

async function gatherCoded(
  status: string,
  codings: readonly string[],
  body: AsyncIterable<Buffer>,
  options: JudgeOptions,
): Promise<Answer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > options.limit) return tooBig(options.limit + 1, options.limit)
    chunks.push(chunk)
  }
  return judgeCoded(status, Buffer.concat(chunks), codings, options)
}
