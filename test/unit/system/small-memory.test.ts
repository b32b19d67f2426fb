import assert from 'node:assert/strict'
import { firstResultsIn } from '../../../src/system/small-memory.js'

describe('small-memory', () => {
  it('waits for the first results as long as the start has taken, within limits', () => {
    assert.deepEqual([300, 4000, 60_000].map(firstResultsIn), [2000, 4000, 10_000])
  })
})
