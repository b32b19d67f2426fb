import assert from 'node:assert/strict'
import fc from 'fast-check'
import { costOf, FIRST_PACE, nextPace, type ReadPace } from '../../../src/core/read-pace.js'
import { TABLE_PACE } from '../../../src/core/table-pace.js'

const next = (pace: ReadPace, cost: number) => nextPace(pace, cost, TABLE_PACE)
const paceAfter = (...costs: number[]) => costs.reduce(next, FIRST_PACE)
const anyCosts = fc.array(fc.double({ min: 0, max: 200, noNaN: true }), { minLength: 1, maxLength: 30 })

describe('read-pace: how often something is read again', () => {
  const cases: [string, number[], number][] = [
    ['keeps its first interval while that costs what it may', [3], 1000],
    ['reads less often at once when a reading costs more', [6], 2000],
    ['reads more often when a reading costs less', [6, 0, 0], 1000],
    ['keeps an interval that is little longer than needed', [2.7], 1000],
    ['follows the mean, not the typical cost', [3, 3, 3, 3, 9], 1400],
    ['takes a very slow reading for three', [3, 3, 3, 3, 200], 1400],
    [
      'takes few slow readings for three, and many where the machine stands still',
      [3, 30, 3, 40, 50, 60],
      2333,
    ],
    ['follows a cost that stays high', [3, 3, ...Array<number>(10).fill(9)], 3000],
    ['never reads more often than once a second', [0, 0, 0], TABLE_PACE.every.least],
    ['never waits longer than ten seconds', [500], TABLE_PACE.every.most],
  ]
  for (const [what, costs, interval] of cases)
    it(what, () => assert.equal(Math.round(paceAfter(...costs).interval), interval))

  it('takes no more than its share, by the mean cost, unless the longest interval is reached', () => {
    fc.assert(
      fc.property(anyCosts, costs => {
        const pace = paceAfter(...costs)
        const share = (costOf(pace.costs) ?? 0) / pace.interval
        assert.ok(share <= TABLE_PACE.share + 1e-9 || pace.interval === TABLE_PACE.every.most, `${share}`)
        assert.ok(pace.interval >= TABLE_PACE.every.least && pace.interval <= TABLE_PACE.every.most)
      }),
    )
  })

  it('keeps its interval while costs vary by less than a fifth', () => {
    // With 1 the sum of equal costs may be rounded up in its last bit.
    const factor = fc.double({ min: 0.81, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(fc.double({ min: 3.1, max: 25, noNaN: true }), fc.array(factor), (cost, factors) => {
        const settled = paceAfter(cost, cost, cost, cost, cost)
        const pace = factors.reduce((at, one) => next(at, cost * one), settled)
        assert.equal(pace.interval, settled.interval)
      }),
    )
  })

  it('has no cost before the first reading', () => {
    assert.equal(costOf(FIRST_PACE.costs), null)
  })
})
