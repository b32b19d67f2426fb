import assert from 'node:assert/strict'
import { getTasks } from 'node-cron'
import { type Cron, isCron, parseCron } from '../../../src/core/cron.js'

const HOUR = 3_600_000

function cron(expression: string): Cron {
  const parsed = parseCron(expression)
  assert.ok(isCron(parsed), JSON.stringify(parsed))
  return parsed
}

/** The days of a month of 2026 or another year, on which the expression has times. */
function daysOf(expression: string, month: number, year = 2026): readonly number[] {
  const { isOn } = cron(expression)
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate()
  return Array.from({ length }, (_, i) => i + 1).filter(day => isOn(Date.UTC(year, month - 1, day)))
}

describe('cron', () => {
  it('names times of a day in their order', () => {
    assert.deepEqual(cron('0,30 14,2 * * *').times, [2 * HOUR, 2.5 * HOUR, 14 * HOUR, 14.5 * HOUR])
    assert.equal(cron('*/10 * * * *').times.length, 144)
    assert.deepEqual(cron('@daily').times, [0])
    assert.deepEqual(cron('  0   2 * * sun ').times, [2 * HOUR])
  })

  for (const [expression, month, days] of [
    ['0 2 * * sun', 11, [1, 8, 15, 22, 29]],
    ['0 2 * * 7', 11, [1, 8, 15, 22, 29]],
    ['0 2 * * SUNDAY', 11, [1, 8, 15, 22, 29]],
    ['0 2 1-7 * sun', 11, [1]],
    ['0 2 * * sun#2', 11, [8]],
    ['0 2 * * sunL', 11, [29]],
    ['0 2 L * *', 2, [28]],
    ['0 2 * dec *', 11, []],
    ['0 2 28-31 nov sat-sun', 11, [28, 29]],
  ] as const)
    it(`names days: ${expression}`, () => assert.deepEqual(daysOf(expression, month), days))

  it('names 29 February in leap years alone', () => {
    assert.deepEqual(daysOf('0 2 29 2 *', 2), [])
    assert.deepEqual(daysOf('0 2 29 2 *', 2, 2028), [29])
    assert.deepEqual(daysOf('0 2 L 2 *', 2, 2028), [29])
  })

  it('leaves no task in node-cron', () => {
    cron('0 2 * * sun')
    assert.equal(getTasks().size, 0)
  })

  for (const [expression, field, message] of [
    ['60 2 * * *', 0, '"60" is not a minute: 0 to 59'],
    ['0 24 * * *', 1, '"24" is not an hour: 0 to 23'],
    ['0 2 32 * *', 2, '"32" is not a day of the month: 1 to 31, or L for the last one'],
    ['0 2 31 4 *', 2, 'month 4 has no day 31'],
    ['0 2 * janu *', 3, '"janu" is not a month: 1 to 12, or jan to dec; did you mean "jan"?'],
    [
      '0 2 * * mon-sta',
      4,
      '"mon-sta" is not a day of the week: 0 (Sunday) to 7, or sun to sat; did you mean "sat"?',
    ],
    [
      '0 0 2 * * sun',
      null,
      'a cron expression has five fields (minute, hour, day of the month, month, day of the week), not 6',
    ],
    ['@dayly', null, '"@dayly" is no cron expression, such as 0 2 * * sun'],
    ['0 2 * * ;', null, '"0 2 * * ;" is no cron expression, such as 0 2 * * sun'],
  ] as const)
    it(`says what is wrong: ${expression}`, () =>
      assert.deepEqual(parseCron(expression), [{ field, message }]))
})
