import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Agreement, agreed, isOutlier, type Votes } from '../../../src/core/agreement.js'

const count = fc.integer({ min: 0, max: 5 })
const votes = fc.record({ ups: count, downs: count, awaited: count })
const rule = fc.constantFrom<Agreement[]>('majority', 'all', 'any')
const state = fc.constantFrom('up' as const, 'down' as const, 'unknown' as const)

describe('agreed', () => {
  const decided = (ups: number, downs: number, awaited: number, by: Agreement, current: 'up' | 'down') =>
    agreed({ ups, downs, awaited }, by, current)

  it('follows the table of the rules', () => {
    assert.equal(decided(1, 1, 0, 'majority', 'up'), 'up')
    assert.equal(decided(1, 1, 0, 'majority', 'down'), 'up')
    assert.equal(decided(1, 1, 1, 'majority', 'down'), 'down')
    assert.equal(decided(0, 1, 1, 'majority', 'up'), 'up')
    assert.equal(decided(0, 2, 0, 'majority', 'up'), 'down')
    assert.equal(decided(1, 2, 0, 'all', 'up'), 'up')
    assert.equal(decided(0, 2, 0, 'all', 'up'), 'down')
    assert.equal(decided(2, 1, 0, 'any', 'up'), 'down')
    assert.equal(decided(2, 0, 1, 'any', 'down'), 'down')
    assert.equal(agreed({ ups: 1, downs: 0, awaited: 1 }, 'majority', 'unknown'), 'up')
    assert.equal(agreed({ ups: 0, downs: 1, awaited: 1 }, 'majority', 'unknown'), 'unknown')
  })

  it('never says what no observer says, and keeps what is in force while nobody says anything', () => {
    fc.assert(
      fc.property(votes, rule, state, (given: Votes, by, current) => {
        const next = agreed(given, by, current)
        if (next === current) return
        assert.ok(next === 'up' ? given.ups > 0 : given.downs > 0)
      }),
    )
  })

  it('is the same again after itself, so that nothing swings', () => {
    fc.assert(
      fc.property(votes, rule, state, (given, by, current) => {
        const once = agreed(given, by, current)
        assert.equal(agreed(given, by, once), once)
      }),
    )
  })

  it('gives all directors with the same verdicts the same state, whatever each had before', () => {
    fc.assert(
      fc.property(count, count, rule, state, state, (ups, downs, by, one, other) => {
        fc.pre(ups + downs > 0)
        const given = { ups, downs, awaited: 0 }
        const next = agreed(given, by, one)
        assert.equal(next, agreed(given, by, other))
        assert.notEqual(next, 'unknown')
      }),
    )
  })

  it('lets no minority remove a server by majority', () => {
    fc.assert(
      fc.property(votes, given => {
        if (agreed(given, 'majority', 'up') === 'down') assert.ok(given.downs > given.ups + given.awaited)
      }),
    )
  })
})

describe('isOutlier', () => {
  it('needs several others, several questions, and most of them', () => {
    assert.equal(isOutlier({ compared: 10, contrary: 9, against: 2 }), true)
    assert.equal(isOutlier({ compared: 10, contrary: 9, against: 1 }), false)
    assert.equal(isOutlier({ compared: 10, contrary: 5, against: 2 }), false)
    assert.equal(isOutlier({ compared: 2, contrary: 2, against: 2 }), false)
  })
})
