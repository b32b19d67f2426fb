import assert from 'node:assert/strict'
import { summaryOf } from '../../../src/core/alert-rules.js'

describe('the summary of an alert', () => {
  it('names the Redis and what is wrong with it', () => {
    const msg = 'Redis cannot be used'
    const detail = 'it does not answer in time'
    assert.equal(
      summaryOf({ msg, redis: '[::1]:6379', reason: 'silent', detail }),
      `${msg} ([::1]:6379): ${detail}`,
    )
    assert.equal(
      summaryOf({ msg: 'Redis can be used again', redis: '[::1]:6379' }),
      'Redis can be used again ([::1]:6379)',
    )
  })
})
