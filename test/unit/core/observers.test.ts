import assert from 'node:assert/strict'
import fc from 'fast-check'
import { hashed, observersOf, phaseOf } from '../../../src/core/observers.js'

const directors = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 10 })
const ids = (question: string, candidates: readonly string[], k: number) =>
  observersOf(hashed(question), candidates.map(hashed), k).map(({ id }) => id)

describe('observersOf', () => {
  it('chooses k different directors, or all, whatever their order', () => {
    fc.assert(
      fc.property(fc.string(), directors, fc.integer({ min: 1, max: 5 }), (question, all, k) => {
        const chosen = ids(question, all, k)
        assert.equal(new Set(chosen).size, Math.min(k, all.length))
        assert.deepEqual(ids(question, all.toReversed(), k), chosen)
      }),
    )
  })

  it('moves only the share of a director that comes or goes', () => {
    fc.assert(
      fc.property(fc.string(), directors, fc.integer({ min: 1, max: 5 }), (question, all, k) => {
        const [gone = '', ...rest] = all
        const before = ids(question, all, k)
        const after = ids(question, rest, k)
        assert.deepEqual(
          before.filter(id => id !== gone),
          after.slice(0, before.filter(id => id !== gone).length),
        )
        if (!before.includes(gone)) assert.deepEqual(after, before)
      }),
    )
  })

  it('gives each director its share', () => {
    const all = ['berlin-1', 'berlin-2', 'berlin-3', 'berlin-4']
    const counts = new Map<string, number>()
    for (let i = 0; i < 2000; i++)
      for (const id of ids(`question ${i}`, all, 2)) counts.set(id, (counts.get(id) ?? 0) + 1)
    for (const count of counts.values()) assert.ok(count > 850 && count < 1150, `${count} of 4000`)
  })
})

describe('phaseOf', () => {
  it('spreads questions and ranks over the interval', () => {
    const tenths = new Array<number>(10).fill(0)
    for (let i = 0; i < 1000; i++) {
      const question = hashed(`question ${i}`)
      const [first, second] = [phaseOf(question, 0, 2, 1000), phaseOf(question, 1, 2, 1000)]
      assert.ok(Math.abs(Math.abs(first - second) - 500) < 1e-6)
      const tenth = Math.floor(first / 100)
      tenths[tenth] = (tenths[tenth] ?? 0) + 1
    }
    for (const count of tenths) assert.ok(count > 60 && count < 140, tenths.join())
  })
})
