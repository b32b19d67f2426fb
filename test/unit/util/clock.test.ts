import assert from 'node:assert/strict'
import { steadyNow, WallClock } from '../../../src/util/clock.js'

describe('clock: the wall clock', () => {
  const hour = 3_600_000
  const stage = () => {
    const times = { wall: 10 * hour, steady: 10 * hour }
    return {
      times,
      clock: new WallClock(
        () => times.wall,
        () => times.steady,
      ),
    }
  }

  it('converts a monotonic time by the current wall clock', () => {
    const { times, clock } = stage()
    const moment = times.steady
    assert.equal(clock.at(moment), 10 * hour)
    times.steady += hour
    times.wall = 2 * hour
    assert.equal(times.wall - clock.at(moment), hour, 'an hour ago, although the clock has been put back')
  })

  it('returns the same date after a small correction of the clock', () => {
    const { times, clock } = stage()
    const moment = times.steady
    for (let i = 0; i < 9; i++) {
      times.steady += hour
      times.wall += hour + 100
      assert.equal(clock.at(moment), 10 * hour)
    }
  })

  it('agrees with the clock of the system in this process', () => {
    assert.ok(Math.abs(steadyNow() - Date.now()) < 60_000)
  })
})
