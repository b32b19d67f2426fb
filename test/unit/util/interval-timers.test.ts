import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { IntervalTimers } from '../../../src/util/interval-timers.js'
import { FakeClock } from '../../support/fake-clock.js'

function stage() {
  const clock = new FakeClock()
  const done: string[] = []
  /** Lets `ms` go by one by one, each with the rounds that end in it. */
  const wind = async (ms: number) => {
    for (let i = 0; i < ms; i++) {
      clock.wind(1)
      await setImmediate()
    }
  }
  return { rounds: new IntervalTimers(clock), clock, done, wind }
}

describe('IntervalTimers', () => {
  it('does its work again and again, a pause after each round', async () => {
    const { rounds, done, wind } = stage()
    rounds.set('work', 10, async () => void done.push('work'))
    await wind(9)
    assert.deepEqual(done, [])
    await wind(1)
    assert.deepEqual(done, ['work'])
    await wind(20)
    assert.deepEqual(done, ['work', 'work', 'work'])
  })

  it('begins no round while one is under way', async () => {
    const { rounds, done, wind } = stage()
    const ends: (() => void)[] = []
    rounds.set('work', 1, () => {
      done.push('work')
      return new Promise<void>(resolve => ends.push(resolve))
    })
    await wind(100)
    assert.deepEqual(done, ['work'])
    ends[0]?.()
    await wind(100)
    assert.deepEqual(done, ['work', 'work'])
  })

  it('replaces work under its name, also while a round is under way', async () => {
    const { rounds, done, wind } = stage()
    let finish = () => {}
    rounds.set('work', 1, () => {
      done.push('old')
      return new Promise<void>(end => {
        finish = end
      })
    })
    await wind(1)
    rounds.set('work', 5, async () => void done.push('new'))
    finish()
    await wind(10)
    assert.deepEqual(done, ['old', 'new', 'new'])
  })

  it('stops for good, also what is set onCleanup', async () => {
    const { rounds, clock, done, wind } = stage()
    rounds.set('work', 1, async () => void done.push('work'))
    rounds.stop()
    rounds.set('late', 1, async () => void done.push('late'))
    assert.equal(clock.alarms, 0)
    await wind(1000)
    assert.deepEqual(done, [])
  })

  it('begins nothing any more where a round outlasts the stop', async () => {
    const { rounds, clock, done, wind } = stage()
    let finish = () => {}
    rounds.set('work', 1, () => {
      done.push('work')
      return new Promise<void>(end => {
        finish = end
      })
    })
    await wind(1)
    rounds.stop()
    finish()
    await wind(1000)
    assert.deepEqual([done, clock.alarms], [['work'], 0])
  })
})
