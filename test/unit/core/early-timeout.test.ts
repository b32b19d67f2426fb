import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  ATTEMPTS,
  EARLY_LIMIT,
  hasEarlyLimit,
  nextStep,
  nextUsual,
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
    due = now + pauseAfter(made, now)
    now = due + (delays[i] ?? 0)
  }
  throw new Error('it does not end')
}

const delays = fc.array(fc.oneof(fc.nat(60), fc.nat(3000)), { maxLength: 30 })

describe('early-timeout: a series of attempts', () => {
  it('ends 250 ms after the first of six, 30 ms apart', () => {
    assert.deepEqual(played([]), { end: 'fail', at: EARLY_LIMIT, attempts: [0, 30, 60, 90, 120, 150] })
  })

  it('ends no later where each step comes a few milliseconds late', () => {
    const { at, attempts } = played(Array<number>(6).fill(4))
    assert.equal(at, EARLY_LIMIT + 4)
    assert.deepEqual(attempts, [0, 34, 64, 94, 124, 154])
  })

  it('never lets a check fail before its limit, without all attempts, or without a pause after the last one', () => {
    fc.assert(
      fc.property(delays, late => {
        const { end, at, attempts } = played(late)
        if (end !== 'fail') return
        assert.ok(at >= EARLY_LIMIT)
        assert.equal(attempts.length, ATTEMPTS.most)
        assert.ok(at - (attempts.at(-1) ?? 0) >= 90)
        for (const [i, one] of attempts.slice(1).entries())
          assert.ok(one - (attempts[i] ?? 0) >= ATTEMPTS.every - 10)
      }),
    )
  })

  it('waits once more where it was stopped before the end, and is left where that lasts', () => {
    const stopped = [0, 0, 0, 0, 0, 700]
    assert.deepEqual(played(stopped).at, 1040)
    assert.equal(played([0, 0, 0, 0, 0, 700, 700, 700]).end, 'leave')
  })

  it('is silent by chance less than once in ten million where a twentieth of all segments is lost each way', () => {
    const answered = (1 - 0.05) ** 2
    // The check itself connects too.
    assert.ok((1 - answered) ** (ATTEMPTS.most + 1) < 1e-7)
  })

  it('ends in any case', () => {
    fc.assert(fc.property(delays, late => void played(late)))
  })
})

describe('early-timeout: a check', () => {
  it('has an early limit where connections take a tenth of it at most, and its time limit is longer', () => {
    assert.equal(hasEarlyLimit(25, 1000), true)
    assert.equal(hasEarlyLimit(26, 1000), false)
    assert.equal(hasEarlyLimit(2, EARLY_LIMIT), false)
  })

  it('knows the usual time by the shortest, and learns a longer one in a while', () => {
    const usualOf = (times: readonly number[]) =>
      times.reduce<number | undefined>((before, ms) => nextUsual(before, ms), undefined)
    assert.equal(usualOf([120, 3, 60]), 8.7)
    assert.ok((usualOf([1, ...Array<number>(5).fill(50)]) ?? 0) < 30)
    assert.ok((usualOf([1, ...Array<number>(20).fill(50)]) ?? 0) > 30)
    const ms = fc.double({ min: 0, max: 1000, noNaN: true })
    fc.assert(
      fc.property(fc.array(ms, { minLength: 1 }), all => {
        const usual = usualOf(all) ?? Number.NaN
        assert.ok(usual >= Math.min(...all) && usual <= Math.max(...all))
        assert.ok(usual <= (all.at(-1) ?? 0) + (Math.max(...all) - Math.min(...all)))
      }),
    )
  })
})
