/** Netlink messages: a header of 16 bytes; in generic netlink, then a command and a version, then the attributes. */
import { malformed } from './error.js'
import { get16, get32, put16, put32 } from './integers.js'

/** Values of nlmsg_type. Types below 16 are netlink's control messages (linux/netlink.h). */
export const type = { NOOP: 1, ERROR: 2, DONE: 3, OVERRUN: 4, GENERIC_CONTROL: 16 } as const

/** Values of nlmsg_flags (linux/netlink.h). */
export const flag = { REQUEST: 1, MULTI: 2, ACK: 4, DUMP_INTERRUPTED: 0x10, DUMP: 0x300 } as const

const headerSize = 16
const genericSize = 4

export interface Message {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** The datagram, and the offsets of the part after the header. */
  readonly data: Buffer
  readonly start: number
  readonly end: number
}

/** Encodes the attributes of a generic message. `size` is in bytes. */
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

/** Encodes several generic messages into one datagram. */
export function encodeMessages(messages: readonly { header: GenericHeader; body: Body }[]): Buffer {
  const length = messages.reduce((sum, { body }) => sum + headerSize + genericSize + body.size, 0)
  const datagram = Buffer.alloc(length)
  let offset = 0
  for (const { header, body } of messages) {
    const size = headerSize + genericSize + body.size
    put32(datagram, size, offset)
    put16(datagram, header.type, offset + 4)
    put16(datagram, header.flags, offset + 6)
    put32(datagram, header.sequence, offset + 8)
    // The port id in bytes 12 to 15 stays 0: the kernel identifies the sender by its socket.
    datagram.writeUInt8(header.command, offset + 16)
    datagram.writeUInt8(header.version, offset + 17)
    body.write(datagram, offset + headerSize + genericSize)
    offset += size
  }
  return datagram
}

/** Encodes the message that ends an exchange: ERROR (errno 0 means success) or DONE. */
export function encodeEnd(kind: 'ERROR' | 'DONE', sequence: number, errno: number): Buffer {
  const datagram = Buffer.alloc(headerSize + 4)
  datagram.writeUInt32LE(datagram.length, 0)
  datagram.writeUInt16LE(type[kind], 4)
  datagram.writeUInt32LE(sequence, 8)
  datagram.writeInt32LE(-errno, 16)
  return datagram
}

/** Splits the first `length` bytes of a datagram into messages. Throws a NetlinkError if they are malformed. */
export function decodeMessages(datagram: Buffer, length = datagram.length): Message[] {
  const messages: Message[] = []
  for (let offset = 0; offset < length; ) {
    if (length - offset < headerSize) throw malformed(`${length - offset} bytes where a header should be`)
    const size = get32(datagram, offset)
    if (size < headerSize) throw malformed(`a message of length ${size}`)
    if (offset + size > length) throw malformed('a message reaches beyond its datagram')
    messages.push({
      type: get16(datagram, offset + 4),
      flags: get16(datagram, offset + 6),
      sequence: get32(datagram, offset + 8),
      data: datagram,
      start: offset + headerSize,
      end: offset + size,
    })
    offset += (size + 3) & ~3
  }
  return messages
}

/** Returns the command of a generic message and the offsets of its attributes. */
export function genericPart({ data, start, end }: Message): { command: number; start: number; end: number } {
  if (end - start < genericSize) throw malformed('a generic message without its command')
  return { command: data.readUInt8(start), start: start + genericSize, end }
}

/** Returns the errno of an ERROR or DONE message; 0 means success. */
export function errnoOf({ data, start, end }: Message): number {
  if (end - start < 4) throw malformed('an error without its number')
  return 0 - data.readInt32LE(start)
}
