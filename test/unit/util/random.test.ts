import assert from 'node:assert/strict'
import { exponential, randomAt, randomStream, streamOf } from '../../../src/util/random.js'

const MANY = 20_000

describe('random numbers of a seed', () => {
  const sample = (make: (i: number) => number) => Array.from({ length: MANY }, (_, i) => make(i))
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

  for (const [what, make] of [
    ['one stream', (i: number) => randomAt(streamOf(1, 0), i)],
    ['the first number of many streams', (i: number) => randomAt(streamOf(1, i), 0)],
    ['the first stream of many seeds', (i: number) => randomAt(streamOf(i, 0), 0)],
  ] as const)
    it(`are spread evenly: ${what}`, () => {
      const numbers = sample(make)
      const tenths = Array.from(
        { length: 10 },
        (_, i) => numbers.filter(n => Math.floor(n * 10) === i).length,
      )
      // Five standard deviations of a binomial distribution.
      const most = 5 * Math.sqrt(MANY * 0.1 * 0.9)
      for (const count of tenths) assert.ok(Math.abs(count - MANY / 10) < most, tenths.join())
      assert.ok(new Set(numbers).size > MANY * 0.999)
    })

  it('do not follow from the number before', () => {
    const random = randomStream(3)
    const numbers = sample(random)
    const products = numbers.slice(1).map((one, i) => (one - 0.5) * ((numbers[i] ?? 0) - 0.5))
    assert.ok(Math.abs(mean(products)) < 5 / 12 / Math.sqrt(MANY))
  })

  it('make samples of an exponential distribution', () => {
    const random = randomStream(4)
    const samples = sample(() => exponential(60, random()))
    assert.ok(Math.abs(mean(samples) - 60) < (5 * 60) / Math.sqrt(MANY))
    const above = samples.filter(ms => ms > 60).length / MANY
    assert.ok(Math.abs(above - Math.exp(-1)) < 0.02)
    assert.ok(samples.every(ms => ms >= 0 && Number.isFinite(ms)))
  })
})
