import assert from 'node:assert/strict'
import fc from 'fast-check'
import { changed, MOST_PAST, mergeEntry, type SiteEntry } from '../../../src/core/site-entry.js'

const entry = (change: string, past: readonly string[], at: number, value = change): SiteEntry<string> => ({
  change,
  past,
  by: 'a',
  at,
  value,
})

describe('mergeEntry', () => {
  type Side = SiteEntry<string> | undefined
  type Expected = {
    readonly value: string
    readonly does: 'write' | 'take' | 'nothing'
    readonly lost?: string
  }
  const [first, second] = [entry('x', [], 5), entry('y', ['x'], 4)]
  const rows: [string, Side, Side, Expected][] = [
    ['takes what it does not know', undefined, first, { value: 'x', does: 'take' }],
    ['writes what the store does not have', first, undefined, { value: 'x', does: 'write' }],
    ['leaves what both have', first, first, { value: 'x', does: 'nothing' }],
    ['writes over what it knew', second, first, { value: 'y', does: 'write' }],
    ['takes what knew it', first, second, { value: 'y', does: 'take' }],
    ['takes an equal value', entry('x', [], 5, 'v'), entry('z', [], 4, 'v'), { value: 'v', does: 'nothing' }],
    ['takes the later one', first, entry('z', [], 6), { value: 'z', does: 'take', lost: 'x' }],
    ['keeps the later one', first, entry('z', [], 4), { value: 'x', does: 'write', lost: 'z' }],
  ]
  for (const [what, held, stored, expected] of rows)
    it(what, () => {
      const merged = mergeEntry(held, stored)
      assert.deepEqual(
        {
          value: merged?.entry.value,
          does: merged?.isToWrite ? 'write' : merged?.isTaken ? 'take' : 'nothing',
          ...(merged?.lost && { lost: merged.lost.value }),
        },
        expected,
      )
    })

  it('has nothing to do the second time, and both sides agree', () => {
    const anyEntry = fc
      .tuple(fc.constantFrom('x', 'y', 'z'), fc.subarray(['p', 'q', 'x', 'y']), fc.nat(3))
      .map(([change, past, at]) =>
        entry(
          change,
          past.filter(one => one !== change),
          at,
        ),
      )
    fc.assert(
      fc.property(anyEntry, anyEntry, (held, stored) => {
        fc.pre(!(held.past.includes(stored.change) && stored.past.includes(held.change)))
        fc.pre(held.change !== stored.change || held.at === stored.at)
        const mine = mergeEntry(held, stored)
        const again = mine && mergeEntry(mine.entry, mine.isToWrite ? mine.entry : stored)
        assert.deepEqual([again?.isToWrite, again?.isTaken, again?.lost], [false, false, null])
        const theirs = mine && mergeEntry(stored, mine.entry)
        assert.equal(theirs?.entry.value, mine?.entry.value)
      }),
    )
  })

  it('remembers a bounded past', () => {
    let last = first
    for (let i = 0; i < 100; i++) last = changed(last, { change: `${i}`, by: 'a', at: i, value: '' })
    assert.deepEqual([last.past.length, last.past[0]], [MOST_PAST, '98'])
  })
})
