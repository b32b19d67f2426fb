/**
 * A conversation in lines with a server, on a connection of its own. Mail, news, file transfer, SIP and agents are a few
 * lines each on top of it: what to say, and what must come back.
 */

import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Answer, RunContext, Target } from '../../src/check/check.js'
import type { Reason } from '../../src/core/model.js'
import { counted } from '../../src/util/plural.js'
import { open } from './connect.js'
import { CheckFailure } from './failure.js'
import { Heard } from './heard.js'
import { connectTls, type TlsOptions, tlsAnswer } from './tls.js'

/** Bytes that a server may say in all; no check needs a tenth of it. */
export const LIMIT = 65_536
/**
 * Bytes that one line may have. POP3, SMTP and NNTP allow 512 (RFC 1939, 5321, 3977), IMAP advises 8,000 (RFC 7162);
 * headers of SIP that pass many proxies have some thousands.
 */
const LINE_LIMIT = 8192
/** Lines that a server may say in all: each costs a step, and 64 KB may hold 65,536 of them. */
const MOST_LINES = 2000
/** Milliseconds that a server has to answer a goodbye. */
const FAREWELL = 200

/** Talks to the target, over TLS from the start where its options are given. Whatever comes of it, the connection ends. */
export async function converse(
  target: Target,
  context: RunContext,
  tls: TlsOptions | null,
  talk: (dialogue: Dialogue) => Promise<Answer>,
): Promise<Answer> {
  try {
    const dialogue = new Dialogue(await open(target, tls, context), target, context)
    try {
      return await talk(dialogue)
    } finally {
      dialogue.close()
    }
  } catch (error) {
    if (error instanceof CheckFailure) return error.answer
    const answer = tlsAnswer(error)
    if (answer) return answer
    throw error
  }
}

/** What a server says, for people: its first characters, nothing that moves a terminal's cursor. */
export function brief(text: string): string {
  const shown = text.replace(/\s+/g, ' ').replace(/\p{C}/gu, '.').trim()
  return shown.length > 100 ? `${shown.slice(0, 100)}…` : shown
}

export class Dialogue {
  #socket: Socket
  readonly #heard = new Heard()
  #count = 0
  #lines = 0
  /** What the server is to answer, for people; null for its greeting. */
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

  /** Our own end of the connection. */
  get local(): { readonly address: string; readonly port: number } {
    return { address: this.#socket.localAddress ?? '::', port: this.#socket.localPort ?? 0 }
  }

  /** What another connection to this server may take up in TLS; undefined in clear text. */
  get session(): Buffer | undefined {
    return this.#socket instanceof TLSSocket ? this.#socket.getSession() : undefined
  }

  /** Says a line. `as` is what people are told of it: its first word, so that no password is. */
  send(line: string, as = line.split(' ', 1)[0] ?? ''): void {
    this.#asked = as
    this.#socket.write(`${line}\r\n`)
  }

  /** Says these bytes, as they are. `as` is what people are told of them. */
  write(bytes: Uint8Array, as = this.#asked): void {
    this.#asked = as
    this.#socket.write(bytes)
  }

  /** Bytes that have come and that nobody has asked for yet. */
  get pending(): number {
    return this.#heard.length
  }

  /** The first of them, for people. */
  peek(): string {
    return this.#heard.peek(200).toString()
  }

  /** The next line, without its end. `limit`: bytes that it may have. */
  line(limit = LINE_LIMIT): Promise<string> {
    return this.#piece(limit, () => this.#heard.line())
  }

  /** The same for those who end a line by a carriage return alone as well. */
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

  /** The next `count` bytes. */
  async bytes(count: number): Promise<Buffer> {
    for (;;) {
      const bytes = this.#heard.take(count)
      if (bytes) return bytes
      await this.#more(counted(count, 'byte'))
    }
  }

  /** Hears until these bytes have come, whatever stands before them. `shown`: what they are, for people. */
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

  /** Goes on in TLS. What came before it unencrypted may be anybody's, and must not pass for an answer. */
  async startTls(options: TlsOptions): Promise<void> {
    if (this.#heard.length > 0) throw this.fault('garbage', 'more than the answer', 'TLS alone')
    const { address, port } = this.#target
    const peer = { host: address.text, port, name: null, socket: this.#socket }
    this.#socket = await connectTls(peer, options, this.#context)
    this.#listen(this.#socket)
    this.#context.phase('body')
  }

  /** Says goodbye and lets the server answer it, so that its log has no complaint. The verdict does not wait long for it. */
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

  /** The verdict on an answer that is not the one expected. */
  fault(reason: Reason, heard: string, expected: string): CheckFailure {
    const place = this.#asked === null ? 'as its greeting' : `in answer to ${this.#asked}`
    return new CheckFailure(reason, `"${brief(heard)}" ${place}, expected ${expected}`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #listen(socket: Socket): void {
    // Under TLS the plain connection has no more to say, though it ends too.
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
