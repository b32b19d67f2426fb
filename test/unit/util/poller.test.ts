import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { Poller } from '../../../src/util/poller.js'
import { FakeClock } from '../../support/fake-clock.js'
import { recordingLog } from '../../support/logs.js'

function stage(work: () => unknown = () => {}) {
  const clock = new FakeClock()
  const { log, lines } = recordingLog()
  const state = { runs: 0 }
  const poller = new Poller(
    'work',
    () => {
      state.runs++
      return work()
    },
    { log, clock },
  )
  /** Lets `ms` go by one by one, each with the executions that end in it. */
  const wind = async (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.wind(1)
      await setImmediate()
    }
    return state.runs
  }
  return { poller, clock, lines, state, wind }
}

/** Work that goes on until it is ended. */
function longWork() {
  const ends: (() => void)[] = []
  const work = () => new Promise<void>(resolve => ends.push(resolve))
  return { work, end: () => ends.pop()?.() }
}

describe('poller: periodic work', () => {
  it('runs after each pause', async () => {
    const { poller, wind } = stage()
    poller.every(10)
    assert.deepEqual([await wind(9), await wind(1), await wind(20)], [0, 1, 3])
  })

  it('does not start while it is running, by timer or on request', async () => {
    const { work, end } = longWork()
    const { poller, state, wind } = stage(work)
    poller.every(1)
    assert.equal(await wind(100), 1)
    const both = [poller.now(), poller.now()]
    assert.equal(state.runs, 1)
    end()
    await Promise.all(both)
    assert.equal(await wind(100), 2)
  })

  it('runs at once on request, and the pause starts again at its end', async () => {
    const { poller, state, wind } = stage()
    poller.every(10)
    await wind(9)
    await poller.now()
    assert.deepEqual([state.runs, await wind(9), await wind(1)], [1, 1, 2])
  })

  it('runs only on request if no pause is set', async () => {
    const { poller, wind } = stage()
    await poller.now()
    assert.equal(await wind(100), 1)
  })

  it('uses a new pause at once, also while it is running', async () => {
    const { work, end } = longWork()
    const { poller, wind } = stage(work)
    poller.every(10)
    await wind(9)
    poller.every(3)
    assert.deepEqual([await wind(2), await wind(1)], [0, 1])
    poller.every(5)
    end()
    assert.deepEqual([await wind(5), await wind(1)], [1, 2])
  })

  it('logs a failure and runs again', async () => {
    for (const fail of [
      () => {
        throw new Error('broken')
      },
      () => Promise.reject(new Error('broken')),
    ]) {
      const { poller, lines, wind } = stage(fail)
      poller.every(1)
      assert.equal(await wind(2), 2)
      assert.deepEqual(
        lines.map(({ event, what }) => [event, what]),
        Array(2).fill(['poll.failed', 'work']),
      )
    }
  })

  it('does not run after a stop, even on request', async () => {
    const { poller, clock, wind } = stage()
    poller.every(1)
    await poller.stop()
    poller.every(1)
    await poller.now()
    assert.deepEqual([clock.alarms, await wind(100)], [0, 0])
  })

  it('makes the stop wait until it ends', async () => {
    const { work, end } = longWork()
    const { poller, clock, wind } = stage(work)
    poller.every(1)
    await wind(1)
    let isStopped = false
    const stopped = poller.stop().then(() => {
      isStopped = true
    })
    await wind(10)
    assert.equal(isStopped, false)
    end()
    await stopped
    assert.deepEqual([clock.alarms, await wind(100)], [0, 1])
  })
})
