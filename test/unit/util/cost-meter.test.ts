import assert from 'node:assert/strict'
import { CostMeter } from '../../../src/util/cost-meter.js'

/** What a meter says after work between each two of these moments, in milliseconds. */
function total(...moments: readonly (readonly [wall: number, cpu: number])[]): number {
  const left = [...moments]
  const meter = new CostMeter(() => {
    const [wall = 0, cpu = 0] = left.shift() ?? []
    return { wall, cpu }
  })
  while (left.length > 0) {
    meter.start()
    meter.stop()
  }
  return meter.total
}

describe('cost-meter', () => {
  it('counts the lower of the time that passed and the processor time', () => {
    assert.equal(total([0, 0], [0, 0], [9, 2], [10, 2], [13, 12]), 2 + 3)
  })

  it('counts the time that passed where the processor time stands still, as in a kernel that counts ticks', () => {
    assert.equal(total([0, 0], [0, 0], [1, 0], [10, 0], [11, 10]), 1 + 1)
  })
})
