/** Lines of real servers as bytes: whatever an earlier scrape has left, they are as the encoder writes them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { encode, textOf } from '../../../src/metrics/exposition.js'
import { type Sample, sample } from '../../../src/metrics/families.js'
import { bytesOf, Lines, NO_BYTES } from '../../../src/metrics/lines.js'

const NAME = 'lvsd_real_state'
const STATES = [{}, { state: 'up' }, { state: 'down' }] as const
const REALS = ['[::1]:80', '[::1]:8080', 'a"b\\c\nd', 'größe:80'].map(real => ({ service: 'web', real }))
const bytes = new Map<object, Uint8Array>(
  [...STATES, ...REALS].map(labels => [labels, bytesOf(textOf(labels))]),
)

const value = fc.oneof(
  fc.constantFrom(0, 1, 9, 10, 99, 999_999_999, 1e9, 4294967296, -1, -0, 0.5, 1e21, 1732838400.123),
  fc.nat(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const line = fc.tuple(fc.constantFrom(...STATES), fc.constantFrom(...REALS), value)
const scrapes = fc.array(fc.array(line, { maxLength: 12 }), { minLength: 1, maxLength: 6 })

async function expected(samples: readonly Sample[]): Promise<string> {
  const [head, text] = [await encode(NAME, [], 'text'), await encode(NAME, samples, 'text')]
  return text.slice(head.length)
}

describe('Lines', () => {
  it('writes what the encoder writes, from scrape to scrape', () =>
    fc.assert(
      fc.asyncProperty(scrapes, async all => {
        const lines = new Lines(NAME)
        for (const rows of all) {
          lines.clear()
          for (const [own, real, number] of rows)
            lines.add(
              own === STATES[0] ? NO_BYTES : (bytes.get(own) as Uint8Array),
              bytes.get(real) as Uint8Array,
              number,
            )
          assert.equal(lines.isEmpty, rows.length === 0)
          const samples = rows.map(([own, real, number]) => sample(number, own, real))
          assert.equal(Buffer.from(lines.bytes).toString(), await expected(samples))
        }
      }),
    ))
})
