/**
 * Judges one HTTP/1.x response (RFC 9112). The check passes only when the response is complete, even after a match,
 * because a truncated body means a failing server. The body is searched while it arrives and is not stored.
 */

import { type Answer, down, up } from '../check/check.js'
import type { Judge } from '../check/probe-spec.js'
import type { Phase } from '../core/model.js'
import type { Scan } from '../search/scan.js'
import type { Searched } from '../search/search.js'
import { counted } from '../util/plural.js'
import { ChunkedBody, HEAD_LIMIT, tooBig } from './chunked.js'
import { HttpHead } from './http-head.js'
import { Beginning, compileMatch, showBytes, showMatch, tooSlow } from './match-text.js'
import { NEEDS_CODE } from './needs-code.js'
import type { ResponseParser } from './response-parser.js'

export { HEAD_LIMIT }

/** Maximum number of interim responses (1xx) before the final one. */
const MOST_INTERIM = 32

/** Maximum number of codings per header that are read. */
const MOST_CODINGS = 16

type HttpJudge = Extract<Judge, { kind: 'http' }>

interface Wanted {
  readonly judge: HttpJudge
  readonly search: Searched | null
  readonly match: string
  readonly statuses: string
  readonly bodyless: boolean
  /** The last answer that passed, which most runs repeat. */
  readonly passed: { status: string; bytes: number; answer: Answer | null }
}

export function compileHttp(judge: HttpJudge): () => ResponseParser {
  const wanted = wantedOf(judge)
  return () => new HttpHearing(wanted)
}

/** Parses one response and passes its body to `take`, without framing, as it arrives. */
export function hearBody(judge: HttpJudge, take: Take): HttpHearing {
  return new HttpHearing(wantedOf({ ...judge, match: null, deferCoded: false }), take)
}

/** Receives bytes of the body. They may be overwritten afterwards. */
export type Take = (bytes: Buffer, from: number, to: number) => void

function wantedOf(judge: HttpJudge): Wanted {
  return {
    judge,
    search: judge.match && compileMatch(judge.match),
    match: judge.match ? showMatch(judge.match) : '',
    statuses: judge.status.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(', '),
    bodyless: judge.method === 'HEAD',
    passed: { status: '', bytes: 0, answer: null },
  }
}

type Framing = 'head' | 'length' | 'until close' | ChunkedBody

const STATUS_LINE = /^HTTP\/\d\.\d ([1-9]\d\d)(?: ([^\r\n]*))?\r?\n/
const LOCATION = /\nlocation[ \t]*:[ \t]*([^\s?#]*)/i
const FRAMING = /\n(content-length|transfer-encoding|content-encoding)[ \t]*:[ \t]*([^\r\n]*)/gi

export class HttpHearing implements ResponseParser {
  phase: Phase = 'first byte'
  #framing: Framing = 'head'
  #interim = 0
  /** Number of missing bytes of a body with a Content-Length. */
  #missing = 0
  #bodyBytes = 0
  /** Status code and reason phrase of the final response. */
  #status = ''
  #codings: readonly string[] = []
  readonly #take: Take | null
  readonly #head = new HttpHead()
  readonly #beginning = new Beginning()
  readonly #scan: Scan | null
  readonly #wanted: Wanted

  constructor(wanted: Wanted, take: Take | null = null) {
    this.#wanted = wanted
    this.#take = take
    this.#scan = wanted.search?.begin().scan() ?? null
  }

  get status(): string {
    return this.#status
  }

  /** The content and transfer codings of the body, in the order in which they were applied. */
  get codings(): readonly string[] {
    return this.#codings
  }

  push(bytes: Buffer): Answer | null {
    let at = 0
    while (this.#framing === 'head' && at < bytes.length) {
      const read = this.#head.push(bytes, at)
      const isHttp = read === null || !('ok' in read) || read.reason !== 'garbage'
      if (isHttp) this.phase = 'headers'
      if (read === null || 'ok' in read) return read
      const answer = this.#judgeHead(read.head)
      if (answer) return answer
      at = read.next
    }
    return at < bytes.length ? this.#body(bytes, at) : null
  }

  end(): Answer {
    switch (this.#framing) {
      case 'head':
        return this.#head.isEmpty && this.#status === ''
          ? down('closed', 'closed without a byte')
          : down('truncated', `closed within the headers: ${this.#head.shown}`)
      case 'until close':
        return this.#complete()
      case 'length':
        return down(
          'truncated',
          `${this.#status}, but closed ${counted(this.#missing, 'byte')} before the end of the body`,
        )
      default:
        return down(
          'truncated',
          `${this.#status}, but closed after ${counted(this.#bodyBytes, 'byte')}, before the last chunk`,
        )
    }
  }

  /** Returns null if the body, or the final response, is still to come. */
  #judgeHead(head: string): Answer | null {
    const line = STATUS_LINE.exec(head)
    if (!line) return down('garbage', `no HTTP status line: ${showBytes(Buffer.from(head, 'latin1'))}`)
    const code = Number(line[1])
    this.#status = `${line[1]} ${line[2] ?? ''}`.trimEnd()
    // 101 is a final response to an upgrade request.
    if (code < 200 && code !== 101) return this.#interimAnswer()
    const { judge, statuses, bodyless } = this.#wanted
    if (judge.defer && isIn(judge.defer, code)) return NEEDS_CODE
    if (!isIn(judge.status, code))
      return down('status', `status ${this.#status}${leadingTo(code, head)}; expected ${statuses}`)
    this.phase = 'body'
    if (bodyless || code === 101 || code === 204 || code === 304) return this.#complete()
    return this.#frame(head)
  }

  #interimAnswer(): Answer | null {
    if (++this.#interim <= MOST_INTERIM) return null
    return down('garbage', `more than ${MOST_INTERIM} interim answers, the last one ${this.#status}`)
  }

  /** Determines how the end of the body is found: RFC 9112, section 6.3. */
  #frame(head: string): Answer | null {
    let length: string | undefined
    const transfer: string[] = []
    const content: string[] = []
    FRAMING.lastIndex = 0
    for (let found = FRAMING.exec(head); found; found = FRAMING.exec(head)) {
      const [, name = '', value = ''] = found
      if (name.length === 'content-length'.length) {
        const another = value.trimEnd()
        if (length !== undefined && another !== length)
          return down('garbage', `two lengths: ${length}, ${another}`)
        length = another
      } else (/^t/i.test(name) ? transfer : content).push(...codingsIn(value))
    }
    const isChunked = transfer.at(-1) === 'chunked'
    this.#codings = [...content, ...transfer.filter(coding => coding !== 'chunked')]
    if (this.#scan && this.#codings.length > 0 && this.#wanted.judge.deferCoded) return NEEDS_CODE
    if (isChunked)
      this.#framing = new ChunkedBody(this.#wanted.judge.limit, (bytes, from, to) =>
        this.#keep(bytes, from, to),
      )
    else if (transfer.length > 0 || length === undefined) this.#framing = 'until close'
    else return this.#length(length)
    return null
  }

  #length(text: string): Answer | null {
    if (!/^\d{1,15}$/.test(text))
      return down('garbage', `invalid length: Content-Length: ${text.slice(0, 40)}`)
    const length = Number(text)
    if (length > this.#wanted.judge.limit) return tooBig(length, this.#wanted.judge.limit)
    this.#framing = 'length'
    this.#missing = length
    return length === 0 ? this.#complete() : null
  }

  #body(bytes: Buffer, at: number): Answer | null {
    if (this.#framing instanceof ChunkedBody) {
      const read = this.#framing.push(bytes, at)
      return read === 'complete' ? this.#complete() : read
    }
    if (this.#framing === 'until close') return this.#keep(bytes, at, bytes.length)
    const end = Math.min(bytes.length, at + this.#missing)
    this.#missing -= end - at
    return this.#keep(bytes, at, end) ?? (this.#missing === 0 ? this.#complete() : null)
  }

  #keep(bytes: Buffer, from: number, to: number): Answer | null {
    this.#bodyBytes += to - from
    const { limit } = this.#wanted.judge
    if (this.#bodyBytes > limit) return tooBig(limit + 1, limit)
    this.#take?.(bytes, from, to)
    if (this.#scan === null) return null
    this.#beginning.push(bytes, from, to)
    this.#scan.push(bytes, from, to)
    return null
  }

  #complete(): Answer {
    if (this.#scan === null) return this.#pass()
    const { match } = this.#wanted
    const isFound = this.#scan.end()
    if (isFound === null) return tooSlow(match)
    if (isFound) return this.#pass()
    return down(
      'unexpected',
      `${this.#status}, but no ${match} in ${counted(this.#bodyBytes, 'byte')}: ${this.#beginning}`,
    )
  }

  #pass(): Answer {
    const { passed, match } = this.#wanted
    const [status, bytes] = [this.#status, this.#bodyBytes]
    if (passed.answer && passed.status === status && passed.bytes === bytes) return passed.answer
    const found = this.#scan === null ? '' : `found ${match} in `
    passed.answer = up(`${status}, ${found}${counted(bytes, 'byte')}`)
    passed.status = status
    passed.bytes = bytes
    return passed.answer
  }
}

/**
 * Returns the names in a list of codings. `identity` (RFC 2616) is dropped: it is not a coding, and does not determine
 * the end of the body.
 */
export function codingsIn(value: string): string[] {
  const names = value.toLowerCase().split(',', MOST_CODINGS)
  return names.map(name => name.trim()).filter(name => name !== '' && name !== 'identity')
}

/**
 * Says where a redirect leads, without query and fragment: these may hold a key, or be another one each time, which would make
 * equal results different.
 */
function leadingTo(code: number, head: string): string {
  if (code < 300 || code > 399) return ''
  const [, to = ''] = LOCATION.exec(head) ?? []
  return to === '' ? '' : ` to ${showBytes(Buffer.from(to, 'latin1'))}`
}

function isIn(ranges: readonly (readonly [number, number])[], code: number): boolean {
  return ranges.some(([low, high]) => code >= low && code <= high)
}
