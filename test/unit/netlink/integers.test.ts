import assert from 'node:assert/strict'
import fc from 'fast-check'
import { get16, get32, getBe16, put16, put32, putBe16 } from '../../../src/netlink/integers.js'

const cases = [
  ['of 16 bits', 16, put16, get16, 'writeUInt16LE'],
  ['of 16 bits, big-endian', 16, putBe16, getBe16, 'writeUInt16BE'],
  ['of 32 bits', 32, put32, get32, 'writeUInt32LE'],
] as const

describe('integers in messages of the kernel', () => {
  for (const [what, bits, put, get, name] of cases) {
    it(`${what} are written as Buffer writes them, and read again`, () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 2 ** bits - 1 }), value => {
          const [ours, theirs] = [Buffer.alloc(8), Buffer.alloc(8)]
          put(ours, value, 3)
          theirs[name](value, 3)
          assert.deepEqual(ours, theirs)
          assert.equal(get(ours, 3), value)
        }),
      )
    })

    it(`${what} are refused where they do not fit`, () => {
      for (const value of [-1, 2 ** bits, 1.5, Number.NaN])
        assert.throws(() => put(Buffer.alloc(8), value, 0), RangeError)
    })
  }
})
