import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CheckResult } from '../../../src/core/model.js'
import { KEPT_GROUPS, RecentResults } from '../../../src/health/recent-results.js'
import { failed, passed } from '../../support/tables.js'

const seen = (recent: RecentResults) =>
  recent.groups.map(({ result, count, from, at }) => [result.detail, count, from, at])

describe('recent-results', () => {
  it('keeps the last hundred verdicts as letters', () => {
    const recent = new RecentResults()
    assert.equal(recent.strip, '')
    recent.add(passed(), 1)
    recent.add(failed('refused'), 2)
    recent.add({ ...failed('no descriptor'), ok: null }, 3)
    assert.equal(recent.strip, 'pfn')
    for (let i = 0; i < 98; i++) recent.add(passed(), 4)
    assert.equal(recent.strip, `fn${'p'.repeat(98)}`)
    for (let i = 0; i < 250; i++) recent.add(failed('refused'), 5)
    assert.equal(recent.strip, 'f'.repeat(100))
  })

  it('has the verdicts of any history', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom(true, false, null), fc.nat(120))), history => {
        const recent = new RecentResults()
        const letters: string[] = []
        for (const [ok, times] of history)
          for (let i = 0; i < times; i++) {
            recent.add({ ...passed(), ok }, 1)
            letters.push(ok === null ? 'n' : ok ? 'p' : 'f')
          }
        assert.equal(recent.strip, letters.slice(-100).join(''))
      }),
    )
  })

  it('counts results that are alike in a row, and begins anew with another one', () => {
    const recent = new RecentResults()
    assert.deepEqual(recent.groups, [])
    recent.add(passed('200 OK'), 1)
    recent.add({ ...passed('200 OK'), ms: 7 }, 2)
    recent.add(failed('refused'), 3)
    recent.add(passed('200 OK'), 4)
    assert.deepEqual(seen(recent), [
      ['200 OK', 2, 1, 2],
      ['refused', 1, 3, 3],
      ['200 OK', 1, 4, 4],
    ])
  })

  it('keeps the phases of each with their times, those of older ones to a hundredth', () => {
    const recent = new RecentResults()
    const result: CheckResult = {
      ok: false,
      reason: 'timeout',
      detail: 'no answer',
      phase: 'first byte',
      ms: 3000.123,
      phases: [
        { phase: 'connect', ms: 0.4567 },
        { phase: 'first byte', ms: 3000.123 },
      ],
    }
    recent.add(result, 1)
    assert.equal(recent.groups[0]?.result, result)
    recent.add(passed(), 2)
    assert.deepEqual(recent.groups[0]?.result, {
      ...result,
      ms: 3000.12,
      phases: [
        { phase: 'connect', ms: 0.46 },
        { phase: 'first byte', ms: 3000.12 },
      ],
    })
  })

  it('keeps five, the last in full and older details cut between characters', () => {
    const recent = new RecentResults()
    for (let i = 0; i < 9; i++) recent.add(passed(`${i}${'x'.repeat(97)}😀${'y'.repeat(400)}`), i)
    const details = recent.groups.map(({ result }) => result.detail)
    assert.equal(details.length, KEPT_GROUPS)
    assert.deepEqual(
      details.map(detail => detail.slice(0, 1)),
      ['4', '5', '6', '7', '8'],
    )
    assert.equal(details[0], `4${'x'.repeat(97)}…`)
    assert.equal(details.at(-1)?.length, 500)
  })
})
