import assert from 'node:assert/strict'
import { wakeCost } from '../../../src/util/wake-cost.js'

/** What a wake-up costs by a clock whose readings take so long, in milliseconds. */
function costBy(...readings: readonly number[]): string {
  let now = 1000
  let i = 0
  return wakeCost(() => {
    now += readings[i++ % readings.length] ?? 0
    return now
  }).toFixed(3)
}

describe('wake-cost', () => {
  it('is 0.13 ms where the clock is read at once', () => {
    assert.equal(costBy(0), '0.130')
    assert.equal(costBy(0.0001), '0.131')
  })

  it('grows with what a system call takes, where reading the clock is one', () => {
    assert.equal(costBy(0.055), '0.570')
  })

  it('takes the shortest of several readings, since others may have the processor meanwhile', () => {
    assert.equal(costBy(4, 0.055, 10, 0.06), '0.570')
  })

  it('is little on this machine', () => {
    assert.ok(wakeCost() < 1)
  })
})
