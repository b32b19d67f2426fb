/**
 * Messages of PostgreSQL (protocol 3.0), cut out of what comes and looked at before the library reads them. It reads
 * past the end of a message whose texts do not end in it, goes round for ever in an error whose fields do not end, and
 * makes an error with its stack for each byte that begins no message. What is handed on here ends where it says, one
 * message at a time.
 */
import { CheckFailure } from './failure.js'
import { Heard } from './heard.js'
import { said } from './sql.js'

/** Bytes that one message may have; a row of more than this is nothing to look for a text in. */
const LIMIT = 1_048_576
/** What PostgreSQL itself allows for a value, 1 GB. */
const MOST_EVER = 0x3fffffff
/** Messages of one byte and a length of four. */
const HEAD = 5
const ERROR = 'E'.charCodeAt(0)
const LOGIN = 'R'.charCodeAt(0)
/** Steps of a login; SCRAM has four. The client works for each, and for most of them hashes a password. */
const MOST_LOGINS = 8
const READY = 'Z'.charCodeAt(0)

/** Takes the bytes of one connection; gives the whole messages among them. Throws a `CheckFailure` at what is none. */
export function pgsqlMessages(): (chunk: Buffer) => readonly Buffer[] {
  const heard = new Heard()
  let errors = 0
  let logins = 0
  return chunk => {
    const messages: Buffer[] = []
    heard.push(chunk)
    for (let message = next(heard); message; message = next(heard)) {
      if (message[0] === READY) errors = 0
      // One question has one error; a server that refuses to let in has one too.
      if (message[0] === ERROR && ++errors > 1)
        throw new CheckFailure('garbage', 'several errors in answer to one question')
      if (message[0] === LOGIN && ++logins > MOST_LOGINS)
        throw new CheckFailure('garbage', `more than ${MOST_LOGINS} steps to log in`)
      messages.push(message)
    }
    return messages
  }
}

function next(heard: Heard): Buffer | null {
  const head = heard.peek(HEAD)
  const [code] = head
  if (code === undefined) return null
  if (!Object.hasOwn(FORMS, String.fromCharCode(code)))
    throw new CheckFailure('garbage', `no message of PostgreSQL begins with the byte ${code}`)
  if (head.length < HEAD) return null
  const length = head.readUInt32BE(1)
  if (length < 4) throw new CheckFailure('garbage', `a message of PostgreSQL with the length ${length}`)
  if (code === ERROR && length > MOST_EVER) throw new CheckFailure('status', oldError(heard))
  if (length > MOST_EVER)
    throw new CheckFailure('garbage', `a message of PostgreSQL with the length ${length}`)
  if (length > LIMIT)
    throw new CheckFailure('too-big', `a message of ${length} bytes; at most ${LIMIT} are read`)
  const message = heard.take(1 + length)
  if (message && !FORMS[String.fromCharCode(code)]?.(new Parts(message.subarray(HEAD))))
    throw new CheckFailure('garbage', 'a message of PostgreSQL whose parts do not fit into it')
  return message
}

/** A server that cannot even start a process for the connection says so as before protocol 3: a text without a length. */
function oldError(heard: Heard): string {
  return said(heard.peek(300).subarray(1).toString().split('\0', 1)[0] ?? '')
}

/** Reads a message's body from its beginning; past its end nothing is true any more. */
class Parts {
  #at = 0
  readonly #body: Buffer

  constructor(body: Buffer) {
    this.#body = body
  }

  isAtEnd(): boolean {
    return this.#at === this.#body.length
  }

  /** Whether there were so many bytes. */
  skip(count: number): boolean {
    this.#at += count
    return count >= 0 && this.#at <= this.#body.length
  }

  /** Whether a text ended with its zero. */
  text(): boolean {
    const end = this.#body.indexOf(0, this.#at)
    this.#at = end + 1
    return end >= 0
  }

  byte(): number {
    return this.#body[this.#at++] ?? Number.NaN
  }

  /** A number of so many bytes; none where they are not there. */
  number(size: 2 | 4): number {
    const at = this.#at
    return this.skip(size) ? this.#body.readIntBE(at, size) : Number.NaN
  }
}

type Form = (parts: Parts) => boolean

/** So many times, each of which must succeed; none at all for what is no number. */
function times(count: number, one: () => boolean): boolean {
  if (!(count >= 0)) return false
  for (let i = 0; i < count; i++) if (!one()) return false
  return true
}

/** Pairs of a type and a text, and a zero behind the last. */
function fields(parts: Parts): boolean {
  let type = parts.byte()
  for (; type > 0; type = parts.byte()) if (!parts.text()) return false
  return type === 0 && parts.isAtEnd()
}

function row(parts: Parts): boolean {
  const value = () => {
    const length = parts.number(4)
    return length === -1 || parts.skip(length)
  }
  return times(parts.number(2), value) && parts.isAtEnd()
}

/** AuthenticationSASL, 10, has names up to an empty one; the others are looked at by the library. */
function authentication(parts: Parts): boolean {
  const kind = parts.number(4)
  if (kind !== 10) return kind >= 0
  let isText = parts.text()
  while (isText && !parts.isAtEnd()) isText = parts.text()
  return isText
}

const copy: Form = parts => parts.skip(1) && times(parts.number(2), () => parts.skip(2)) && parts.isAtEnd()

/** What servers send to a client that asks simple questions, each with the parts that the library reads without a look at their end. */
const FORMS: Readonly<Record<string, Form>> = {
  // AuthenticationRequest, BackendKeyData, ParameterStatus, ReadyForQuery
  R: authentication,
  K: parts => parts.skip(8),
  S: parts => parts.text() && parts.text() && parts.isAtEnd(),
  Z: parts => parts.skip(1) && parts.isAtEnd(),
  // RowDescription, DataRow, CommandComplete, EmptyQueryResponse
  T: parts => times(parts.number(2), () => parts.text() && parts.skip(18)) && parts.isAtEnd(),
  D: row,
  C: parts => parts.text() && parts.isAtEnd(),
  I: () => true,
  // ErrorResponse, NoticeResponse, NotificationResponse
  E: fields,
  N: fields,
  A: parts => parts.skip(4) && parts.text() && parts.text() && parts.isAtEnd(),
  // CopyInResponse, CopyOutResponse, CopyData, CopyDone
  G: copy,
  H: copy,
  d: () => true,
  c: () => true,
}
