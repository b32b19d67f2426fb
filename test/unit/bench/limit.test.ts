import assert from 'node:assert/strict'
import type { Row } from '../../bench/benchmark.js'
import { AIMS, type Aim, reached } from '../../bench/limit.js'
import { renderAims } from '../../bench/print.js'

const AIM: Aim = { benchmark: 'checks', figure: 'CPU', beside: 'keepalived', of: 'ratio', wanted: 0.6 }

const row = (ours: readonly number[], theirs: readonly number[], beside = 'keepalived'): Row => ({
  ...{ figure: 'CPU', unit: 'µs', ours, beside, theirs },
})

describe('limit', () => {
  it('compares the medians of each run with one another', () => {
    const runs = [[row([10, 20, 30], [40])], [row([50], [50]), row([1], [50], 'node')], [row([30], [60])]]
    const { ratio, ours, isMet } = reached(AIM, runs)
    assert.deepEqual([ratio?.min, ratio?.median, ratio?.max], [0.5, 0.5, 1])
    assert.deepEqual([ours?.min, ours?.median, ours?.max], [20, 30, 50])
    assert.equal(isMet, true)
  })

  it('is not met by a median above what is wanted', () => {
    assert.equal(reached(AIM, [[row([7], [10])]]).isMet, false)
    assert.equal(reached({ ...AIM, of: 'median', wanted: 7 }, [[row([7], [10])]]).isMet, true)
  })

  it('takes the largest sample of all runs where the maximum is meant', () => {
    const runs = [[row([1, 2, 9], [])], [row([3], [])]]
    assert.equal(reached({ ...AIM, of: 'max', wanted: 8 }, runs).isMet, false)
    assert.equal(reached({ ...AIM, of: 'max', wanted: 9 }, runs).isMet, true)
  })

  it('says what was not measured', () => {
    assert.equal(reached(AIM, [[]]).isMet, null)
    assert.equal(reached(AIM, [[row([1], [])]]).isMet, null)
    const [head, line = ''] = renderAims([reached(AIM, [])]).split('\n')
    assert.match(head ?? '', /^aim +unit +lvsd +beside/)
    assert.match(line, /^checks: CPU .*<= 0\.6 x {2}not measured$/)
  })

  it('has each aim once', () => {
    const keys = AIMS.map(({ benchmark, figure, beside, of }) => [benchmark, figure, beside, of].join('|'))
    assert.equal(new Set(keys).size, AIMS.length)
  })
})
