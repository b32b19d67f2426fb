import assert from 'node:assert/strict'
import fc from 'fast-check'
import { be16, bytes, nested, skipped, text, u8, u16, u32, u64 } from '../../../src/netlink/attribute.js'
import { bytesOfHex, failsAsMalformed } from '../../support/netlink/hex.js'

const inner = nested({ PORT: [1, be16], BYTE: [2, u8] })
const layout = nested({
  SMALL: [1, u16],
  LARGE: [2, u32],
  NAME: [3, text],
  RAW: [4, bytes],
  INNER: [5, inner],
  COUNT: [6, u64],
})

function encode(values: Parameters<typeof layout.write>[0]): Buffer {
  const buffer = Buffer.alloc(layout.size(values))
  layout.write(values, buffer, 0)
  return buffer
}

const decode = (data: Buffer) => layout.read(data, 0, data.length)

describe('attribute: netlink attributes', () => {
  it('are written with length, type, value and padding', () => {
    const written = encode({
      SMALL: 0x0102,
      LARGE: 7,
      NAME: 'wlc',
      RAW: Buffer.from('aabbcc', 'hex'),
      INNER: { PORT: 80, BYTE: 9 },
      COUNT: 2 ** 40,
    })
    const expected = `
      0600 0100 0201 0000              SMALL, padded
      0800 0200 07000000               LARGE
      0800 0300 776c6300               NAME, with its NUL
      0700 0400 aabbcc 00              RAW, padded
      1400 0580                        INNER, flagged as nested
        0600 0100 0050 0000            PORT, big-endian, padded
        0500 0200 09 000000            BYTE, padded
      0c00 0600 0000000000010000       COUNT
    `
    assert.equal(written.toString('hex'), bytesOfHex(expected).toString('hex'))
  })

  it('read back as they were written', () => {
    const anyValues = fc.record(
      {
        SMALL: fc.nat(0xffff),
        LARGE: fc.nat(0xffffffff),
        NAME: fc.string({ unit: 'grapheme' }).filter(name => !name.includes('\0')),
        RAW: fc.uint8Array({ maxLength: 40 }),
        INNER: fc.record(
          { PORT: fc.nat(0xffff), BYTE: fc.nat(255) },
          { requiredKeys: [], noNullPrototype: true },
        ),
        COUNT: fc.maxSafeNat(),
      },
      { requiredKeys: [], noNullPrototype: true },
    )
    fc.assert(fc.property(anyValues, values => assert.deepEqual(decode(encode(values)), values)))
  })

  it('are left out where they are not given', () => {
    assert.equal(encode({}).length, 0)
    assert.equal(encode({ SMALL: undefined }).length, 0)
    assert.deepEqual(decode(Buffer.alloc(0)), {})
  })

  it('are skipped where they are not known', () => {
    assert.deepEqual(decode(bytesOfHex('0800 6300 11223344   0600 0100 0100 0000')), { SMALL: 1 })
  })

  it('are recognized with or without the flag for nesting', () => {
    assert.deepEqual(decode(bytesOfHex('0c00 0500 0600 0100 0050 0000')), { INNER: { PORT: 80 } })
    assert.deepEqual(decode(bytesOfHex('0c00 0580 0600 0100 0050 0000')), { INNER: { PORT: 80 } })
  })

  it('may lack the padding of the last', () => {
    assert.deepEqual(decode(bytesOfHex('0600 0100 0100')), { SMALL: 1 })
  })

  it('may be known by name alone', () => {
    const kind = nested({ STATS: [1, skipped] })
    assert.equal(kind.show(kind.read(bytesOfHex('0800 0100 11223344'), 0, 8)), '{ STATS (4 bytes) }')
  })

  it('are shown with their names', () => {
    const shown = layout.show({ SMALL: 1, NAME: 'wlc', RAW: Buffer.from('fd00', 'hex'), INNER: { PORT: 80 } })
    assert.equal(shown, '{ SMALL 1, NAME "wlc", RAW fd00, INNER { PORT 80 } }')
  })

  describe('are malformed', () => {
    const cases = {
      'when shorter than their header': ['0300 0100', /length 3/],
      'when of length zero': ['0000 0100', /length 0/],
      'when longer than the message': ['0900 0200 01000000', /beyond the end/],
      'when bytes are left that make no header': ['0600 0100 0100 0000 0600', /2 bytes behind/],
      'when a u16 has one byte': ['0500 0100 01 000000', /u16 of 1 bytes/],
      'when a u16 has four bytes': ['0800 0100 01000000', /u16 of 4 bytes/],
      'when a u32 has two bytes': ['0600 0200 0100 0000', /u32 of 2 bytes/],
      'when a u64 has four bytes': ['0800 0600 01000000', /u64 of 4 bytes/],
      'when a text has no NUL': ['0700 0300 776c63 00', /without its final NUL/],
      'when a text is empty': ['0400 0300', /without its final NUL/],
      'when a nested attribute reaches out of its parent': [
        '0c00 0580 0a00 0100 0050 0000 0000',
        /beyond the end/,
      ],
      'when a nested port has one byte': ['0c00 0580 0500 0100 50 000000', /be16 of 1 bytes/],
    } as const
    for (const [name, [hex, message]] of Object.entries(cases))
      it(name, () => failsAsMalformed(() => decode(bytesOfHex(hex)), message))

    it('or read, whatever the bytes, and nothing else', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 60 }), data => {
          try {
            decode(Buffer.from(data))
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'EBADMSG')
          }
        }),
      )
    })
  })
})
