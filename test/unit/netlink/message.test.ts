import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  decodeMessages,
  encodeEnd,
  encodeMessages,
  errnoOf,
  flag,
  genericPart,
  type,
} from '../../../src/netlink/message.js'
import { bytesOfHex, failsAsMalformed } from '../../support/netlink/hex.js'

const header = { type: 28, flags: flag.REQUEST | flag.ACK, sequence: 7, command: 5, version: 1 }
const bodyOf = (hex: string) => {
  const bytes = bytesOfHex(hex)
  return { size: bytes.length, write: (into: Buffer, offset: number) => void into.set(bytes, offset) }
}

describe('message: netlink messages', () => {
  it('are written one behind the other', () => {
    const datagram = encodeMessages([
      { header, body: bodyOf('0600 0100 0200 0000') },
      { header: { ...header, sequence: 8, flags: flag.REQUEST }, body: bodyOf('') },
    ])
    const expected = `
      1c000000               Length
      1c00 0500              Type of the family, flags REQUEST and ACK
      07000000 00000000      Sequence number, port
      05 01 0000             Command, version, reserved
      0600 0100 0200 0000    The attributes
      14000000 1c00 0100 08000000 00000000 05 01 0000
    `
    assert.equal(datagram.toString('hex'), bytesOfHex(expected).toString('hex'))
  })

  it('are read as they were written', () => {
    const anyMessage = fc.record({
      type: fc.integer({ min: 16, max: 0xffff }),
      flags: fc.nat(0xffff),
      sequence: fc.nat(0xffffffff),
      command: fc.nat(255),
      words: fc.nat(20),
    })
    fc.assert(
      fc.property(fc.array(anyMessage, { minLength: 1 }), written => {
        const read = decodeMessages(
          encodeMessages(
            written.map(({ words, ...header }) => ({
              header: { ...header, version: 1 },
              body: bodyOf('01020304'.repeat(words)),
            })),
          ),
        )
        assert.deepEqual(
          read.map(message => {
            const { command, start, end } = genericPart(message)
            const { type, flags, sequence } = message
            return { type, flags, sequence, command, words: (end - start) / 4 }
          }),
          written.map(message => ({ ...message })),
        )
      }),
    )
  })

  it('end with an errno or an acknowledgement', () => {
    const refused = encodeEnd('ERROR', 9, 17)
    const expected = `
      14000000 0200 0000 09000000 00000000    Header: type ERROR
      efffffff                                The errno EEXIST, negative
    `
    assert.equal(refused.toString('hex'), bytesOfHex(expected).toString('hex'))
    const [message] = decodeMessages(refused)
    assert.ok(message)
    assert.deepEqual([message.type, message.sequence, errnoOf(message)], [type.ERROR, 9, 17])
    const [done] = decodeMessages(encodeEnd('DONE', 9, 0))
    assert.equal(done && errnoOf(done), 0)
  })

  it('are read no further than the datagram reaches', () => {
    const buffer = Buffer.concat([encodeEnd('DONE', 1, 0), Buffer.alloc(100, 0xff)])
    assert.equal(decodeMessages(buffer, 20).length, 1)
  })

  describe('are malformed', () => {
    const cases = {
      'when a header is cut off': ['14000000 0200 0000', /8 bytes where a header should be/],
      'when shorter than a header': ['0f000000 0200 0000 09000000 00000000', /length 15/],
      'when longer than the datagram': [
        '15000000 0200 0000 09000000 00000000 00000000',
        /beyond its datagram/,
      ],
    } as const
    for (const [name, [hex, message]] of Object.entries(cases))
      it(name, () => failsAsMalformed(() => decodeMessages(bytesOfHex(hex)), message))

    it('when an error has no number', () => {
      const [message] = decodeMessages(bytesOfHex('12000000 0200 0000 09000000 00000000 efff'))
      failsAsMalformed(() => message && errnoOf(message), /without its number/)
    })

    it('when a generic message has no command', () => {
      const [message] = decodeMessages(bytesOfHex('10000000 1c00 0000 09000000 00000000'))
      failsAsMalformed(() => message && genericPart(message), /without its command/)
    })
  })
})
