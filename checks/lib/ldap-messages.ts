/**
 * Encodes and decodes the LDAP messages (RFC 4511) that a check needs. The maintained library ldapts is not used: it
 * loops endlessly over an element that is longer than its container, until Node aborts. Here every element must fit, so
 * invalid data from a server ends only its own check.
 */

export const BIND_RESPONSE = 0x61
export const SEARCH_ENTRY = 0x64
export const SEARCH_DONE = 0x65
const SEARCH_REFERENCE = 0x73
export const EXTENDED_RESPONSE = 0x78

const SEQUENCE = 0x30
const INTEGER = 0x02
const OCTETS = 0x04
const BOOLEAN = 0x01
const ENUMERATED = 0x0a

export interface Element {
  readonly tag: number
  readonly value: Buffer
}

/** A message of the server. Only one answer is pending at a time, so the message ID is not compared. */
export type Message =
  | { readonly kind: typeof SEARCH_ENTRY; readonly name: string }
  | { readonly kind: typeof SEARCH_REFERENCE }
  | {
      readonly kind: typeof BIND_RESPONSE | typeof SEARCH_DONE | typeof EXTENDED_RESPONSE
      readonly code: number
      readonly text: string
    }

/** The bytes are not an LDAP message. */
export class NotLdap extends Error {}

// ---------------------------------------------------------------- to the server

export function bindRequest(id: number, login: string, passwd: string): Buffer {
  return message(id, element(0x60, number(INTEGER, 3), text(OCTETS, login), text(0x80, passwd)))
}

/** Requests the entry itself without attributes. The filter `(objectClass=*)` matches every entry. */
export function searchRequest(id: number, base: string): Buffer {
  const neverDereferenced = number(ENUMERATED, 0)
  const unlimited = number(INTEGER, 0)
  return message(
    id,
    element(
      0x63,
      text(OCTETS, base),
      number(ENUMERATED, 0),
      neverDereferenced,
      unlimited,
      unlimited,
      element(BOOLEAN, Buffer.from([0])),
      text(0x87, 'objectClass'),
      element(SEQUENCE, text(OCTETS, '1.1')),
    ),
  )
}

/** Requests TLS on this connection (RFC 4511, 4.14). */
export function startTlsRequest(id: number): Buffer {
  return message(id, element(0x77, text(0x80, '1.3.6.1.4.1.1466.20037')))
}

export function unbindRequest(id: number): Buffer {
  return message(id, element(0x42))
}

function message(id: number, operation: Buffer): Buffer {
  return element(SEQUENCE, number(INTEGER, id), operation)
}

function element(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), lengthBytes(content.length), content])
}

function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes = Buffer.alloc(5)
  bytes[0] = 0x84
  bytes.writeUInt32BE(length, 1)
  return bytes
}

/** Encodes a small number, such as a message ID. */
function number(tag: number, value: number): Buffer {
  return element(tag, Buffer.from([value]))
}

function text(tag: number, value: string): Buffer {
  return element(tag, Buffer.from(value))
}

// ---------------------------------------------------------------- from the server

/**
 * Returns the first message and the bytes after it, or null if it is incomplete. `limit` is its maximum size in bytes.
 * Throws `NotLdap`.
 */
export function takeMessage(bytes: Buffer, limit: number): { message: Message; rest: Buffer } | null {
  if (bytes.length > 0 && bytes[0] !== SEQUENCE) throw new NotLdap('the answer is not LDAP')
  const first = header(bytes, 0)
  if (!first) return null
  if (first.end > limit) throw new NotLdap(`a message of ${first.end} bytes`)
  if (first.end > bytes.length) return null
  return { message: read(bytes.subarray(first.start, first.end)), rest: bytes.subarray(first.end) }
}

function read(content: Buffer): Message {
  const [id, operation] = elements(content)
  if (id?.tag !== INTEGER || !operation) throw new NotLdap('a message without a number and an operation')
  const parts = operation.tag === SEARCH_REFERENCE ? [] : elements(operation.value)
  switch (operation.tag) {
    case SEARCH_ENTRY:
      return { kind: operation.tag, name: asText(parts[0]) }
    case SEARCH_REFERENCE:
      return { kind: operation.tag }
    case BIND_RESPONSE:
    case SEARCH_DONE:
    case EXTENDED_RESPONSE:
      if (parts[0]?.tag !== ENUMERATED) throw new NotLdap('a result without a code')
      return { kind: operation.tag, code: asNumber(parts[0]), text: asText(parts[2]) }
    default:
      throw new NotLdap(`an operation that no server sends (${operation.tag})`)
  }
}

/** Splits the content into elements that must fill it exactly. Throws `NotLdap`. */
export function elements(content: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < content.length; ) {
    const next = header(content, at)
    if (!next || next.end > content.length) throw new NotLdap('an element that does not fit into its message')
    found.push({ tag: content.readUInt8(at), value: content.subarray(next.start, next.end) })
    at = next.end
  }
  return found
}

/** Returns start and end of the content of the element at `at`; null if its length is incomplete. */
function header(bytes: Buffer, at: number): { start: number; end: number } | null {
  const first = bytes[at + 1]
  if (first === undefined) return null
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const count = first - 0x80
  if (count < 1 || count > 4) throw new NotLdap('an element without a length')
  const start = at + 2 + count
  return start > bytes.length ? null : { start, end: start + bytes.readUIntBE(at + 2, count) }
}

function asNumber({ value }: Element): number {
  if (value.length < 1 || value.length > 4) throw new NotLdap(`a number of ${value.length} bytes`)
  return value.readIntBE(0, value.length)
}

function asText(part: Element | undefined): string {
  if (part?.tag !== OCTETS) throw new NotLdap('a text is missing')
  return part.value.toString()
}
