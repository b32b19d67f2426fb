import assert from 'node:assert/strict'
import fc from 'fast-check'
import { decodeArpReply, encodeArpProbe } from '../../../src/probe/arp-packet.js'
import { bytesOfHex } from '../../support/netlink/hex.js'

const OWN = Uint8Array.of(2, 0, 0, 0, 0, 0x0d)
const TARGET = Uint8Array.of(192, 0, 2, 80)

/** RFC 826, "Packet Generation": a reply of 02:00:00:00:00:11, which has 192.0.2.80, to an ARP probe. */
const REPLY = bytesOfHex(`
  0001           Hardware: Ethernet
  0800           Protocol: IPv4
  06 04          Lengths of the addresses
  0002           Operation: reply
  020000000011   Hardware address of the sender
  c0000250       Address of the sender
  02000000000d   Hardware address of the target
  00000000       Address of the target`)

const with8 = (at: number, value: number) => {
  const packet = Buffer.from(REPLY)
  packet.writeUInt8(value, at)
  return packet
}

describe('arp: a probe', () => {
  it('has no address of its sender, and asks for the target', () => {
    const expected = bytesOfHex(`
      0001           Hardware: Ethernet
      0800           Protocol: IPv4
      06 04          Lengths of the addresses
      0001           Operation: request
      02000000000d   Hardware address of the sender
      00000000       Address of the sender: none (RFC 5227)
      000000000000   Hardware address of the target: ignored
      c0000250       Address of the target`)
    assert.deepEqual(encodeArpProbe(OWN, TARGET), expected)
  })
})

describe('arp: a reply', () => {
  const told = { address: TARGET, hardware: Uint8Array.of(2, 0, 0, 0, 0, 0x11) }

  it('says who has which address, also with the padding of a short frame behind it', () => {
    assert.deepEqual(decodeArpReply(REPLY), told)
    assert.deepEqual(decodeArpReply(Buffer.concat([REPLY, Buffer.alloc(18)])), told)
  })

  const others: [string, Buffer][] = [
    ['a request', with8(7, 1)],
    ['a packet of another hardware', with8(1, 6)],
    ['a packet of another protocol', with8(3, 6)],
    ['a packet with hardware addresses of another length', with8(4, 8)],
    ['a packet with addresses of another length', with8(5, 16)],
    ['a reply of a group', with8(8, 3)],
    ['a reply of the hardware address 0', with8(8, 0).fill(0, 8, 14)],
    ['a packet of which a byte is missing', REPLY.subarray(0, 27)],
  ]
  for (const [what, packet] of others) it(`is not ${what}`, () => assert.equal(decodeArpReply(packet), null))

  it('is found or not in any bytes, without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(28), (bytes, prefix) => {
        const packet = Buffer.concat([REPLY.subarray(0, prefix), bytes])
        const found = decodeArpReply(packet)
        assert.ok(found === null || (found.address.length === 4 && found.hardware.length === 6))
        assert.ok(found === null || packet.length >= 28)
      }),
    )
  })
})
