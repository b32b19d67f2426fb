import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Distribution } from '../../../src/simulate/distribution.js'

const DAY = 86_400_000

describe('Distribution', () => {
  it('gives percentiles to three digits, and the greatest time exactly', () => {
    const time = fc.oneof(
      fc.integer({ min: 0, max: 5000 }),
      fc.double({ min: 0, max: 20, noNaN: true }),
      fc.double({ min: 0, max: 10 * DAY, noNaN: true }),
    )
    fc.assert(
      fc.property(fc.array(time, { minLength: 1, maxLength: 300 }), times => {
        const distribution = new Distribution()
        for (const ms of times) distribution.add(ms)
        const sorted = [...times].sort((a, b) => a - b)
        const { count, p50, p90, p99, max } = distribution.summary()
        assert.equal(count, times.length)
        assert.equal(max, Math.round((sorted.at(-1) as number) * 10) / 10)
        for (const [share, found] of [
          [0.5, p50],
          [0.9, p90],
          [0.99, p99],
        ] as const) {
          const exact = sorted[Math.ceil(share * sorted.length) - 1] as number
          assert.ok(Math.abs(found - exact) <= 0.0511 + exact / 1000, `${found}, not ${exact}`)
        }
      }),
    )
  })

  it('takes a time of more than ten days as ten days', () => {
    const distribution = new Distribution()
    distribution.add(30 * DAY)
    const { p50, max } = distribution.summary()
    assert.ok(Math.abs(p50 / (10 * DAY) - 1) < 0.001, String(p50))
    assert.equal(max, 30 * DAY)
  })

  it('is empty at the begin, and after it is cleared', () => {
    const distribution = new Distribution()
    const empty = { count: 0, p50: 0, p90: 0, p99: 0, max: 0 }
    assert.deepEqual(distribution.summary(), empty)
    distribution.add(3)
    distribution.clear()
    assert.deepEqual(distribution.summary(), empty)
  })
})
