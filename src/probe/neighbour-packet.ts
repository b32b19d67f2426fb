/** Neighbour solicitations and advertisements of IPv6 (RFC 4861, sections 4.3 and 4.4), as ICMPv6 messages. Pure. */
import { isOfOne } from './arp-packet.js'

/** Types of ICMPv6. */
const SOLICITATION = 135
export const ADVERTISEMENT = 136
/** Bytes before the options. */
const HEAD = 24
/** Options: the link-layer address of the source, and of the target. Their length is in units of 8 bytes. */
const SOURCE_ADDRESS = 1
const TARGET_ADDRESS = 2
/** Flag: the advertisement answers a solicitation. */
const SOLICITED = 0x40

export interface Advertisement {
  /** The address that the sender has, 16 bytes. */
  readonly address: Uint8Array
  /** Its hardware address, 6 bytes. */
  readonly hardware: Uint8Array
}

/** `hardware`: 6 bytes of this machine; `target`: 16 bytes. The kernel adds the checksum. */
export function encodeSolicitation(hardware: Uint8Array, target: Uint8Array): Buffer {
  const packet = Buffer.alloc(HEAD + 8)
  packet.writeUInt8(SOLICITATION, 0)
  packet.set(target, 8)
  packet.writeUInt8(SOURCE_ADDRESS, HEAD)
  packet.writeUInt8(1, HEAD + 1)
  packet.set(hardware, HEAD + 2)
  return packet
}

/**
 * Returns what an advertisement says that answers a solicitation; null for any other packet, for one that RFC 4861
 * (section 7.1.2) wants dropped, and without a hardware address, which an answer to a multicast must have.
 */
export function decodeAdvertisement(packet: Buffer): Advertisement | null {
  if (packet.length < HEAD || packet.readUInt8(0) !== ADVERTISEMENT || packet.readUInt8(1) !== 0) return null
  const isAnswer = (packet.readUInt8(4) & SOLICITED) !== 0
  const address = new Uint8Array(packet.subarray(8, HEAD))
  const hardware = targetAddressIn(packet)
  return isAnswer && address[0] !== 0xff && hardware ? { address, hardware } : null
}

function targetAddressIn(packet: Buffer): Uint8Array | null {
  let found: Uint8Array | null = null
  for (let at = HEAD; at < packet.length; ) {
    const length = 8 * (packet[at + 1] ?? 0)
    if (length === 0 || at + length > packet.length) return null
    if (packet[at] === TARGET_ADDRESS && length === 8)
      found ??= new Uint8Array(packet.subarray(at + 2, at + 8))
    at += length
  }
  return found && isOfOne(found) ? found : null
}

/** Returns the multicast address that the holder of an address listens on: ff02::1:ff and its last three bytes. */
export function solicitedNode(target: Uint8Array): Uint8Array {
  const group = new Uint8Array(16)
  group.set([0xff, 0x02], 0)
  group.set([0x01, 0xff], 11)
  group.set(target.subarray(13), 13)
  return group
}
