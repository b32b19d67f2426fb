import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isUnanswered, pilesOf } from '../../../src/core/half-open.js'

describe('half-open: a connection without an answer', () => {
  const cases: [string, string, number, boolean][] = [
    ['is one whose SYN came two seconds ago', 'SYN_RECV', 58, true],
    ['is one that waits for long', 'SYN_RECV', 3, true],
    ['is none whose SYN has just come', 'SYN_RECV', 59, false],
    ['is none that is established', 'ESTABLISHED', 10, false],
    ['is none that is closed', 'FIN_WAIT', 10, false],
  ]
  for (const [what, state, expires, expected] of cases)
    it(what, () => assert.equal(isUnanswered({ state, expires }), expected))

  it('is none whose SYN came before its server was up', () => {
    const connection = { state: 'SYN_RECV', expires: 40 }
    assert.deepEqual(
      [5, 19.9, 20, 3600].map(seconds => isUnanswered(connection, seconds)),
      [false, false, true, true],
    )
  })
})

describe('half-open: a server whose connections pile up', () => {
  const piles = (reals: Record<string, number>) =>
    pilesOf(new Map([['web', new Map(Object.entries(reals))]])).map(({ real, count }) => `${real} ${count}`)

  const cases: [string, Record<string, number>, string[]][] = [
    ['is one of which the others have none', { a: 5, b: 0, c: 0 }, ['a 5']],
    ['is one that has many times as many as the others', { a: 40, b: 9, c: 8 }, ['a 40']],
    ['is the only server', { a: 5 }, ['a 5']],
    ['may be two of five', { a: 9, b: 0, c: 12, d: 1, e: 0 }, ['a 9', 'c 12']],
    ['is none with few of them', { a: 4, b: 0 }, []],
    ['is none while all have as many, as with a SYN flood', { a: 900, b: 870, c: 910 }, []],
  ]
  for (const [what, reals, expected] of cases) it(what, () => assert.deepEqual(piles(reals), expected))

  it('is never more than half of the servers of a service with several', () => {
    const counts = fc.array(fc.nat(1000), { minLength: 2, maxLength: 20 })
    fc.assert(
      fc.property(counts, all => {
        const found = piles(Object.fromEntries(all.map((count, i) => [`r${i}`, count])))
        assert.ok(found.length <= all.length / 2 + 0.5, `${found}`)
      }),
    )
  })

  it('has four times the median of the others, whoever has as many', () => {
    const counts = fc.array(fc.nat(60), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(counts, all => {
        const isPile = (count: number, own: number) => {
          const others = all.filter((_, i) => i !== own).sort((a, b) => a - b)
          return count >= 5 && count >= 4 * (others[(others.length - 1) >> 1] ?? 0)
        }
        const expected = all.flatMap((count, i) => (isPile(count, i) ? [`r${i} ${count}`] : []))
        assert.deepEqual(piles(Object.fromEntries(all.map((count, i) => [`r${i}`, count]))), expected)
      }),
    )
  })

  it('is compared with the servers of its own service', () => {
    const counts = new Map([
      [
        'web',
        new Map([
          ['a', 6],
          ['b', 0],
        ]),
      ],
      [
        'mail',
        new Map([
          ['a', 7],
          ['b', 7],
        ]),
      ],
    ])
    assert.deepEqual(pilesOf(counts), [{ service: 'web', real: 'a', count: 6 }])
  })
})
