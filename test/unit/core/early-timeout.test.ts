import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  ATTEMPTS,
  EARLY_LIMIT,
  hasEarlyLimit,
  nextStep,
  pauseAfter,
} from '../../../src/core/early-timeout.js'

/** Plays a series: each step comes so late as `delays` says. Returns how it ended, and after how long. */
function played(delays: readonly number[]): { end: string; at: number; attempts: readonly number[] } {
  const attempts: number[] = []
  let [made, due, now] = [0, 0, 0]
  for (let i = 0; i < 1000; i++) {
    const step = nextStep(made, due, now)
    if (step === 'fail' || step === 'leave') return { end: step, at: now, attempts }
    if (step === 'attempt') {
      attempts.push(now)
      made++
    }
    due = now + pauseAfter(made)
    now = due + (delays[i] ?? 0)
  }
  throw new Error('it does not end')
}

const delays = fc.array(fc.oneof(fc.nat(60), fc.nat(3000)), { maxLength: 30 })

describe('early-timeout: a series of attempts', () => {
  it('ends 300 ms after the first of six, 40 ms apart', () => {
    assert.deepEqual(played([]), { end: 'fail', at: EARLY_LIMIT, attempts: [0, 40, 80, 120, 160, 200] })
  })

  it('never lets a check fail before its limit, without all attempts, or without a pause after the last one', () => {
    fc.assert(
      fc.property(delays, late => {
        const { end, at, attempts } = played(late)
        if (end !== 'fail') return
        assert.ok(at >= EARLY_LIMIT)
        assert.equal(attempts.length, ATTEMPTS.most)
        assert.ok(at - (attempts.at(-1) ?? 0) >= 100)
        for (const [i, one] of attempts.slice(1).entries())
          assert.ok(one - (attempts[i] ?? 0) >= ATTEMPTS.every)
      }),
    )
  })

  it('waits once more where it was stopped before the end, and is left where that lasts', () => {
    const stopped = [0, 0, 0, 0, 0, 700]
    assert.deepEqual(played(stopped).at, 1100)
    assert.equal(played([0, 0, 0, 0, 0, 700, 700, 700]).end, 'leave')
  })

  it('ends in any case', () => {
    fc.assert(fc.property(delays, late => void played(late)))
  })
})

describe('early-timeout: a check', () => {
  it('has an early limit where connections take a tenth of it at most, and its time limit is longer', () => {
    assert.equal(hasEarlyLimit([30, 900], 1000), true)
    assert.equal(hasEarlyLimit([31, 900], 1000), false)
    assert.equal(hasEarlyLimit([], 1000), false)
    assert.equal(hasEarlyLimit([2], EARLY_LIMIT), false)
  })

  it('has none if all of its connections took longer than a tenth', () => {
    const times = fc.array(fc.double({ min: 0, max: 1000, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(times, all => {
        assert.equal(
          hasEarlyLimit(all, 3000),
          all.some(ms => ms <= EARLY_LIMIT / 10),
        )
      }),
    )
  })
})
