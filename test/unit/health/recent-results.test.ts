import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { CheckResult } from '../../../src/core/model.js'
import { KEPT_GROUPS, RecentResults } from '../../../src/health/recent-results.js'
import { KEPT_RUNS } from '../../../src/health/run-times.js'
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

  it('keeps the times of the last five runs, which an equal result repeats in the same object', () => {
    const recent = new RecentResults()
    const phases = [
      { phase: 'connect' as const, ms: 0 },
      { phase: 'body' as const, ms: 0 },
    ]
    const result = { ...passed('200 OK'), ms: 0, phases }
    for (let i = 1; i <= 7; i++) {
      result.ms = i + 0.5
      phases.forEach((one, j) => {
        one.ms = j === 0 ? i : i + 0.5
      })
      recent.add(result, i * 1000.5)
    }
    const [group, ...others] = recent.groups
    assert.deepEqual(others, [])
    assert.deepEqual(
      group?.runs,
      [7, 6, 5, 4, 3].map(i => ({ at: i * 1000.5, ms: i + 0.5, phases: [i, i + 0.5] })),
    )
  })

  it('counts alike what goes through other phases, and tells the times of phases since they changed', () => {
    const recent = new RecentResults()
    const add = (detail: string, ...phases: ('connect' | 'headers' | 'body')[]) =>
      recent.add({ ...passed(detail), ms: 1, phases: phases.map(phase => ({ phase, ms: 1 })) }, 1)
    const counts = () => recent.groups.map(({ count, runs }) => [count, runs.map(run => run.phases.length)])
    add('a', 'connect', 'body')
    add('a', 'connect', 'headers', 'body')
    add('a', 'connect', 'headers', 'body')
    assert.deepEqual(counts(), [[3, [3, 3, 0]]])
    add('b', 'connect')
    assert.deepEqual(counts(), [
      [3, [3, 3, 0]],
      [1, [1]],
    ])
  })

  it('has the times of the last five runs of any history', () => {
    const words = ['resolve', 'connect', 'handshake', 'send', 'first byte', 'headers', 'body'] as const
    const time = fc.float({ min: 0, max: 100_000, noNaN: true })
    const run = fc.record({
      ends: fc.array(time, { maxLength: words.length }),
      ms: time,
      since: fc.integer({ min: 0, max: 100_000 }),
      detail: fc.constantFrom('a', 'b'),
    })
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 20 }), history => {
        const recent = new RecentResults()
        let now = 1000
        const expected = history.map(({ ends, ms, since, detail }) => {
          now += since
          // The last phase ends with the run.
          const times = ends.map((end, i) => (i === ends.length - 1 ? ms : end))
          const phases = times.map((end, i) => ({ phase: words[i] as (typeof words)[number], ms: end }))
          recent.add({ ...passed(detail), ms, phases }, now)
          return { at: now, ms, phases: times, detail }
        })
        const { groups } = recent
        const runs = groups.toReversed().flatMap(group => group.runs)
        const last = expected.toReversed()
        assert.deepEqual(
          runs,
          last.slice(0, KEPT_RUNS).map(({ at, ms, phases, detail }, i) => {
            const group = last.slice(0, i).findLastIndex(later => later.detail !== detail) + 1
            const isKnown = last.slice(group, i).every(later => later.phases.length === phases.length)
            return { at, ms, phases: isKnown ? phases : [] }
          }),
        )
        for (const group of groups) assert.ok(group.runs.length <= group.count)
      }),
    )
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
