import assert from 'node:assert/strict'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { survivesJson } from '../../../src/util/survives-json.js'

/** Compares the value with what JSON makes of it. In an object, since JSON has no text for undefined alone. */
function isPreserved(value: unknown): boolean {
  return isDeepStrictEqual(JSON.parse(JSON.stringify({ value })), { value })
}

const special = fc.constantFrom<unknown>(
  ...[undefined, Number.NaN, Number.POSITIVE_INFINITY, -0, 0, '', '\ud800', '__proto__', [], {}],
  ...[Symbol('x'), () => 1, new Date(0), new Map(), new Set(), /x/, Object.create(null), new (class {})()],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is tested.
  ...[[, 1], Object.assign([1], { more: 2 }), { toJSON: () => 1 }, JSON.parse('{ "__proto__": 1 }')],
  ...[{ [Symbol('x')]: 1 }, new Uint8Array(2), new String('x'), new Error('x')],
)

const value = fc.anything({
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withObjectString: true,
  withSparseArray: true,
  withTypedArray: true,
  withBoxedValues: true,
})

const mixed = fc.oneof(
  special,
  value,
  fc.array(special),
  fc.dictionary(fc.string(), fc.oneof(special, value)),
)

describe('survives JSON: whether JSON preserves a value', () => {
  it('says the same as a comparison with what JSON makes of it', () => {
    fc.assert(
      fc.property(mixed, some => assert.equal(survivesJson({ value: some }), isPreserved(some))),
      { numRuns: 3000 },
    )
  })

  it('is true for nested plain data', () => {
    fc.assert(fc.property(fc.jsonValue(), some => assert.ok(survivesJson(some) || hasZero(some))))
  })
})

/** True if -0 is in the text of the value in JavaScript. */
function hasZero(value: unknown): boolean {
  return (
    Object.is(value, -0) ||
    (typeof value === 'object' && value !== null && Object.values(value).some(hasZero))
  )
}
