import assert from 'node:assert/strict'
import { shared } from '../../../src/api/shared-answer.js'

describe('shared-answer: an answer for all who ask at once', () => {
  function stage(took: number) {
    const clock = { now: 0 }
    const made: ((failure?: Error) => void)[] = []
    const answers = shared(
      () =>
        new Promise<number>((resolve, reject) => {
          const number = made.length
          made.push(failure => {
            clock.now += took
            failure ? reject(failure) : resolve(number)
          })
        }),
      () => clock.now,
    )
    return { clock, made, answers }
  }

  it('is made once while it is being made, and again after twice the time that it took', async () => {
    const { clock, made, answers } = stage(100)
    const both = [answers.get(), answers.get()]
    made[0]?.()
    assert.deepEqual(await Promise.all(both), [0, 0])
    clock.now += 199
    assert.equal(await answers.get(), 0)
    clock.now += 1
    const next = answers.get()
    made[1]?.()
    assert.equal(await next, 1)
  })

  it('is never older than half a second', async () => {
    const { clock, made, answers } = stage(5000)
    const first = answers.get()
    made[0]?.()
    await first
    clock.now += 500
    void answers.get()
    assert.equal(made.length, 2)
  })

  it('is made anew after a failure, and where it is forgotten', async () => {
    const { made, answers } = stage(100)
    const first = answers.get()
    made[0]?.(new Error('no table'))
    await assert.rejects(first, /no table/)
    const second = answers.get()
    made[1]?.()
    assert.equal(await second, 1)
    answers.forget()
    void answers.get()
    assert.equal(made.length, 3)
  })
})
