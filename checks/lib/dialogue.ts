/**
 * A line-based dialogue with a server on its own connection. Checks for mail, news, file transfer, SIP and agents
 * define only what they send and what they expect.
 */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Answer, RunContext, Target } from '../../src/check/check.js'
import type { Reason } from '../../src/core/model.js'
import { counted } from '../../src/util/plural.js'
import { open } from './connect.js'
import { destinationOf } from './destination.js'
import { CheckFailure } from './failure.js'
import { Heard } from './heard.js'
import { askOverTls } from './resumption.js'
import { connectTls, type TlsOptions, tlsAnswer } from './tls.js'

/** Maximum number of bytes that a server may send in total. No check needs a tenth of it. */
export const LIMIT = 65_536
/**
 * Maximum length of a line in bytes. POP3, SMTP and NNTP allow 512 (RFC 1939, 5321, 3977), IMAP recommends 8,000 (RFC
 * 7162), and SIP headers grow to some thousands through many proxies.
 */
const LINE_LIMIT = 8192
/** Maximum number of lines in total, because each one costs time and 64 KB may contain 65,536 lines. */
const MOST_LINES = 2000
/** Milliseconds to wait for the answer to a goodbye. */
const FAREWELL = 200

/** Talks to the target, over TLS from the start if `tls` is given. Always closes the connection. */
export async function converse(
  target: Target,
  context: RunContext,
  tls: TlsOptions | null,
  talk: (dialogue: Dialogue) => Promise<Answer>,
): Promise<Answer> {
  const talkOn = async (socket: Socket) => {
    const dialogue = new Dialogue(socket, target, context)
    try {
      return await talk(dialogue)
    } finally {
      dialogue.close()
    }
  }
  try {
    if (!tls) return await talkOn(await open(target, null, context))
    return await askOverTls({ ...destinationOf(target), name: null }, tls, context, talkOn)
  } catch (error) {
    if (error instanceof CheckFailure) return error.answer
    const answer = tlsAnswer(error)
    if (answer) return answer
    throw error
  }
}

/** Shortens the text of a server for people and replaces characters that control a terminal. */
export function brief(text: string): string {
  const shown = text.replace(/\s+/g, ' ').replace(/\p{C}/gu, '.').trim()
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown
}

export class Dialogue {
  #socket: Socket
  readonly #heard = new Heard()
  #count = 0
  #lines = 0
  /** The last request, for people; null before the first one, when the greeting is expected. */
  #asked: string | null = null
  #end: Error | 'ended' | null = null
  #wake = () => {}
  readonly #target: Target
  readonly #context: RunContext
  readonly #startedAt = performance.now()

  constructor(socket: Socket, target: Target, context: RunContext) {
    this.#socket = socket
    this.#target = target
    this.#context = context
    this.#listen(socket)
    context.phase('first byte')
  }

  /** The local end of the connection. */
  get local(): { readonly address: string; readonly port: number } {
    return { address: this.#socket.localAddress ?? '::', port: this.#socket.localPort ?? 0 }
  }

  /** The TLS session, for resumption by another connection to this server; undefined without TLS. */
  get session(): Buffer | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getSession() : undefined
  }

  /** Sends a line. `as` is its name in messages: by default its first word, which contains no password. */
  send(line: string, as = line.split(' ', 1)[0] ?? ''): void {
    this.#asked = as
    this.#socket.write(`${line}\r\n`)
  }

  /** Sends raw bytes. `as` is their name in messages. */
  write(bytes: Uint8Array, as = this.#asked): void {
    this.#asked = as
    this.#socket.write(bytes)
  }

  /** Number of received bytes that are not consumed yet. */
  get pending(): number {
    return this.#heard.length
  }

  /** The first of these bytes, for people. */
  peek(): string {
    return this.#heard.peek(200).toString()
  }

  /** Returns the next line without its end. `limit` is its maximum length in bytes. */
  line(limit = LINE_LIMIT): Promise<string> {
    return this.#piece(limit, () => this.#heard.line())
  }

  /** The same for protocols in which a single carriage return also ends a line. */
  word(limit = LINE_LIMIT): Promise<string> {
    return this.#piece(limit, () => this.#heard.word())
  }

  async #piece(limit: number, take: () => Buffer | null): Promise<string> {
    for (;;) {
      const line = take()
      if (this.#lines > MOST_LINES) throw this.fault('too-big', this.peek(), `at most ${MOST_LINES} lines`)
      if ((line ?? this.#heard).length > limit) {
        const shown = line?.toString('utf8', 0, 200) ?? this.peek()
        throw this.fault('too-big', shown, `lines of at most ${limit} bytes`)
      }
      if (line) {
        this.#lines++
        return line.toString()
      }
      await this.#more('a whole line')
    }
  }

  /** Returns the next `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.#heard.take(count)
      if (bytes) return bytes
      await this.#more(counted(count, 'byte'))
    }
  }

  /** Skips everything up to and including these bytes. `shown` describes them to people. */
  async until(bytes: Uint8Array, shown: string): Promise<void> {
    for (let searched = 0; ; ) {
      const heard = this.#heard.peek()
      const at = heard.indexOf(bytes, Math.max(0, searched - bytes.length + 1))
      if (at >= 0) {
        this.#heard.take(at + bytes.length)
        return
      }
      searched = heard.length
      await this.#more(shown)
    }
  }

  async #more(expected: string): Promise<void> {
    if (this.#end === 'ended') throw this.#broken(expected)
    if (this.#end) throw this.#end
    await new Promise<void>(resolve => {
      this.#wake = resolve
    })
  }

  /** Continues in TLS. Unencrypted data received before may come from an attacker and must not be used as an answer. */
  async startTls(options: TlsOptions): Promise<void> {
    if (this.#heard.length > 0) throw this.fault('garbage', 'more than the answer', 'TLS alone')
    const { address, port } = this.#target
    const peer = { host: address.text, port, name: null, socket: this.#socket }
    this.#socket = await connectTls(peer, options, this.#context)
    this.#listen(this.#socket)
    this.#context.phase('body')
  }

  /** Says goodbye and waits briefly for the server's answer, so that the server does not log an error. */
  async leave(line: string): Promise<void> {
    const left = this.#context.timeout - (performance.now() - this.#startedAt)
    this.#socket.write(`${line}\r\n`)
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, Math.min(FAREWELL, left / 2))
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }

  /** Returns the failure for an unexpected answer. */
  fault(reason: Reason, heard: string, expected: string): CheckFailure {
    const place = this.#asked === null ? 'as its greeting' : `in answer to ${this.#asked}`
    return new CheckFailure(reason, `"${brief(heard)}" ${place}, expected ${expected}`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #listen(socket: Socket): void {
    // After the start of TLS, events of the plain connection are ignored.
    const ours = <T extends unknown[]>(take: (...given: T) => void) => {
      return (...given: T) => socket === this.#socket && take(...given)
    }
    socket.on(
      'data',
      ours((chunk: Buffer) => this.#take(chunk)),
    )
    socket.on(
      'error',
      ours((error: Error) => this.#finish(error)),
    )
    socket.on(
      'close',
      ours(() => this.#finish('ended')),
    )
    socket.on(
      'end',
      ours(() => this.#finish('ended')),
    )
  }

  #take(chunk: Buffer): void {
    this.#context.phase('body')
    this.#count += chunk.length
    if (this.#count > LIMIT) {
      this.#finish(this.fault('too-big', this.peek(), `at most ${LIMIT} bytes`))
      this.#socket.destroy()
      return
    }
    this.#heard.push(chunk)
    this.#wake()
  }

  #finish(end: Error | 'ended'): void {
    this.#end ??= end
    this.#wake()
  }

  #broken(expected: string): CheckFailure {
    if (this.#heard.length > 0) return this.fault('truncated', this.peek(), expected)
    const missing = this.#asked === null ? 'a greeting' : `an answer to ${this.#asked}`
    return new CheckFailure('closed', `closed without ${missing}`)
  }
}
