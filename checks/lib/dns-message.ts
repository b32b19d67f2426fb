/**
 * Encodes and decodes DNS messages (RFC 1035). The available library is not used: for each name in a message it follows
 * compression pointers without limit. This code has one budget for all names of a message.
 */

import { addressFromBytes } from '../../src/core/address.js'
import { counted } from '../../src/util/plural.js'

/** Numbers of the query types (IANA registry). */
export const TYPES = {
  A: 1,
  AAAA: 28,
  CAA: 257,
  CNAME: 5,
  DNAME: 39,
  DNSKEY: 48,
  DS: 43,
  HINFO: 13,
  MX: 15,
  NAPTR: 35,
  NS: 2,
  PTR: 12,
  RP: 17,
  SOA: 6,
  SRV: 33,
  SSHFP: 44,
  TLSA: 52,
  TXT: 16,
} as const
export type Type = keyof typeof TYPES

const RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
]

const HEAD = 12
const INTERNET = 1
/** Maximum length of a name in bytes (RFC 1035, 2.3.4). */
const NAME_LIMIT = 255
/** Maximum number of labels and pointers of all names in a message. A full answer over TCP has some thousands. */
const MOST_STEPS = 50_000

export interface Question {
  /** Without a final dot; the root is empty. */
  readonly name: string
  readonly type: Type
}

export interface Head {
  readonly id: number
  readonly isResponse: boolean
  readonly isTruncated: boolean
  readonly rcode: string
}

export interface Record {
  readonly type: string
  /** The data in the format of zone files. */
  readonly text: string
}

/** The bytes are not a DNS message. */
export class NotDns extends Error {}

// ---------------------------------------------------------------- to the server

export function encodeQuery(id: number, { name, type }: Question, recursion: boolean): Buffer {
  const head = Buffer.alloc(HEAD)
  head.writeUInt16BE(id)
  head.writeUInt16BE(recursion ? 0x0100 : 0, 2)
  head.writeUInt16BE(1, 4)
  const tail = Buffer.alloc(4)
  tail.writeUInt16BE(TYPES[type])
  tail.writeUInt16BE(INTERNET, 2)
  const labels = name === '' ? [] : name.split('.')
  const encoded = labels.flatMap(label => [Buffer.from([Buffer.byteLength(label)]), Buffer.from(label)])
  return Buffer.concat([head, ...encoded, Buffer.from([0]), tail])
}

// ---------------------------------------------------------------- from the server

/** Decodes the header. */
export function readHead(message: Buffer): Head {
  if (message.length < HEAD) throw new NotDns('no header')
  const flags = message.readUInt16BE(2)
  const rcode = flags & 15
  return {
    id: message.readUInt16BE(0),
    isResponse: (flags & 0x8000) !== 0,
    isTruncated: (flags & 0x0200) !== 0,
    rcode: RCODES[rcode] ?? `RCODE ${rcode}`,
  }
}

/** Returns the first question, or null. */
export function readQuestion(message: Buffer): { readonly name: string; readonly type: string } | null {
  return new Reader(message).questions()[0] ?? null
}

/** Returns the records of the answer section. The authority and additional sections are ignored. */
export function readAnswers(message: Buffer): Record[] {
  const reader = new Reader(message)
  reader.questions()
  return reader.records(message.readUInt16BE(6))
}

export function typeName(type: number): string {
  return Object.entries(TYPES).find(([, number]) => number === type)?.[0] ?? `TYPE${type}`
}

/** Decodes a message sequentially. Throws `NotDns` if it is truncated or invalid. */
class Reader {
  readonly #message: Buffer
  #at = HEAD
  #steps = 0

  constructor(message: Buffer) {
    this.#message = message
  }

  questions(): { readonly name: string; readonly type: string }[] {
    return Array.from({ length: this.#message.readUInt16BE(4) }, () => {
      const name = this.name()
      const type = this.number(2)
      this.#skip(2)
      return { name, type: typeName(type) }
    })
  }

  records(count: number): Record[] {
    return Array.from({ length: count }, () => {
      this.name()
      const type = typeName(this.number(2))
      this.#skip(6)
      const length = this.number(2)
      const end = this.#at + length
      if (end > this.#message.length) throw new NotDns('an incomplete record')
      const text = (FORMS[type] ?? unknown)(this, length)
      if (this.#at !== end) throw new NotDns(`a record of type ${type} that does not fit its length`)
      return { type, text }
    })
  }

  number(size: 1 | 2 | 4): number {
    const at = this.#skip(size)
    return this.#message.readUIntBE(at, size)
  }

  bytes(count: number): Buffer {
    const at = this.#skip(count)
    return this.#message.subarray(at, at + count)
  }

  /** A text with a length prefix. */
  text(): string {
    return this.bytes(this.number(1)).toString()
  }

  get at(): number {
    return this.#at
  }

  /** A name: labels joined by dots; the root is a dot. `inLabel` replaces dots within a label. */
  name(inLabel = '.'): string {
    const labels: string[] = []
    let length = 0
    let back: number | null = null
    for (;;) {
      if (++this.#steps > MOST_STEPS) throw new NotDns('names with too many steps')
      const start = this.#at
      const size = this.number(1)
      if (size === 0) break
      if (size >= 0xc0) {
        const target = ((size & 0x3f) << 8) | this.number(1)
        back ??= this.#at
        // RFC 1035, 4.1.4: a pointer refers to a prior occurrence. This also rules out loops.
        if (target >= start) throw new NotDns('a name that points forward')
        this.#at = target
      } else {
        length += size + 1
        if (size > 63 || length > NAME_LIMIT) throw new NotDns('an invalid name')
        labels.push(this.bytes(size).toString().replaceAll('.', inLabel))
      }
    }
    this.#at = back ?? this.#at
    return labels.length === 0 ? '.' : labels.join('.')
  }

  /** Advances, and returns the position before. */
  #skip(count: number): number {
    const at = this.#at
    if (count < 0 || at + count > this.#message.length) throw new NotDns('it is incomplete')
    this.#at = at + count
    return at
  }
}

type Form = (reader: Reader, length: number) => string

/** RFC 3597: a record of an unknown type. */
const unknown: Form = (reader, length) => `\\# ${length} ${hex(reader, length)}`.trimEnd()
const name: Form = reader => reader.name()

function hex(reader: Reader, length: number): string {
  if (length < 0) throw new NotDns('a record that is too short')
  return reader.bytes(length).toString('hex').toUpperCase()
}

/** The parts of a record in sequence, separated by spaces. */
function parts(...all: readonly Form[]): Form {
  return (reader, length) => {
    const end = reader.at + length
    return all.map(part => part(reader, end - reader.at)).join(' ')
  }
}

const byte: Form = reader => String(reader.number(1))
const short: Form = reader => String(reader.number(2))
const long: Form = reader => String(reader.number(4))
const text: Form = reader => reader.text()
const mailbox: Form = reader => reader.name('\\.')
const rest: Form = hex

const FORMS: Readonly<globalThis.Record<string, Form>> = {
  A: address(4),
  AAAA: address(16),
  CAA: parts(byte, text, (reader, length) => reader.bytes(Math.max(0, length)).toString()),
  CNAME: name,
  DNAME: name,
  DNSKEY: parts(short, protocolAndAlgorithm, (reader, length) =>
    reader.bytes(Math.max(0, length)).toString('base64'),
  ),
  DS: parts(short, byte, byte, rest),
  HINFO: parts(text, text),
  MX: parts(short, name),
  NAPTR: parts(short, short, text, text, text, name),
  NS: name,
  PTR: name,
  RP: parts(mailbox, name),
  SOA: parts(name, mailbox, long, long, long, long, long),
  SRV: parts(short, short, short, name),
  SSHFP: parts(byte, byte, rest),
  TLSA: parts(byte, byte, byte, rest),
  TXT: texts,
}

function address(size: number): Form {
  return (reader, length) => {
    if (length !== size) throw new NotDns(`an address of ${counted(length, 'byte')}`)
    return addressFromBytes(reader.bytes(size)).text
  }
}

/** The protocol of a DNSKEY is always 3 and is omitted. */
function protocolAndAlgorithm(reader: Reader): string {
  reader.number(1)
  return String(reader.number(1))
}

/** The texts of a record are concatenated. */
function texts(reader: Reader, length: number): string {
  const end = reader.at + length
  const found: string[] = []
  while (reader.at < end) found.push(reader.text())
  return found.join('')
}
