import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isoTime } from '../../../src/util/time-text.js'

describe('iso time', () => {
  it('is that of the milliseconds that are given, in any order and again', () => {
    const times = fc.integer({ min: 0, max: 4_000_000_000_000 })
    fc.assert(
      fc.property(fc.array(times), given => {
        for (const at of given.flatMap(one => [one, one, one + 1, one]))
          assert.equal(isoTime(at), new Date(at).toISOString())
      }),
    )
  })
})
