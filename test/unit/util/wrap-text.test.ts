import assert from 'node:assert/strict'
import fc from 'fast-check'
import wrapAnsi from 'wrap-ansi'
import { wrap } from '../../../src/util/wrap-text.js'

const word = fc.string({ unit: fc.constantFrom(...'ab-…→·'), maxLength: 9 })
const any = fc.string({
  unit: fc.constantFrom('a', 'b', ' ', ' ', '\n', '漢', 'é', '\u001b[31m'),
  maxLength: 60,
})
const text = fc.oneof(
  fc.array(word, { maxLength: 20 }).map(words => words.join(' ')),
  any,
)

describe('wrap', () => {
  it('breaks every text as wrap-ansi does', () => {
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 30 }), (given, width) => {
        assert.equal(wrap(given, width), wrapAnsi(given, width))
      }),
      { numRuns: 500 },
    )
  })
})
