/** Encodes and decodes echo requests and replies: ICMP (RFC 792) and ICMPv6 (RFC 4443, section 4). Pure. */
import type { Family } from '../core/address.js'

/** Header size in bytes: type, code, checksum, identifier, sequence number. */
export const ECHO_HEADER = 8

const REQUEST: Readonly<Record<Family, number>> = { ipv4: 8, ipv6: 128 }
const REPLY: Readonly<Record<Family, number>> = { ipv4: 0, ipv6: 129 }

export interface Echo {
  readonly identifier: number
  /** 16 bits. */
  readonly sequence: number
  readonly data: Uint8Array
}

export function echoRequest(family: Family, { identifier, sequence, data }: Echo): Buffer {
  const packet = Buffer.allocUnsafe(ECHO_HEADER + data.length)
  packet[0] = REQUEST[family]
  packet[1] = 0
  packet.writeUInt16BE(0, 2)
  packet.writeUInt16BE(identifier, 4)
  packet.writeUInt16BE(sequence, 6)
  packet.set(data, ECHO_HEADER)
  // Over IPv6 the kernel computes the checksum, because it covers the addresses.
  if (family === 'ipv4') packet.writeUInt16BE(checksum(packet), 2)
  return packet
}

/**
 * Decodes an echo reply; returns null for any other datagram. `hasIpHeader` is true for raw IPv4 sockets, which deliver
 * the IP header too.
 */
export function readEchoReply(family: Family, datagram: Buffer, hasIpHeader: boolean): Echo | null {
  const start = hasIpHeader ? ((datagram[0] ?? 0) & 15) * 4 : 0
  const packet = datagram.subarray(start)
  if (packet.length < ECHO_HEADER || packet[0] !== REPLY[family] || packet[1] !== 0) return null
  return {
    identifier: packet.readUInt16BE(4),
    sequence: packet.readUInt16BE(6),
    data: packet.subarray(ECHO_HEADER),
  }
}

/** The checksum of RFC 1071: complement of the ones' complement sum. The checksum field itself must be 0. */
function checksum(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] as number) << 8) | (bytes[i + 1] ?? 0)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
