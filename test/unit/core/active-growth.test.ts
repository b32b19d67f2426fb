import assert from 'node:assert/strict'
import fc from 'fast-check'
import { type Growing, type Growth, growingOf, looksBy, nextGrowth } from '../../../src/core/active-growth.js'

/** Looks 50 ms apart, each at the active connections of all servers. Returns the places that grow for sure, with their number. */
function found(looks: readonly (readonly number[])[], every = 50): string {
  return growing(looks, every)
    .filter(({ since }) => since === 'sure')
    .map(({ place, count }) => `${place}: ${count}`)
    .join(', ')
}

function growing(looks: readonly (readonly number[])[], every = 50): readonly Growing[] {
  let growth: Growth[] = []
  let now = 0
  for (const counts of looks) {
    now += every
    growth = counts.map((active, i) => nextGrowth(growth[i], active, now))
  }
  return growingOf(growth, now)
}

/** Milliseconds. */
const WAKE = 0.1
const NOTHING = { ms: 0, at: 0 }

describe('active-growth: looks', () => {
  const every = (times: readonly number[]) => looksBy(times, WAKE).pause(1, NOTHING, null)

  it('take a quarter of a percent of a processor in the mean, with waking up, and are 50 ms to 10 s apart', () => {
    assert.equal(every([0.5, 0.5, 0.6, 0.4]), 240)
    assert.equal(every([0.5]), 240)
    assert.equal(every([0.01, 0.01]), 50)
    assert.equal(every([100, 100]), 10_000)
    assert.equal(every([]), 10_000)
    assert.equal(looksBy([0.5], 0.6).pause(1, NOTHING, null), 440)
  })

  it('count for twice the second shortest of them where something else had the processor', () => {
    assert.equal(every([20, 0.5, 0.25, 10, 30]), 340)
  })

  it('take one percent where a check may fail early, and read no more services in a row', () => {
    const [usual, early] = [looksBy([1, 1], WAKE), looksBy([1, 1], WAKE, true)]
    assert.deepEqual([usual.pause(1, NOTHING, null), early.pause(1, NOTHING, null)], [440, 110])
    assert.equal(looksBy([0.01, 0.01], WAKE, true).pause(1, NOTHING, null), 25)
    assert.equal(early.most, usual.most)
  })

  it('come 20 ms after a first connection, or 150 ms to be sure, unless they owe something, and faster while some is saved', () => {
    const looks = looksBy([0.5, 0.5], WAKE)
    const pauses = (ms: number) => {
      const saved = { ms, at: 0 }
      return (['attempt', 'sure', null] as const).map(sooner => Math.round(looks.pause(1, saved, sooner)))
    }
    assert.deepEqual(pauses(0), [20, 150, 240])
    assert.deepEqual(pauses(2.5), [20, 150, 180])
    assert.deepEqual(pauses(4.9), [20, 122, 122])
    assert.deepEqual(pauses(-0.6), [480, 480, 480])
    assert.deepEqual(looksBy([0.02, 0.02], WAKE).pause(1, NOTHING, 'sure'), 50)
  })

  it('take no more than their share, whenever they come sooner, and what two seconds have saved at once', () => {
    const looks = fc.array(fc.constantFrom(null, 'attempt', 'sure'), { minLength: 100, maxLength: 300 })
    const idle = fc.integer({ min: 0, max: 5000 })
    fc.assert(
      fc.property(
        fc.constantFrom(0.01, 0.3, 2, 15),
        fc.boolean(),
        idle,
        looks,
        (each, isEarly, before, all) => {
          const by = looksBy([each, each], WAKE, isEarly)
          const share = isEarly ? 0.01 : 0.0025
          const cost = WAKE + each
          let saved = by.after(NOTHING, 1, before)
          let now = before
          for (const sooner of all) {
            now += by.pause(1, saved, sooner)
            saved = by.after(saved, 1, now)
          }
          const most = Math.max(share * 2000, cost) + cost
          assert.ok(all.length * cost <= share * (now - before) + most + 1e-9)
        },
      ),
    )
  })

  it('come sooner many times in a row where something was saved', () => {
    const by = looksBy([0.2, 0.2], WAKE, true)
    let saved = by.after(NOTHING, 1, 10_000)
    let soon = 0
    for (let now = 10_000; by.pause(1, saved, 'attempt') === 20; soon++) {
      now += 20
      saved = by.after(saved, 1, now)
    }
    // Of 20 ms that were saved, each takes 0.3 and brings 0.2 back.
    assert.ok(soon > 190 && soon < 210, `${soon}`)
  })

  it('read no more services than they can a second later again, and at least one', () => {
    for (const each of [0.005, 0.025, 1]) {
      const looks = looksBy([each, each], WAKE)
      assert.ok(looks.pause(looks.most, NOTHING, null) <= 1000)
      assert.ok(looks.pause(looks.most + 1, NOTHING, null) > 1000)
    }
    const most = (times: readonly number[]) => looksBy(times, WAKE).most
    assert.deepEqual([most([5, 5]), most([0.025]), most([])], [1, 95, 20])
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

  it('are worth a bare connect where the first has not ended at the next look, and not those of all', () => {
    const sinceOf = (looks: number[][]) => growing(looks).map(({ place, since }) => `${place} ${since}`)
    const one = [0, 0, 1].map(count => [count, 0, 0])
    assert.deepEqual(sinceOf(one), ['0 first'])
    assert.deepEqual(sinceOf([...one, [1, 0, 0]]), ['0 again'])
    assert.deepEqual(sinceOf([...one, [0, 0, 0]]), [])
    assert.deepEqual(sinceOf([0, 0, 1, 1].map(count => [count, count, count])), [])
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
        for (const { place, count, since } of growingOf(growth, 1000)) {
          assert.equal(counts[place], count)
          assert.equal(since, count >= 2 ? 'sure' : 'again')
          assert.ok(count >= 1 && count >= 4 * (sorted[(sorted.length - 2) >> 1] ?? 0))
        }
      }),
    )
  })
})
