/**
 * Splits a PostgreSQL connection (protocol 3.0) into messages and validates them before the library reads them. The
 * library reads beyond the end of a message with unterminated texts, loops forever in an error with unterminated
 * fields, and creates an error with a stack trace for each byte that starts no message. Messages passed on here have
 * valid ends.
 */
import { CheckFailure } from './failure.js'
import { Heard } from './heard.js'
import { said } from './sql.js'

/** Maximum size of a message in bytes. It makes no sense to search a larger row for a text. */
const LIMIT = 1_048_576
/** PostgreSQL's own limit for a value, 1 GB. */
const MOST_EVER = 0x3fffffff
/** Message header in bytes: a type of one byte and a length of four. */
const HEAD = 5
const ERROR = 'E'.charCodeAt(0)
const LOGIN = 'R'.charCodeAt(0)
/** Maximum number of login steps; SCRAM has four. Each costs the client time, mostly for hashing a password. */
const MOST_LOGINS = 8
const READY = 'Z'.charCodeAt(0)

/**
 * Returns a function that receives the bytes of one connection and returns the complete messages. It throws a
 * `CheckFailure` for invalid data.
 */
export function pgsqlMessages(): (chunk: Buffer) => readonly Buffer[] {
  const heard = new Heard()
  let errors = 0
  let logins = 0
  return chunk => {
    const messages: Buffer[] = []
    heard.push(chunk)
    for (let message = next(heard); message; message = next(heard)) {
      if (message[0] === READY) errors = 0
      // A query has at most one error, and so has a refused login.
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

/** A server that cannot start a process for the connection reports it as before protocol 3: a text without a length. */
function oldError(heard: Heard): string {
  return said(heard.peek(300).subarray(1).toString().split('\0', 1)[0] ?? '')
}

/** Reads the body of a message sequentially. After a read beyond its end, all results are false or NaN. */
class Parts {
  #at = 0
  readonly #body: Buffer

  constructor(body: Buffer) {
    this.#body = body
  }

  isAtEnd(): boolean {
    return this.#at === this.#body.length
  }

  /** Skips `count` bytes. Returns false if there are fewer. */
  skip(count: number): boolean {
    this.#at += count
    return count >= 0 && this.#at <= this.#body.length
  }

  /** Skips a NUL-terminated text. Returns false if it has no end. */
  text(): boolean {
    const end = this.#body.indexOf(0, this.#at)
    this.#at = end + 1
    return end >= 0
  }

  byte(): number {
    return this.#body[this.#at++] ?? Number.NaN
  }

  /** Reads a number of `size` bytes; NaN if there are fewer. */
  number(size: 2 | 4): number {
    const at = this.#at
    return this.skip(size) ? this.#body.readIntBE(at, size) : Number.NaN
  }
}

type Form = (parts: Parts) => boolean

/** Calls `one` `count` times. Returns false if a call does, or if `count` is negative or NaN. */
function times(count: number, one: () => boolean): boolean {
  if (!(count >= 0)) return false
  for (let i = 0; i < count; i++) if (!one()) return false
  return true
}

/** Pairs of a type and a text, terminated by a zero byte. */
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

/** AuthenticationSASL (10) contains names up to an empty one. The library itself validates the other kinds. */
function authentication(parts: Parts): boolean {
  const kind = parts.number(4)
  if (kind !== 10) return kind >= 0
  let isText = parts.text()
  while (isText && !parts.isAtEnd()) isText = parts.text()
  return isText
}

const copy: Form = parts => parts.skip(1) && times(parts.number(2), () => parts.skip(2)) && parts.isAtEnd()

/**
 * The messages that servers send to a client with simple queries. Each function validates the parts that the library
 * reads without checking their ends.
 */
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
