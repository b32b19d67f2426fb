import assert from 'node:assert/strict'
import { MAX_WEIGHT } from '../../../src/core/model.js'
import { weightFrom } from '../../../src/core/weight-hint.js'

describe('weight-hint: the weight that checks advise', () => {
  it('is the configured one without advice, and else the lowest advised', () => {
    assert.equal(weightFrom(4, []), 4)
    assert.equal(weightFrom(4, [{ percent: 50 }, { weight: 3 }]), 2)
  })

  it('is at most what the kernel accepts', () => {
    assert.equal(weightFrom(MAX_WEIGHT, [{ percent: 200, most: { percent: 1000 } }]), MAX_WEIGHT)
    assert.equal(weightFrom(1, [{ weight: MAX_WEIGHT + 1 }]), MAX_WEIGHT)
  })
})
