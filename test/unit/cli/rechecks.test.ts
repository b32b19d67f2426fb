import assert from 'node:assert/strict'
import type { RecheckedReal } from '../../../src/api/recheck-types.js'
import { Rechecks } from '../../../src/cli/rechecks.js'
import { recheckLine, summaryLine } from '../../../src/cli/terminal/recheck.js'
import { failed, passed } from '../../support/tables.js'

const PLAIN = { colour: false, width: 80 }

function rechecked(real: string, at: number, change: Partial<RecheckedReal> = {}): RecheckedReal {
  const result = change.state === 'down' ? failed() : passed('200 OK')
  const check = { index: 0, kind: 'http', state: 'up' as const, result, at, streak: 0, needed: 2 }
  return { service: 'web', real, state: 'up', isChanging: false, count: 1, checks: [check], ...change }
}

describe('rechecks', () => {
  it('are complete when each server is judged, in the order of their results', () => {
    const rechecks = new Rechecks(10, 2)
    const news = rechecks.take([rechecked('b', 13), rechecked('a', 12, { isChanging: true })])
    assert.deepEqual(
      news.map(({ real }) => real.real),
      ['a', 'b'],
    )
    assert.deepEqual([rechecks.after, rechecks.isComplete], [13, false])
    rechecks.take([rechecked('a', 15)])
    assert.equal(rechecks.isComplete, true)
  })

  it('wait for every check of a server, two of the same kind too', () => {
    const rechecks = new Rechecks(0, 1)
    const one = rechecked('a', 1, { count: 2 })
    rechecks.take([one])
    assert.equal(rechecks.isComplete, false)
    rechecks.take([{ ...one, checks: one.checks.map(check => ({ ...check, index: 1, at: 2 })) }])
    assert.equal(rechecks.isComplete, true)
    assert.equal(rechecks.reals[0]?.checks.length, 2)
  })

  it('shows a server without checks once', () => {
    const rechecks = new Rechecks(0, 1)
    const none = rechecked('a', 1, { count: 0, checks: [] })
    assert.equal(rechecks.take([none]).length, 1)
    assert.equal(rechecks.take([none]).length, 0)
    assert.equal(rechecks.isComplete, true)
  })

  it('are shown on a line each, with a summary', () => {
    const rechecks = new Rechecks(0, 3)
    const changing = rechecked('[fd00::1]:80', 1, { state: 'down', isChanging: true })
    const lines = rechecks.take([
      {
        ...changing,
        checks: changing.checks.map(check => ({ ...check, result: passed('200 OK'), streak: 1 })),
      },
      rechecked('[fd00::2]:80', 2, { count: 0, checks: [] }),
    ])
    assert.deepEqual(lines.map(each => recheckLine(each, PLAIN)).sort(), [
      'web/[fd00::1]:80  down  http passed 1 of 2  1.0ms  200 OK',
      'web/[fd00::2]:80  up  no check is configured',
    ])
    assert.equal(summaryLine(rechecks.reals, 3, PLAIN), '3 real servers: 1 up, 1 down, 1 without a result')
    const long = rechecked('[fd00::3]:80', 3)
    const cut = recheckLine(
      { real: long, check: { ...long.checks[0], result: passed('x'.repeat(200)) } as never },
      PLAIN,
    )
    assert.equal(cut.length, 80)
  })
})
