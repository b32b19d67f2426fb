import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ALL } from '../../bench/all.js'
import type { Benchmark, Row } from '../../bench/benchmark.js'
import { AIMS, type Aim, isOf, measuring, PLANS, planOf, reached } from '../../bench/limit.js'
import { renderAimJson, renderAims, renderJson, renderLoadJson, renderTable } from '../../bench/print.js'

const AIM: Aim = {
  ...{ benchmark: 'checks', figure: 'CPU', beside: 'keepalived', of: 'ratio', wanted: 0.6 },
  source: 'issue 13: the table',
}

const LOAD = { before: 0.1, after: 2, others: 0.3, isBusy: true }

const row = (ours: readonly number[], theirs: readonly number[], beside = 'keepalived'): Row => ({
  ...{ figure: 'CPU', unit: 'µs', ours, beside, theirs },
})

/** What a benchmark would tell where its plan has narrowed it down. */
function figuresOf({ name, figures }: Benchmark, quick: boolean): readonly Row[] {
  const environment = process.env
  process.env = { ...environment, ...planOf(name, quick).env }
  try {
    return [...(figures?.() ?? [])]
  } finally {
    process.env = environment
  }
}

describe('limit', () => {
  it('compares the medians of each run with one another', () => {
    const rows = [row([10, 20, 30], [40]), row([50], [50]), row([1], [50], 'node'), row([30], [60])]
    const { ratio, ours, isMet } = reached(AIM, rows)
    assert.deepEqual([ratio?.min, ratio?.median, ratio?.max], [0.5, 0.5, 1])
    assert.deepEqual([ours?.min, ours?.median, ours?.max], [20, 30, 50])
    assert.equal(isMet, true)
  })

  it('is not met by a median above what is wanted', () => {
    assert.equal(reached(AIM, [row([7], [10])]).isMet, false)
    assert.equal(reached({ ...AIM, of: 'median', wanted: 7 }, [row([7], [10])]).isMet, true)
  })

  it('takes the largest sample of all runs where the maximum is meant', () => {
    const rows = [row([1, 2, 9], []), row([3], [])]
    assert.equal(reached({ ...AIM, of: 'max', wanted: 8 }, rows).isMet, false)
    assert.equal(reached({ ...AIM, of: 'max', wanted: 9 }, rows).isMet, true)
  })

  it('says what was not measured', () => {
    assert.equal(reached(AIM, []).isMet, null)
    assert.equal(reached(AIM, [row([1], [])]).isMet, null)
    const [head, line = ''] = renderAims([reached(AIM, [])]).split('\n')
    assert.match(head ?? '', /^aim +unit +lvsd +beside/)
    assert.match(line, /^checks: CPU .*<= 0\.6 x {2}not measured {2}issue 13: the table$/)
  })

  it('says which aims a busy machine has measured', () => {
    const line = renderAims([reached(AIM, [row([1], [2])])], name => name === 'checks').split('\n')[1]
    assert.match(line ?? '', /yes \(busy\)/)
    assert.match(
      renderAims([reached(AIM, [])], () => true),
      /not measured {2}issue/,
    )
  })

  it('tells the load in JSON, of each run and with each aim', () => {
    assert.deepEqual(JSON.parse(renderLoadJson('checks', 2, LOAD)), {
      benchmark: 'checks',
      run: 2,
      load: LOAD,
    })
    assert.deepEqual(JSON.parse(renderAimJson(reached(AIM, []), [LOAD])).loads, [LOAD])
  })

  it('joins the runs of one benchmark in its table, and keeps them apart in JSON', () => {
    const runs = [
      { ...row([10, 20], [40]), run: 1 },
      { ...row([60], [80]), run: 2 },
    ]
    const [, line = '', ...others] = renderTable(runs).split('\n')
    assert.deepEqual(others, [])
    assert.match(line, /^CPU +µs +20\.0 +3 +10\.0 .* keepalived +60\.0 +2 /)
    assert.deepEqual(
      runs.map(each => JSON.parse(renderJson('checks', each)).run),
      [1, 2],
    )
  })

  it('has each aim once', () => {
    const keys = AIMS.map(({ benchmark, figure, beside, of }) => [benchmark, figure, beside, of].join('|'))
    assert.equal(new Set(keys).size, AIMS.length)
  })

  it('has a plan for each benchmark that measures aims, and for no other', () => {
    assert.deepEqual(Object.keys(PLANS).sort(), [...measuring(AIMS)].sort())
  })

  for (const quick of [false, true])
    it(`has an aim for rows alone that its benchmark tells${quick ? ', with --quick too' : ''}`, () => {
      const figures = new Map(ALL.map(each => [each.name, figuresOf(each, quick)]))
      const without = AIMS.filter(aim => !figures.get(aim.benchmark)?.some(figure => isOf(aim, figure)))
      assert.deepEqual(
        without.map(({ benchmark, figure, beside }) => `${benchmark}: ${figure}, beside ${beside}`),
        [],
      )
    })

  it('tells each figure once', () => {
    for (const each of ALL) {
      const keys = figuresOf(each, false).map(({ figure, beside }) => `${figure}|${beside}`)
      assert.deepEqual([...new Set(keys)], keys, each.name)
    }
  })

  it('has aims of README where it has their heading', () => {
    const text = readFileSync('README.md', 'utf8')
    for (const { source } of AIMS) {
      const [, heading] = /^README: (.+)$/.exec(source) ?? []
      if (heading !== undefined) assert.match(text, new RegExp(`^#+ ${heading}$`, 'm'))
    }
  })
})
