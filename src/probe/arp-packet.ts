/** ARP packets for IPv4 over Ethernet (RFC 826), without the Ethernet header. Pure. */

/** Bytes of a packet. What follows is padding. */
const SIZE = 28
const ETHERNET = 1
const IPV4 = 0x0800
const REQUEST = 1
const REPLY = 2

export interface ArpReply {
  /** The address that the sender has, 4 bytes. */
  readonly address: Uint8Array
  /** Hardware address of the sender, 6 bytes. */
  readonly hardware: Uint8Array
}

/**
 * Encodes an ARP probe (RFC 5227, section 1.1): its sender address is 0.0.0.0, so nobody changes what he knows of
 * others. `hardware`: 6 bytes of this machine; `target`: 4 bytes of the address that is asked about.
 */
export function encodeArpProbe(hardware: Uint8Array, target: Uint8Array): Buffer {
  const packet = Buffer.alloc(SIZE)
  packet.writeUInt16BE(ETHERNET, 0)
  packet.writeUInt16BE(IPV4, 2)
  packet.writeUInt8(6, 4)
  packet.writeUInt8(4, 5)
  packet.writeUInt16BE(REQUEST, 6)
  packet.set(hardware, 8)
  packet.set(target, 24)
  return packet
}

/** Returns what a reply says; null for any other packet, one that is too short, and hardware addresses of nobody. */
export function decodeArpReply(packet: Buffer): ArpReply | null {
  if (packet.length < SIZE) return null
  const isRight =
    packet.readUInt16BE(0) === ETHERNET &&
    packet.readUInt16BE(2) === IPV4 &&
    packet.readUInt8(4) === 6 &&
    packet.readUInt8(5) === 4 &&
    packet.readUInt16BE(6) === REPLY
  const hardware = new Uint8Array(packet.subarray(8, 14))
  return isRight && isOfOne(hardware) ? { address: new Uint8Array(packet.subarray(14, 18)), hardware } : null
}

/** True for the hardware address of one machine: no group, not all zero. */
export function isOfOne(hardware: Uint8Array): boolean {
  return ((hardware[0] ?? 1) & 1) === 0 && hardware.some(byte => byte !== 0)
}
