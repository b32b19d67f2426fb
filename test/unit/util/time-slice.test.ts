import assert from 'node:assert/strict'
import { loadConfig } from '../../../src/config/load.js'
import { runSliced, runSync, type Sliced } from '../../../src/util/time-slice.js'

function* busy(pieces: number, ms: number): Sliced<number> {
  for (let i = 0; i < pieces; i++) {
    const end = performance.now() + ms
    while (performance.now() < end);
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
  it('gives others their turn every few pieces, and comes to the same', async () => {
    const { result, turns } = await turnsDuring(runSliced(busy(100, 1)))
    assert.equal(result, runSync(busy(100, 0)))
    assert.ok(turns >= 3 && turns <= 20, `${turns} turns`)
  })

  it('is the reading of a configuration of thousands', async () => {
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
