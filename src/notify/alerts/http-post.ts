/** Sends a document to a web server by POST, once, and judges the answer. Its size and its time are bounded. */
import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { LookupFunction } from 'node:net'
import { harmless } from '../../util/foreign-text.js'
import { waitAtMost } from '../../util/with-timeout.js'
import type { Fault } from '../delivery-queue.js'

export interface PostParts {
  readonly url: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
  /** PEM file of the authorities to trust; null: the usual ones. It is read for each request, so it may be renewed. */
  readonly ca: string | null
  readonly signal: AbortSignal
  /** Resolves names; absent means Node's resolver. */
  readonly lookup?: LookupFunction | undefined
}

/** Outcome of one request. */
export interface Posted {
  /** The status line or the error, for people: `204 No Content`. */
  readonly answer: string
  /** Null if the server accepted the document. */
  readonly fault: Fault | null
  /** Whether another attempt may succeed. */
  readonly isWorthRetrying: boolean
  /** Milliseconds for which the server asks to wait. */
  readonly wait: number
}

/** Characters of an answer that are shown, and bytes of it that are read. */
const SHOWN = 200
const MOST_BYTES = 64 * 1024
/** Milliseconds for the rest of an answer. Its status has already decided. */
const REST = 1000
/** The longest pause that a server can ask for, in milliseconds. */
const LONGEST_WAIT = 300_000

/** Loads got in advance. */
export async function prepareHttp(): Promise<void> {
  // An error is reported with the first request.
  await import('../../system/got.js').catch(() => {})
}

/** Never rejects. */
export async function post(parts: PostParts): Promise<Posted> {
  try {
    return await ask(parts)
  } catch (error) {
    const { signal } = parts
    const { code = 'error', message } = error as NodeJS.ErrnoException
    const fault = signal.aborted
      ? { code: 'ETIMEDOUT', message: (signal.reason as Error | undefined)?.message ?? 'not done in time' }
      : { code, message: message || code }
    return { answer: fault.message, fault, isWorthRetrying: true, wait: 0 }
  }
}

async function ask({ url, body, headers, ca, signal, lookup }: PostParts): Promise<Posted> {
  const { got } = await import('../../system/got.js')
  const authorities = ca === null ? null : await authoritiesIn(ca)
  const [http, https] = await Promise.all([import('node:http'), import('node:https')])
  const agent = {
    http: new http.Agent({ keepAlive: false }),
    https: new https.Agent({ keepAlive: false }),
  }
  const request = got.stream.post(url, {
    body,
    headers: { 'content-type': 'application/json', ...headers },
    followRedirect: false,
    throwHttpErrors: false,
    decompress: false,
    retry: { limit: 0 },
    signal,
    agent,
    ...(authorities !== null && { https: { certificateAuthority: authorities } }),
    ...(lookup && { dnsLookup: lookup as never }),
  })
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      // An error after the answer is of no interest, and would end the process without a listener.
      request.on('error', (error: Error) => reject((error.cause as Error | undefined) ?? error))
      request.once('response', resolve)
    })
    const text = await beginningOf(request)
    return judge(response, text)
  } finally {
    request.destroy()
    agent.http.destroy()
    agent.https.destroy()
  }
}

async function authoritiesIn(ca: string): Promise<string> {
  return readFile(ca, 'utf8').catch((error: Error) => {
    throw Object.assign(new Error(`ca: ${error.message}`), { code: 'ECA' })
  })
}

/** Reads the answer to its end, a limit of bytes or of time. */
async function beginningOf(request: NodeJS.ReadableStream): Promise<string> {
  let text = ''
  let bytes = 0
  const ended = new Promise<void>(resolve => {
    request.on('data', (chunk: Buffer) => {
      if (text.length < SHOWN) text += chunk.toString('utf8', 0, SHOWN)
      bytes += chunk.length
      if (bytes > MOST_BYTES) resolve()
    })
    for (const event of ['end', 'close', 'error']) request.once(event, () => resolve())
  })
  await waitAtMost(REST, ended)
  return text
}

function judge({ statusCode = 0, statusMessage = '', headers }: IncomingMessage, text: string): Posted {
  const answer = harmless(`${statusCode} ${statusMessage}`)
  if (statusCode >= 200 && statusCode < 300) return { answer, fault: null, isWorthRetrying: false, wait: 0 }
  const said = harmless(text).slice(0, SHOWN)
  const message = `answers ${answer}${said === '' ? '' : `: ${said}`}`
  return {
    answer,
    fault: { code: String(statusCode), message },
    isWorthRetrying: statusCode >= 500 || [408, 425, 429].includes(statusCode),
    wait: waitIn(headers['retry-after']),
  }
}

function waitIn(retryAfter: string | undefined): number {
  const seconds = /^\d{1,6}$/.test(retryAfter ?? '') ? Number(retryAfter) : 0
  return Math.min(seconds * 1000, LONGEST_WAIT)
}
