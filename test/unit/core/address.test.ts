import assert from 'node:assert/strict'
import fc from 'fast-check'
import { addressFromBytes, bytesOf, parseAddress } from '../../../src/core/address.js'

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 })
/** With runs of zeros in all places. */
const ipv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 255 })), { minLength: 16, maxLength: 16 })
  .map(numbers => Uint8Array.from(numbers))
const mapped = ipv4.map(last => Uint8Array.from([...Array<number>(10).fill(0), 255, 255, ...last]))

describe('address: bytes', () => {
  it('are those from which the address was made', () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, mapped), bytes =>
        assert.deepEqual(Buffer.from(bytesOf(addressFromBytes(bytes))), Buffer.from(bytes)),
      ),
    )
  })

  it('do not have the zone', () => {
    const address = parseAddress('fe80::1%eth0')
    assert.equal(address && Buffer.from(bytesOf(address)).toString('hex'), `fe80${'0'.repeat(27)}1`)
  })
})
