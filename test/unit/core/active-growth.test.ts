import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Growth, growingOf, looksBy, nextGrowth } from '../../../src/core/active-growth.js'

/** Looks 50 ms apart, each at the active connections of all servers. Returns the places that grow, with their number. */
function found(looks: readonly (readonly number[])[], every = 50): string {
  let growth: Growth[] = []
  let now = 0
  for (const counts of looks) {
    now += every
    growth = counts.map((active, i) => nextGrowth(growth[i], active, now))
  }
  return growingOf(growth, now)
    .map(({ place, count }) => `${place}: ${count}`)
    .join(', ')
}

describe('active-growth: looks', () => {
  const every = (times: readonly number[]) => looksBy(times).every(1)

  it('take a quarter of a percent of a processor, by the second shortest of them, and are 50 ms to 10 s apart', () => {
    assert.equal(every([20, 0.5, 0.25, 10, 30]), 200)
    assert.equal(every([0.5]), 200)
    assert.equal(every([0.01, 0.01]), 50)
    assert.equal(every([100, 100]), 10_000)
    assert.equal(every([]), 10_000)
  })

  it('read no more services than they can a second later again, and at least one', () => {
    for (const each of [0.005, 0.025, 1]) {
      const looks = looksBy([each, each])
      assert.ok(looks.every(looks.most) <= 1000)
      assert.ok(looks.every(looks.most + 1) > 1000)
    }
    assert.deepEqual([looksBy([5, 5]).most, looksBy([0.025]).most, looksBy([]).most], [1, 100, 20])
  })
})

describe('active-growth: connections of a server', () => {
  it('grow where two have come and stay for 150 ms, and those of the others come and go', () => {
    const looks = [
      [1, 0],
      [1, 1],
      [2, 0],
      [3, 1],
      [3, 0],
      [3, 0],
      [3, 0],
    ]
    assert.equal(found(looks), '0: 2')
    assert.equal(found(looks.slice(0, -1)), '0: 2')
    assert.equal(found(looks.slice(0, -2)), '')
  })

  it('do not grow once one has ended', () => {
    const looks = [1, 2, 3, 4, 3, 3, 3, 3].map(one => [one, 0])
    assert.equal(found(looks), '')
  })

  it('do not grow where there was one only, or where they come slowly', () => {
    assert.equal(found([0, 1, 1, 1, 1, 1, 1].map(one => [one, 0])), '')
    assert.equal(
      found(
        [0, 1, 2, 3, 4].map(one => [one, 0]),
        2500,
      ),
      '',
    )
  })

  it('do not grow where those of its neighbours do too', () => {
    const looks = [0, 2, 4, 6, 8, 10].map(one => [one, one, one / 2])
    assert.equal(found(looks), '')
    assert.equal(found(looks.map(([one = 0]) => [2 * one, 0, 0])), '0: 20')
  })

  it('are no more than have come since the last end, and at most a hundred', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(counts, all => {
        let growth: Growth | undefined
        let since = 0
        all.forEach((active, i) => {
          if (active < (all[i - 1] ?? 0)) since = i
          growth = nextGrowth(growth, active, i)
          assert.ok(growth.added.length <= Math.min(100, active - (all[since] ?? 0)))
          assert.equal(growth.active, active)
        })
      }),
    )
  })

  it('are found of one server at most, if all others have as many', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 3, maxLength: 10 }), counts => {
        const growth = counts.map(count => ({ active: count, added: Array<number>(count).fill(0) }))
        const sorted = [...counts].sort((a, b) => a - b)
        for (const { place, count } of growingOf(growth, 1000)) {
          assert.equal(counts[place], count)
          assert.ok(count >= 2 && count >= 4 * (sorted[(sorted.length - 2) >> 1] ?? 0))
        }
      }),
    )
  })
})
