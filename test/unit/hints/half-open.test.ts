import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { ListedConnection } from '../../../src/core/half-open.js'
import { HalfOpen } from '../../../src/hints/half-open.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'

const WEB = 'tcp [2001:db8::80]:80'
const waiting = (real: string, count: number): ListedConnection[] =>
  Array.from({ length: count }, () => ({ service: WEB, real, state: 'SYN_RECV', expires: 50 }))

function rig(
  pieces: (ListedConnection[] | Error)[],
  { isEnd = true, known = ['a', 'b'], upFor = (): number => 1000, wake = 0.1, cost = 0 } = {},
) {
  const clock = new FakeClock()
  const hints: string[] = []
  let [reads, closes, asks] = [0, 0, 0]
  const watch = new HalfOpen({
    clock,
    log: recordingLog().log,
    list: {
      read() {
        clock.pass(cost)
        const piece = pieces[Math.min(reads++, pieces.length - 1)] ?? []
        if (piece instanceof Error) throw piece
        return { connections: piece, isEnd }
      },
      close: () => void closes++,
    },
    jobsOf: (service, real) => (service === WEB && known.includes(real) ? [`check of ${real}`] : []),
    wake,
    upFor: () => {
      asks++
      return upFor()
    },
    onHint: (ids, { kind, detail }) => void hints.push(`${ids} ${kind}: ${detail}`),
  })
  const wind = async (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock.wind(1000)
      await setImmediate()
    }
    return hints.splice(0)
  }
  return { watch, wind, clock, reads: () => reads, closes: () => closes, asks: () => asks }
}

describe('half-open: hints', () => {
  const told = `check of a half-open: 6 connections of clients to ${WEB} without an answer`

  it('are given once a server has connections without an answer, and again after ten seconds', async () => {
    const { wind } = rig([[], waiting('a', 6)])
    assert.deepEqual(await wind(1), [])
    assert.deepEqual(await wind(1), [told])
    assert.deepEqual(await wind(9), [])
    assert.deepEqual(await wind(1), [told])
  })

  it('are not given for connections from before the server was up, which is asked once in a look', async () => {
    for (const [upFor, expected] of [
      [9, []],
      [10, [told]],
    ] as const) {
      const { wind, asks } = rig([waiting('a', 6)], { upFor: () => upFor })
      assert.deepEqual(await wind(3), expected)
      assert.equal(asks(), 3)
    }
  })

  it('are not given for a server that has come back since the first look at a long list', async () => {
    for (const [upFor, expected] of [
      [8, 0],
      [10, 1],
    ] as const) {
      const up = [...Array<number>(9).fill(1000), upFor]
      const { wind } = rig([waiting('a', 1)], { isEnd: false, upFor: () => up.shift() ?? 0 })
      assert.equal((await wind(10)).length, expected)
    }
  })

  it('are not given for a server that lvsd does not have in service', async () => {
    const { wind } = rig([waiting('a', 6)], { known: [] })
    assert.deepEqual(await wind(3), [])
  })

  it('follow from ten pieces of a long list together', async () => {
    const { wind } = rig([waiting('a', 1)], { isEnd: false })
    assert.deepEqual(await wind(9), [])
    assert.deepEqual(await wind(1), [told.replace('6', '10')])
  })

  it('count no connection twice where a long list is read from its start after an error', async () => {
    const { wind } = rig([waiting('a', 4), new Error('ENOMEM'), waiting('a', 4), []], { isEnd: false })
    assert.deepEqual(await wind(20), [])
  })

  it('read a long list from its start again after ten pieces', async () => {
    const { wind, closes } = rig([[]], { isEnd: false })
    await wind(9)
    assert.equal(closes(), 0)
    await wind(1)
    assert.equal(closes(), 1)
  })

  it('come so much later that they take 0.05 % of a processor, with what it takes to wake up', async () => {
    for (const [wake, cost, expected] of [
      [0.1, 0.3, 100],
      [0.6, 0.4, 50],
      [0.1, 2.4, 20],
    ] as const) {
      const { wind, reads } = rig([[]], { wake, cost })
      // The first ones do not count.
      await wind(20)
      const before = reads()
      await wind(100)
      assert.ok(Math.abs(reads() - before - expected) <= 1, `${reads() - before}`)
    }
  })

  it('wait for a second where the list cannot be read, then twice as long each time, up to a minute', async () => {
    const { wind, reads } = rig([...Array<Error>(8).fill(new Error('ENOENT')), waiting('a', 6)])
    // 1 second to the first look, and after it 1, 2, 4, 8, 16, 32, 60 and 60.
    assert.deepEqual(await wind(183), [])
    assert.equal(reads(), 8)
    assert.deepEqual(await wind(1), [told])
  })

  it('end with the watch', async () => {
    const { wind, watch, clock, reads } = rig([waiting('a', 6)])
    await watch.close()
    await wind(20)
    assert.deepEqual([reads(), clock.alarms], [0, 0])
  })
})
