import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'
import { runSliced, runSync, type Sliced } from '../../../src/util/time-slice.js'

/** Each piece takes a millisecond of `clock`. */
function* busy(pieces: number, clock: { now: number }): Sliced<number> {
  for (let i = 0; i < pieces; i++) {
    clock.now++
    yield
  }
  return pieces
}

/** How often the event loop came round meanwhile. */
async function turnsDuring<T>(work: Promise<T>): Promise<{ result: T; turns: number }> {
  let turns = 0
  let isOver = false
  const count = () => {
    turns++
    if (!isOver) setImmediate(count)
  }
  setImmediate(count)
  const result = await work
  isOver = true
  return { result, turns }
}

describe('time-slice: work in pieces', () => {
  it('yields to the event loop between pieces, with the same result', async () => {
    const clock = { now: 0 }
    const { result, turns } = await turnsDuring(runSliced(busy(100, clock), () => clock.now))
    assert.equal(result, runSync(busy(100, clock)))
    assert.ok(turns >= 9 && turns <= 13, `${turns} turns`)
  })

  it('is used to read a configuration with thousands of servers', async () => {
    const reals = (n: number) => Array.from({ length: 100 }, (_, i) => `      - '[fd00:${n}::${i + 1}]:80'`)
    const services = Array.from({ length: 50 }, (_, n) => [
      `  web${n}:`,
      `    virtual: '[2001:db8::${n + 1}]:80'`,
      '    check: none',
      '    reals:',
      ...reals(n),
    ])
    const text = ['services:', ...services.flat()].join('\n')
    const { result, turns } = await turnsDuring(loadConfig('big.yaml', { text }))
    assert.deepEqual(result.problems, [])
    assert.equal(result.config?.services.length, 50)
    assert.ok(turns >= 8, `${turns} turns`)
  })
})
