/** Workers that come down again and again cost little. */
import assert from 'node:assert/strict'
import { Starts } from '../../../src/workers/starts.js'
import { FakeClock } from '../../support/fake-clock.js'

describe('starts of workers', () => {
  it('are immediate for the first ones, then two a second', () => {
    const clock = new FakeClock()
    const starts = new Starts(clock)
    let count = 0
    const start = () => {
      while (starts.mayStart(start)) count++
    }
    start()
    assert.equal(count, 6)
    clock.wind(10_000)
    assert.ok(count >= 24 && count <= 27, String(count))
    starts.close()
    assert.equal(clock.alarms, 0)
  })
})
