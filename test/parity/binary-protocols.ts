/** Scripted servers with binary protocols: a directory and two databases, which accept any login. */
import type { Socket } from 'node:net'
import type { Protocol } from './servers.js'

/**
 * Calls `onMessage` for each complete message. `lengthOf` returns the length of the first message in the bytes, or 0 if
 * it is not known yet.
 */
function messages(
  socket: Socket,
  lengthOf: (bytes: Buffer) => number,
  onMessage: (message: Buffer) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  socket.on('end', () => socket.end())
  socket.on('data', chunk => {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    for (let length = lengthOf(bytes); length > 0 && bytes.length >= length; length = lengthOf(bytes)) {
      const message = bytes.subarray(0, length)
      bytes = bytes.subarray(length)
      onMessage(message)
    }
  })
}

// ---------------------------------------------------------------- LDAP, RFC 4511, in short BER lengths

const ber = (tag: number, ...parts: readonly Uint8Array[]) => {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, content.length]), content])
}

/** Parses a BER length: short form, and long form with up to four bytes. */
function berLength(bytes: Buffer, at: number): { length: number; from: number } {
  const first = bytes[at] ?? 0
  if (first < 0x80) return { length: first, from: at + 1 }
  const count = first & 0x7f
  return { length: bytes.readUIntBE(at + 1, count), from: at + 1 + count }
}

const DONE = [Buffer.from([10, 1, 0]), Buffer.from([4, 0]), Buffer.from([4, 0])]

/** Returns one entry with the requested name, or none if wrong. */
export const ldap: Protocol = {
  stream: (socket, isRight) =>
    messages(
      socket,
      bytes => {
        if (bytes.length < 7) return 0
        const { length, from } = berLength(bytes, 1)
        return from + length
      },
      message => {
        const { from } = berLength(message, 1)
        const id = message.subarray(from, from + 2 + (message[from + 1] ?? 0))
        const op = from + id.length
        const content = berLength(message, op + 1).from
        if (message[op] === 0x60) socket.write(ber(0x30, id, ber(0x61, ...DONE)))
        if (message[op] === 0x42) socket.end()
        if (message[op] !== 0x63) return
        const base = berLength(message, content + 1)
        const name = message.subarray(base.from, base.from + base.length)
        if (isRight) socket.write(ber(0x30, id, ber(0x64, ber(4, name), ber(0x30))))
        socket.write(ber(0x30, id, ber(0x65, ...DONE)))
      },
    ),
}

// ---------------------------------------------------------------- MySQL, protocol version 10

const text = (value: string) => Buffer.from(value)
const counted = (value: string) => Buffer.concat([Buffer.from([value.length]), text(value)])

/** Capability flags: PLUGIN_AUTH, SECURE_CONNECTION, TRANSACTIONS, PROTOCOL_41, CONNECT_WITH_DB, LONG_PASSWORD. */
const CAPABILITIES = 0x00080000 | 0x8000 | 0x2000 | 0x0200 | 0x0008 | 0x0001

function greeting(): Buffer {
  const capabilities = Buffer.alloc(4)
  capabilities.writeUInt32LE(CAPABILITIES)
  return Buffer.concat([
    Buffer.from([10]),
    text('8.0.0-lab\0'),
    Buffer.from([1, 0, 0, 0]),
    text('12345678\0'),
    capabilities.subarray(0, 2),
    Buffer.from([33, 2, 0]),
    capabilities.subarray(2),
    Buffer.from([21]),
    Buffer.alloc(10),
    text('123456789012\0'),
    text('mysql_native_password\0'),
  ])
}

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0])
const EOF = Buffer.from([0xfe, 0, 0, 2, 0])
const COLUMN = Buffer.concat([
  ...['def', '', '', '', 'one', ''].map(counted),
  Buffer.from([12, 33, 0, 3, 0, 0, 0, 0xfd, 0, 0, 0, 0, 0]),
])

/** A select returns one row, or none if wrong. */
export const mysql: Protocol = {
  stream: (socket, isRight) => {
    const send = (first: number, packets: readonly Buffer[]) => {
      for (const [i, packet] of packets.entries())
        socket.write(
          Buffer.concat([Buffer.from([packet.length & 255, packet.length >> 8, 0, first + i]), packet]),
        )
    }
    let isIn = false
    send(0, [greeting()])
    messages(
      socket,
      bytes => (bytes.length < 4 ? 0 : 4 + bytes.readUIntLE(0, 3)),
      message => {
        const sequence = (message[3] ?? 0) + 1
        const command = message[4]
        const words = message.toString('latin1', 5)
        if (isIn && command === 1) socket.end()
        else if (isIn && command === 3 && /^\s*select/i.test(words)) {
          const rows = isRight ? [counted('1')] : []
          send(sequence, [Buffer.from([1]), COLUMN, EOF, ...rows, EOF])
        } else send(sequence, [OK])
        isIn = true
      },
    )
  },
}

// ---------------------------------------------------------------- PostgreSQL, protocol version 3

function pgMessage(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length + 4)
  return Buffer.concat([text(type), length, content])
}

const int16 = (value: number) => Buffer.from([value >> 8, value & 255])
const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const READY = pgMessage('Z', text('I'))
const SETTINGS = Object.entries({
  server_version: '15.0',
  server_encoding: 'UTF8',
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
  DateStyle: 'ISO, MDY',
  integer_datetimes: 'on',
}).map(([name, value]) => pgMessage('S', text(`${name}\0${value}\0`)))
const ROW_SHAPE = pgMessage(
  'T',
  ...[int16(1), text('one\0'), int32(0), int16(0), int32(25), int16(-1 & 0xffff), int32(-1), int16(0)],
)
const ROW = pgMessage('D', int16(1), int32(1), text('1'))

/** Any query returns one row, or none if wrong. */
export const pgsql: Protocol = {
  stream: (socket, isRight) => {
    const rows = isRight ? [ROW] : []
    const complete = pgMessage('C', text(`SELECT ${rows.length}\0`))
    const answers: Record<string, () => readonly Buffer[]> = {
      Q: () => [ROW_SHAPE, ...rows, complete, READY],
      P: () => [pgMessage('1')],
      B: () => [pgMessage('2')],
      D: () => [ROW_SHAPE],
      E: () => [...rows, complete],
      C: () => [pgMessage('3')],
      S: () => [READY],
    }
    let isIn = false
    messages(
      socket,
      bytes => {
        const skip = isIn ? 1 : 0
        return bytes.length < skip + 4 ? 0 : skip + bytes.readInt32BE(skip)
      },
      message => {
        if (!isIn) {
          // SSLRequest and GSSENCRequest are refused with the byte N.
          if ([80877103, 80877104].includes(message.readInt32BE(4))) return void socket.write('N')
          isIn = true
          socket.write(
            Buffer.concat([pgMessage('R', int32(0)), ...SETTINGS, pgMessage('K', int32(1), int32(1)), READY]),
          )
          return
        }
        const type = message.toString('latin1', 0, 1)
        if (type === 'X') return void socket.end()
        // The description of a statement includes its parameters, of which there are none.
        const isStatement = type === 'D' && message[5] === 0x53
        const parameters = isStatement ? [pgMessage('t', int16(0))] : []
        socket.write(Buffer.concat([...parameters, ...(answers[type]?.() ?? [])]))
      },
    )
  },
}
