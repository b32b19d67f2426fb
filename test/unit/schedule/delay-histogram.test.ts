import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DelayHistogram } from '../../../src/schedule/delay-histogram.js'

describe('delay-histogram: lateness', () => {
  it('is 0 before the first start', () => {
    assert.deepEqual(new DelayHistogram(0).summary(0), { p50: 0, p99: 0, max: 0 })
  })

  it('is exact to one tenth', () => {
    const sample = fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(sample, values => {
        const lateness = new DelayHistogram(0)
        for (const value of values) lateness.add(value, 0)
        const { p50, p99, max } = lateness.summary(0)
        const sorted = [...values].sort((a, b) => a - b)
        const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] as number
        assert.ok(Math.abs(p50 - at(0.5)) <= at(0.5) * 0.1 + 1, `p50 ${p50}, exactly ${at(0.5)}`)
        assert.ok(Math.abs(p99 - at(0.99)) <= at(0.99) * 0.1 + 1, `p99 ${p99}, exactly ${at(0.99)}`)
        assert.equal(max, sorted.at(-1))
      }),
    )
  })

  it('forgets what is older than two minutes', () => {
    const lateness = new DelayHistogram(0)
    lateness.add(500, 1000)
    assert.equal(lateness.summary(59_000).max, 500)
    lateness.add(3, 61_000)
    assert.equal(lateness.summary(62_000).max, 500)
    assert.equal(lateness.summary(125_000).max, 3)
    assert.equal(lateness.summary(500_000).max, 0)
  })

  it('counts a start that is slightly early as punctual', () => {
    const lateness = new DelayHistogram(0)
    lateness.add(-0.5, 0)
    assert.equal(lateness.summary(0).max, 0)
  })
})
