/**
 * Encodes and decodes RADIUS packets (RFC 2865). Every request has the Message-Authenticator of RFC 3579, which servers
 * with the fix for the BlastRADIUS forgery require. The npm package `radius` of 2019 does not support it.
 */

import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { counted } from '../../src/util/plural.js'

export const CODES = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accessChallenge: 11,
  statusServer: 12,
} as const

const USER_NAME = 1
const USER_PASSWORD = 2
const REPLY_MESSAGE = 18
const NAS_IDENTIFIER = 32
const MESSAGE_AUTHENTICATOR = 80
const HEAD = 20

export interface Request {
  readonly code: number
  /** 0 to 255. */
  readonly id: number
  /** 16 random bytes. */
  readonly authenticator: Buffer
  readonly secret: string
  readonly login: string | null
  readonly passwd: string
}

export interface Reply {
  readonly code: number
  /** The text of the server for people; may be empty. */
  readonly message: string
  /** Whether it has a Message-Authenticator, which is then valid. A reply without one can be forged (BlastRADIUS). */
  readonly isAuthentic: boolean
}

export function encodeRequest(request: Request): Buffer {
  const { authenticator, secret, login, passwd } = request
  const packet = packetOf(request, [
    // First, so that no data that an attacker may have chosen precedes it.
    attribute(MESSAGE_AUTHENTICATOR, Buffer.alloc(16)),
    ...(login === null
      ? []
      : [
          attribute(USER_NAME, Buffer.from(login)),
          attribute(USER_PASSWORD, hidden(Buffer.from(passwd), secret, authenticator)),
        ]),
    attribute(NAS_IDENTIFIER, Buffer.from('lvsd')),
  ])
  createHmac('md5', secret)
    .update(packet)
    .digest()
    .copy(packet, HEAD + 2)
  return packet
}

function packetOf({ code, id, authenticator }: Request, attributes: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt8(code)
  head.writeUInt8(id, 1)
  head.writeUInt16BE(HEAD + attributes.reduce((sum, { length }) => sum + length, 0), 2)
  return Buffer.concat([head, authenticator, ...attributes])
}

function attribute(type: number, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type, value.length + 2]), value])
}

/** RFC 2865, 5.2: blocks of 16 bytes, each hidden with the secret and the previous block. */
function hidden(password: Buffer, secret: string, authenticator: Buffer): Buffer {
  const blocks = Math.max(1, Math.ceil(password.length / 16))
  const padded = Buffer.concat([password], blocks * 16)
  let before = authenticator
  return Buffer.concat(
    Array.from({ length: blocks }, (_, i) => {
      const mask = createHash('md5').update(secret).update(before).digest()
      before = Buffer.from(mask.map((byte, at) => byte ^ (padded[i * 16 + at] ?? 0)))
      return before
    }),
  )
}

/** Returns the reply to the request, or a phrase that explains why it is not valid. */
export function decodeReply(bytes: Buffer, request: Request): Reply | string {
  if (bytes.length < HEAD || bytes.readUInt16BE(2) < HEAD || bytes.readUInt16BE(2) > bytes.length)
    return `an answer of ${counted(bytes.length, 'byte')} that is not RADIUS`
  const packet = bytes.subarray(0, bytes.readUInt16BE(2))
  if (packet.readUInt8(1) !== request.id)
    return `an answer with the id ${packet.readUInt8(1)}, not ${request.id}`
  const attributes = attributesOf(packet)
  if (!attributes) return 'an answer whose attributes do not fit into it'
  const { authenticator, secret } = request
  const head = packet.subarray(0, 4)
  const signed = [head, authenticator, packet.subarray(HEAD), Buffer.from(secret)]
  const expected = createHash('md5').update(Buffer.concat(signed)).digest()
  if (!timingSafeEqual(expected, packet.subarray(4, HEAD)))
    return 'an answer that is not signed with this secret: compare the secrets of both sides'
  const isAuthentic = authenticityOf(packet, attributes, request)
  if (isAuthentic === 'wrong')
    return 'an answer whose Message-Authenticator is wrong: the answer may be forged'
  const texts = attributes.filter(({ type }) => type === REPLY_MESSAGE).map(({ value }) => value.toString())
  return {
    code: packet.readUInt8(0),
    message: texts.join('').slice(0, 200),
    isAuthentic: isAuthentic === 'right',
  }
}

interface Attribute {
  readonly type: number
  readonly value: Buffer
  /** Offset of the value in the packet. */
  readonly at: number
}

function attributesOf(packet: Buffer): Attribute[] | null {
  const found: Attribute[] = []
  for (let at = HEAD; at < packet.length; ) {
    const length = packet[at + 1] ?? 0
    if (length < 2 || at + length > packet.length) return null
    found.push({ type: packet.readUInt8(at), value: packet.subarray(at + 2, at + length), at: at + 2 })
    at += length
  }
  return found
}

/** RFC 3579, 3.2: computed over the whole packet with the request's authenticator, and zeros in place of the attribute. */
function authenticityOf(
  packet: Buffer,
  attributes: readonly Attribute[],
  request: Request,
): 'right' | 'wrong' | 'none' {
  const [found, ...more] = attributes.filter(({ type }) => type === MESSAGE_AUTHENTICATOR)
  if (!found) return 'none'
  if (more.length > 0 || found.value.length !== 16) return 'wrong'
  const asSigned = Buffer.from(packet)
  request.authenticator.copy(asSigned, 4)
  asSigned.fill(0, found.at, found.at + 16)
  const expected = createHmac('md5', request.secret).update(asSigned).digest()
  return timingSafeEqual(expected, found.value) ? 'right' : 'wrong'
}
