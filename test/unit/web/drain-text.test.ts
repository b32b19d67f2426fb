import assert from 'node:assert/strict'
import { drainText } from '../../../src/web/drain-text.js'

type Service = Parameters<typeof drainText>[0]

const serviceOf = (weights: readonly (number | null)[]) =>
  ({
    name: 'web',
    fallback: null,
    reals: weights.map((wanted, i) => ({ name: `[::1]:${i}`, weight: { wanted }, counters: { active: i } })),
  }) as unknown as Service

describe('the text before a drain', () => {
  for (const [phrase, weights, expected] of [
    ['all', [1, 2, 3], 'The weights of 3 real servers change to 0.'],
    ['one of three', [null, 0, 2], 'The weight of 1 of 3 real servers changes to 0.'],
    ['two of three', [1, 0, 2], 'The weights of 2 of 3 real servers change to 0.'],
    ['none', [null, 0], 'No weight changes: no real server has one above 0.'],
    ['a single one', [2], 'Its weight changes from 2 to 0.'],
    ['a single one of weight 0', [0], 'Its weight is 0 already.'],
    ['a single one that is down', [null], 'It is not in the table; when it comes back, its weight is 0.'],
  ] as const)
    it(`counts the weights that change: ${phrase}`, () => {
      const service = serviceOf(weights)
      assert.ok(drainText(service, service.reals).startsWith(expected), drainText(service, service.reals))
    })

  it('names who serves afterwards, without those that are down', () => {
    const service = serviceOf([2, 1, null])
    assert.match(
      drainText(service, service.reals.slice(0, 1)),
      /New connections go to the other 1 real server\.$/,
    )
  })
})
