/** Netlink messages: a header of 16 bytes, and for generic netlink a command and a version before the attributes. */
import { malformed } from './error.js'

/** nlmsg_type below 16: netlink's own messages. */
export const type = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, GENERIC_CONTROL: 16 } as const

/** nlmsg_flags. */
export const flag = { REQUEST: 1, MULTI: 2, ACK: 4, DUMP_INTERRUPTED: 0x10, DUMP: 0x300 } as const

const headerSize = 16
const genericSize = 4

export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The datagram and the part of it behind the header. */
  readonly data: Buffer
  readonly start: number
  readonly end: number
}

/** Where the attributes of a generic message go, and how long they are. */
export interface Body {
  readonly size: number
  write(into: Buffer, offset: number): void
}

export interface GenericHeader {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  readonly command: number
  readonly version: number
}

/** Several generic messages in one datagram. */
export function encodeMessages(messages: readonly { header: GenericHeader; body: Body }[]): Buffer {
  const length = messages.reduce((sum, { body }) => sum + headerSize + genericSize + body.size, 0)
  const datagram = Buffer.alloc(length)
  let offset = 0
  for (const { header, body } of messages) {
    const size = headerSize + genericSize + body.size
    datagram.writeUInt32LE(size, offset)
    datagram.writeUInt16LE(header.type, offset + 4)
    datagram.writeUInt16LE(header.flags, offset + 6)
    datagram.writeUInt32LE(header.sequence, offset + 8)
    // Bytes 12 to 15, the port id, stay 0: the kernel knows who we are.
    datagram.writeUInt8(header.command, offset + 16)
    datagram.writeUInt8(header.version, offset + 17)
    body.write(datagram, offset + headerSize + genericSize)
    offset += size
  }
  return datagram
}

/** The end of an exchange: ERROR (an errno of 0 acknowledges) or DONE. */
export function encodeEnd(kind: 'ERROR' | 'DONE', sequence: number, errno: number): Buffer {
  const datagram = Buffer.alloc(headerSize + 4)
  datagram.writeUInt32LE(datagram.length, 0)
  datagram.writeUInt16LE(type[kind], 4)
  datagram.writeUInt32LE(sequence, 8)
  datagram.writeInt32LE(-errno, 16)
  return datagram
}

/** Splits the first `length` bytes of a datagram into its messages. */
export function decodeMessages(datagram: Buffer, length = datagram.length): Message[] {
  const messages: Message[] = []
  for (let offset = 0; offset < length; ) {
    if (length - offset < headerSize) throw malformed(`${length - offset} bytes where a header should be`)
    const size = datagram.readUInt32LE(offset)
    if (size < headerSize) throw malformed(`a message of length ${size}`)
    if (offset + size > length) throw malformed('a message reaches beyond its datagram')
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      data: datagram,
      start: offset + headerSize,
      end: offset + size,
    })
    offset += (size + 3) & ~3
  }
  return messages
}

/** The command of a generic message, and where its attributes begin. */
export function genericPart({ data, start, end }: Message): { command: number; start: number; end: number } {
  if (end - start < genericSize) throw malformed('a generic message without its command')
  return { command: data.readUInt8(start), start: start + genericSize, end }
}

/** The errno in an ERROR or DONE message; 0 is success. */
export function errnoOf({ data, start, end }: Message): number {
  if (end - start < 4) throw malformed('an error without its number')
  return 0 - data.readInt32LE(start)
}
