import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Effect, type Override, strongest } from '../../../src/core/override.js'
import { nextRampStep, type Ramp, rampedWeight } from '../../../src/core/ramp.js'

const RAMP: Ramp = { since: 10_000, ms: 5000 }

describe('ramp', () => {
  const rows: [number, number][] = [
    [4999, 0],
    [5000, 5],
    [9999, 5],
    [10_000, 5],
    [10_999, 5],
    [11_000, 4],
    [14_999, 1],
    [15_000, 0],
    [99_000, 0],
  ]
  for (const [now, weight] of rows)
    it(`has weight ${weight} of 5 at ${now}`, () => {
      assert.equal(rampedWeight(5, RAMP, now), weight)
    })

  it('ends in the middle of a step', () => {
    const ramp = { since: 0, ms: 1500 }
    assert.deepEqual(
      [0, 1000, 1500].map(now => nextRampStep(ramp, now)),
      [1000, 1500, null],
    )
    assert.deepEqual(
      [1499, 1500].map(now => rampedWeight(1, ramp, now)),
      [1, 0],
    )
  })

  const anyRamp = fc.record(
    { since: fc.integer({ min: 0, max: 100_000 }), ms: fc.integer({ min: 1000, max: 200_000 }) },
    { noNullPrototype: true },
  )
  const anyWeight = fc.integer({ min: 0, max: 2 ** 31 - 1 })

  it('never rises, is over 0 until its end, and changes at the steps that it tells', () => {
    fc.assert(
      fc.property(anyRamp, anyWeight, (ramp, weight) => {
        let now = ramp.since
        let last = weight
        assert.equal(rampedWeight(weight, ramp, now), weight)
        for (let step = nextRampStep(ramp, now); step !== null; step = nextRampStep(ramp, now)) {
          assert.ok(step > now)
          assert.equal(rampedWeight(weight, ramp, step - 1), last)
          now = step
          const next = rampedWeight(weight, ramp, now)
          assert.ok(next <= last && (next > 0 || weight === 0 || now === ramp.since + ramp.ms))
          last = next
        }
        assert.equal(last, 0)
        assert.equal(now, ramp.since + ramp.ms)
      }),
      { numRuns: 50 },
    )
  })

  const override = (effect: Effect): Override => {
    return { effect, source: 'command', who: 'anna', reason: '', since: 0, until: null }
  }

  it('raises no weight that another override has set', () => {
    fc.assert(
      fc.property(
        fc.array(fc.option(anyRamp), { minLength: 1, maxLength: 3 }),
        fc.option(fc.integer({ min: 0, max: 10 })),
        fc.integer({ min: 0, max: 300_000 }),
        (ramps, ordered, now) => {
          const drains = ramps.map(ramp => override(ramp ? { kind: 'drain', ramp } : { kind: 'drain' }))
          const weights = ordered === null ? [] : [override({ kind: 'weight', weight: ordered })]
          const effect = strongest([...drains, ...weights], now)?.effect
          assert.ok(effect?.kind === 'drain')
          const whole = ordered ?? 7
          const own = ramps.map(ramp => (ramp ? rampedWeight(whole, ramp, now) : 0))
          assert.equal(effect.ramp ? rampedWeight(7, effect.ramp, now) : 0, Math.min(...own))
        },
      ),
    )
  })
})
