import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  decodeAdvertisement,
  encodeSolicitation,
  solicitedNode,
} from '../../../src/probe/neighbour-packet.js'
import { bytesOfHex } from '../../support/netlink/hex.js'

const OWN = Uint8Array.of(2, 0, 0, 0, 0, 0x0d)
const TARGET = bytesOfHex('20010db8000000000000000000fe0080')

/** RFC 4861, section 4.4: an advertisement that answers a solicitation. */
const HEAD = bytesOfHex(`
  88 00 1234     Type 136, code, checksum
  60000000       Flags: solicited, override
  20010db8000000000000000000fe0080   Target`)
const TARGET_OPTION = bytesOfHex('02 01 020000000011   Link-layer address of the target')
const ANSWER = Buffer.concat([HEAD, TARGET_OPTION])

const headWith = (at: number, value: number) => {
  const head = Buffer.from(HEAD)
  head.writeUInt8(value, at)
  return head
}

describe('neighbour solicitation', () => {
  it('asks for the target, and says where the answer goes', () => {
    const expected = bytesOfHex(`
      87 00 0000     Type 135, code, checksum of the kernel
      00000000       Reserved
      20010db8000000000000000000fe0080   Target
      01 01 02000000000d   Link-layer address of the source`)
    assert.deepEqual(encodeSolicitation(OWN, TARGET), expected)
  })

  it('goes to the solicited-node address, as in the example of RFC 4291, section 2.7.1', () => {
    const target = bytesOfHex('4037 0000 0000 0000 0001 0800 200e 8c6c')
    assert.equal(Buffer.from(solicitedNode(target)).toString('hex'), 'ff0200000000000000000001ff0e8c6c')
  })
})

describe('neighbour advertisement', () => {
  const told = { address: new Uint8Array(TARGET), hardware: Uint8Array.of(2, 0, 0, 0, 0, 0x11) }

  it('says who has which address, also behind an unknown option', () => {
    assert.deepEqual(decodeAdvertisement(ANSWER), told)
    const unknown = bytesOfHex('0e 02 0000000000000000000000000000   Nonce')
    assert.deepEqual(decodeAdvertisement(Buffer.concat([HEAD, unknown, TARGET_OPTION])), told)
  })

  const others: [string, Buffer][] = [
    ['one that nobody has asked for', Buffer.concat([headWith(4, 0x20), TARGET_OPTION])],
    ['one of another type', Buffer.concat([headWith(0, 135), TARGET_OPTION])],
    ['one with a code', Buffer.concat([headWith(1, 1), TARGET_OPTION])],
    ['one for a multicast address', Buffer.concat([headWith(8, 0xff), TARGET_OPTION])],
    ['one without a hardware address', HEAD],
    ['one with an option of length 0', Buffer.concat([HEAD, bytesOfHex('02 00 020000000011   Option')])],
    [
      'one with an option that reaches beyond its end',
      Buffer.concat([HEAD, bytesOfHex('02 02 020000000011 Option')]),
    ],
    [
      'one with the hardware address of a group',
      Buffer.concat([HEAD, bytesOfHex('02 01 030000000011 Option')]),
    ],
    ['one whose last option is cut off', Buffer.concat([ANSWER, bytesOfHex('01 01 0200   Option')])],
    ['one of which a byte is missing', HEAD.subarray(0, 23)],
  ]
  for (const [what, packet] of others)
    it(`is not taken from ${what}`, () => assert.equal(decodeAdvertisement(packet), null))

  it('is found or not in any bytes, without an exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(32), (bytes, prefix) => {
        const found = decodeAdvertisement(Buffer.concat([ANSWER.subarray(0, prefix), bytes]))
        assert.ok(found === null || (found.address.length === 16 && found.hardware.length === 6))
      }),
    )
  })
})
