/**
 * Judges one HTTP/1.x response (RFC 9112). It is up only when the whole response has come, whatever matched on the
 * way: a body that breaks off is a server that breaks.
 */
import { type Answer, down, up } from '../check.js'
import type { Phase } from '../model.js'
import { DEFERRED } from './defer.js'
import type { Hearing } from './judge.js'
import { compileMatch, type Matcher, showBytes, showMatch, tooSlow } from './match.js'
import type { Judge } from './probe.js'

/** Longest head (status line and headers), chunk-size line and trailer, bytes. */
export const HEAD_LIMIT = 64 * 1024

type HttpJudge = Extract<Judge, { kind: 'http' }>

interface Wanted {
  readonly judge: HttpJudge
  readonly matches: Matcher | null
  readonly match: string
  readonly statuses: string
  readonly bodyless: boolean
}

export function compileHttp(judge: HttpJudge): () => Hearing {
  const wanted: Wanted = {
    judge,
    matches: judge.match && compileMatch(judge.match),
    match: judge.match ? showMatch(judge.match) : '',
    statuses: judge.status.map(([low, high]) => (low === high ? `${low}` : `${low}-${high}`)).join(', '),
    bodyless: judge.method === 'HEAD',
  }
  return () => new HttpHearing(wanted)
}

type State = 'head' | 'length' | 'until close' | 'chunk size' | 'chunk' | 'chunk end' | 'trailer'

const CR = 13
const LF = 10
const NOTHING = Buffer.alloc(0)
const START = Buffer.from('HTTP/')
const STATUS_LINE = /^HTTP\/\d\.\d ([1-9]\d\d)(?: ([^\r\n]*))?\r?\n/
const FRAMING = /\n(content-length|transfer-encoding)[ \t]*:[ \t]*([^\r\n]*)/gi

class HttpHearing implements Hearing {
  phase: Phase = 'first byte'
  #state: State = 'head'
  /** Bytes of an unfinished head or line, ours to keep. */
  #rest: Buffer | null = null
  /** Bytes still to come of a body with a length, or of a chunk. */
  #missing = 0
  #bodyBytes = 0
  /** Begins with the body so far; kept only where something is searched in it. */
  #body: Buffer = NOTHING
  #trailerBytes = 0
  #status = ''
  readonly #wanted: Wanted

  constructor(wanted: Wanted) {
    this.#wanted = wanted
  }

  push(bytes: Buffer): Answer | null {
    const heard = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes])
    const owned = this.#rest !== null
    this.#rest = null
    let at = 0
    while (at < heard.length) {
      const next = this.#take(heard, at)
      if (typeof next !== 'number') return next
      if (next < 0) {
        this.#rest = owned ? heard.subarray(at) : Buffer.from(heard.subarray(at))
        break
      }
      at = next
    }
    return null
  }

  end(): Answer {
    switch (this.#state) {
      case 'head':
        return this.#rest === null && this.#status === ''
          ? down('closed', 'closed without a byte')
          : down('truncated', `closed within the headers: ${showBytes(this.#rest ?? Buffer.alloc(0))}`)
      case 'until close':
        return this.#complete()
      case 'length':
        return down(
          'truncated',
          `${this.#status}, but closed ${this.#missing} bytes before the end of the body`,
        )
      default:
        return down(
          'truncated',
          `${this.#status}, but closed after ${this.#bodyBytes} bytes, before the last chunk`,
        )
    }
  }

  /** Reads one step from `at`: where the next one begins, -1 where more bytes are needed, or the verdict. */
  #take(heard: Buffer, at: number): number | Answer {
    switch (this.#state) {
      case 'head':
        return this.#takeHead(heard, at)
      case 'length':
      case 'chunk':
        return this.#takeCounted(heard, at)
      case 'until close':
        return this.#keep(heard, at, heard.length)
      case 'chunk size':
        return this.#takeLine(heard, at, line => this.#chunkSize(line))
      case 'chunk end':
        return this.#takeLine(heard, at, line => this.#chunkEnd(line))
      case 'trailer':
        return this.#takeLine(heard, at, line => this.#trailer(line))
    }
  }

  #takeHead(heard: Buffer, at: number): number | Answer {
    if (!startsLikeHttp(heard, at)) return down('garbage', `no HTTP: ${showBytes(heard.subarray(at))}`)
    this.phase = 'headers'
    const end = endOfHead(heard, at)
    if (end < 0)
      return heard.length - at > HEAD_LIMIT ? down('too-big', `more than ${HEAD_LIMIT} bytes of headers`) : -1
    if (end - at > HEAD_LIMIT) return down('too-big', `more than ${HEAD_LIMIT} bytes of headers`)
    return this.#head(heard.toString('latin1', at, end)) ?? end
  }

  /** Null where the body is to be read, or where the final response is still to come. */
  #head(head: string): Answer | null {
    const line = STATUS_LINE.exec(head)
    if (!line) return down('garbage', `no HTTP status line: ${showBytes(Buffer.from(head, 'latin1'))}`)
    const code = Number(line[1])
    this.#status = `${line[1]} ${line[2] ?? ''}`.trimEnd()
    // 101 is final: whoever asked to upgrade has the answer.
    if (code < 200 && code !== 101) return null
    const { judge, statuses, bodyless } = this.#wanted
    if (judge.defer && isIn(judge.defer, code)) return DEFERRED
    if (!isIn(judge.status, code)) return down('status', `status ${this.#status}; expected ${statuses}`)
    this.phase = 'body'
    if (bodyless || code === 101 || code === 204 || code === 304) return this.#complete()
    return this.#frame(head)
  }

  /** How the end of the body is told: RFC 9112, section 6.3. */
  #frame(head: string): Answer | null {
    let length: string | null = null
    let coding: string | null = null
    for (const [, name = '', value = ''] of head.matchAll(FRAMING)) {
      const trimmed = value.trimEnd()
      if (name.length === 'transfer-encoding'.length) coding = trimmed.toLowerCase()
      else if (length !== null && length !== trimmed)
        return down('garbage', `two lengths: ${length}, ${trimmed}`)
      else length = trimmed
    }
    if (coding !== null) {
      this.#state = /(^|[,\s])chunked$/.test(coding) ? 'chunk size' : 'until close'
      return null
    }
    if (length === null) {
      this.#state = 'until close'
      return null
    }
    return this.#length(length)
  }

  #length(text: string): Answer | null {
    if (!/^\d{1,15}$/.test(text)) return down('garbage', `no length: Content-Length: ${text.slice(0, 40)}`)
    const length = Number(text)
    if (length > this.#wanted.judge.limit) return this.#tooBig(length)
    this.#state = 'length'
    this.#missing = length
    return length === 0 ? this.#complete() : null
  }

  #tooBig(length: number): Answer {
    return down('too-big', `a body of ${length} bytes or more; at most ${this.#wanted.judge.limit} are read`)
  }

  #takeCounted(heard: Buffer, at: number): number | Answer {
    const end = Math.min(heard.length, at + this.#missing)
    const next = this.#keep(heard, at, end)
    this.#missing -= end - at
    if (typeof next !== 'number' || this.#missing > 0) return next
    if (this.#state === 'length') return this.#complete()
    this.#state = 'chunk end'
    return next
  }

  #keep(heard: Buffer, from: number, to: number): number | Answer {
    this.#bodyBytes += to - from
    if (this.#bodyBytes > this.#wanted.judge.limit) return this.#tooBig(this.#bodyBytes)
    if (this.#wanted.matches !== null) this.#append(heard, from, to)
    return to
  }

  /** One buffer that doubles: a server that sends chunks of one byte must not cost an object for each. */
  #append(heard: Buffer, from: number, to: number): void {
    const before = this.#bodyBytes - (to - from)
    const isWhole = before === 0 && this.#state === 'length' && to - from === this.#missing
    if (isWhole) {
      // Searched at once, and so never copied.
      this.#body = heard.subarray(from, to)
      return
    }
    if (this.#bodyBytes > this.#body.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bodyBytes, 2 * this.#body.length, 1024))
      this.#body.copy(larger, 0, 0, before)
      this.#body = larger
    }
    heard.copy(this.#body, before, from, to)
  }

  #takeLine(heard: Buffer, at: number, read: (line: string) => Answer | null): number | Answer {
    const end = heard.indexOf(LF, at)
    const length = (end < 0 ? heard.length : end) - at
    if (length > HEAD_LIMIT) return down('garbage', `a line of more than ${HEAD_LIMIT} bytes between chunks`)
    if (end < 0) return -1
    const line = heard.toString('latin1', at, end > at && heard[end - 1] === CR ? end - 1 : end)
    return read(line) ?? end + 1
  }

  #chunkSize(line: string): Answer | null {
    const match = /^([0-9a-f]{1,12})[ \t]*(?:;.*)?$/i.exec(line)
    if (!match) return down('garbage', `no chunk size: ${showBytes(Buffer.from(line, 'latin1'))}`)
    this.#missing = Number.parseInt(match[1] ?? '', 16)
    if (this.#bodyBytes + this.#missing > this.#wanted.judge.limit)
      return this.#tooBig(this.#bodyBytes + this.#missing)
    this.#state = this.#missing === 0 ? 'trailer' : 'chunk'
    return null
  }

  #chunkEnd(line: string): Answer | null {
    if (line !== '') return down('garbage', 'a chunk is longer than its size')
    this.#state = 'chunk size'
    return null
  }

  #trailer(line: string): Answer | null {
    if (line === '') return this.#complete()
    this.#trailerBytes += line.length + 2
    return this.#trailerBytes > HEAD_LIMIT
      ? down('too-big', `more than ${HEAD_LIMIT} bytes of trailers`)
      : null
  }

  #complete(): Answer {
    const { matches, match } = this.#wanted
    if (matches === null) return up(`${this.#status}, ${this.#bodyBytes} bytes`)
    const body = this.#body.subarray(0, this.#bodyBytes)
    const isFound = matches(body)
    if (isFound === null) return tooSlow(match)
    if (isFound) return up(`${this.#status}, found ${match} in ${body.length} bytes`)
    return down('unexpected', `${this.#status}, but no ${match} in ${body.length} bytes: ${showBytes(body)}`)
  }
}

function isIn(ranges: readonly (readonly [number, number])[], code: number): boolean {
  return ranges.some(([low, high]) => code >= low && code <= high)
}

function startsLikeHttp(heard: Buffer, at: number): boolean {
  const length = Math.min(START.length, heard.length - at)
  return heard.compare(START, 0, length, at, at + length) === 0
}

/** Just after the blank line that ends the head, with or without carriage returns, or -1. */
function endOfHead(heard: Buffer, at: number): number {
  for (let lf = heard.indexOf(LF, at); lf >= 0; lf = heard.indexOf(LF, lf + 1)) {
    if (heard[lf + 1] === LF) return lf + 2
    if (heard[lf + 1] === CR && heard[lf + 2] === LF) return lf + 3
  }
  return -1
}
