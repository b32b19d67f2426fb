import assert from 'node:assert/strict'
import fc from 'fast-check'
import { costOf } from '../../../src/core/read-pace.js'
import {
  FIRST_TABLE_PACE,
  type LookAt,
  nextTablePace,
  TABLE_PACE,
  type TablePace,
} from '../../../src/core/table-pace.js'

type Look = readonly [LookAt, number]

const paceAfter = (...looks: Look[]) =>
  looks.reduce((pace: TablePace, [at, cost]) => nextTablePace(pace, at, cost), FIRST_TABLE_PACE)

/** The pace after many looks that cost the same. */
const settled = (table: number, services: number) =>
  paceAfter(['table', table], ['services', services], ['table', table])

describe('table-pace: how often lvsd looks at the whole table, and at its services alone', () => {
  const { share, every } = TABLE_PACE
  const cases: [string, TablePace, [interval: number, looks: number]][] = [
    ['looks at the whole table each second while that costs what it may', settled(3, 0.5), [1000, 1]],
    ['looks at it alone where two looks would be less than a second apart', settled(5, 0.5), [1667, 1]],
    ['looks at the services halfway where a second is left for each look', settled(6, 0.75), [2250, 2]],
    ['looks at the services more often where the whole costs more', settled(12, 0.75), [5000, 5]],
    ['leaves two thirds of the share to the whole table', settled(12, 2), [6000, 4]],
    ['leaves looks at the services out that cost more than half as much', settled(12, 6.1), [4000, 1]],
    ['reads the whole table each ten seconds at least', settled(24, 1), [10_000, 9]],
    [
      'looks at the services as often where the whole table takes the share alone',
      settled(60, 1),
      [10_000, 9],
    ],
    ['leaves them a third of the share there', settled(60, 2.5), [10_000, 5]],
    ['does not count looks at the services that were not made', paceAfter(['table', 12]), [4000, 4]],
    [
      'looks less often at once when looks at the services cost more',
      paceAfter(['table', 6], ['services', 0.75], ['services', 2.25]),
      [3000, 3],
    ],
  ]
  for (const [what, { interval, looks }, expected] of cases)
    it(what, () => assert.deepEqual([Math.round(interval), looks], expected))

  const anyLook = fc.tuple(
    fc.constantFrom('table', 'services') as fc.Arbitrary<LookAt>,
    fc.double({ min: 0, max: 100, noNaN: true }),
  )
  it('looks no more often than once a second, and takes no more than its share for all looks, unless the longest interval is reached', () => {
    fc.assert(
      fc.property(fc.array(anyLook, { minLength: 1, maxLength: 30 }), all => {
        const { interval, looks, costs } = paceAfter(...all)
        const [table, services] = [costOf(costs.table) ?? 0, costOf(costs.services) ?? 0]
        const [whole, between] = [table / interval, ((looks - 1) * services) / interval]
        const isWithin = whole + between <= share + 1e-9
        // The whole table is looked at within the longest interval whatever that costs, and the services keep their part.
        const isAtMost = interval === every.most && between <= share / 3 + 1e-9
        assert.ok(isWithin || isAtMost, `${whole} and ${between}`)
        assert.ok(interval <= every.most, `${interval} ms`)
        assert.ok(Number.isInteger(looks) && looks >= 1, `${looks} looks`)
        assert.ok(interval / looks >= every.least - 1e-6, `${interval} ms, ${looks} looks`)
      }),
    )
  })

  it('keeps its pace while costs vary by less than a fifth', () => {
    const factor = fc.double({ min: 0.81, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(fc.double({ min: 6, max: 25, noNaN: true }), fc.array(factor), (table, factors) => {
        const before = settled(table, 0.75)
        const after = factors.reduce(
          (pace, one) => nextTablePace(nextTablePace(pace, 'services', 0.75 * one), 'table', table * one),
          before,
        )
        assert.deepEqual([after.interval, after.looks], [before.interval, before.looks])
      }),
    )
  })
})
