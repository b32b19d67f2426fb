import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { Repeating } from '../../../src/util/interval-timers.js'
import { later } from '../../support/after-each.js'

function repeating(): Repeating {
  const rounds = new Repeating()
  later(() => rounds.stop())
  return rounds
}

describe('repeated work', () => {
  it('comes again and again', async () => {
    let times = 0
    const rounds = repeating()
    await new Promise<void>(resolve => {
      rounds.set('work', 1, async () => {
        if (++times === 3) resolve()
      })
    })
    assert.equal(times, 3)
  })

  it('is replaced under its name, also while a round is under way', async () => {
    const rounds = repeating()
    const done: string[] = []
    let finish = () => {}
    const first = new Promise<void>(resolve => {
      rounds.set('work', 1, () => {
        done.push('old')
        resolve()
        return new Promise<void>(end => {
          finish = end
        })
      })
    })
    await first
    rounds.set('work', 5, async () => void done.push('new'))
    finish()
    await setTimeout(40)
    assert.equal(done.filter(word => word === 'old').length, 1)
    assert.ok(done.filter(word => word === 'new').length >= 1)
  })

  it('ends with stop', async () => {
    let times = 0
    const rounds = repeating()
    rounds.set('work', 1, async () => void times++)
    rounds.stop()
    rounds.set('late', 1, async () => void times++)
    await setTimeout(10)
    assert.equal(times, 0)
  })
})
