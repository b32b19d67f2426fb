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

  it('has the first error of a configuration, unless the sentence has it', () => {
    const msg = 'reload refused: 2 errors in the file; the running configuration stays'
    const detail = 'site.yaml:7:20 there is no check "htpp"'
    assert.equal(summaryOf({ msg, file: 'site.yaml', detail }), `${msg}: ${detail}`)
    const gone = 'site.yaml: there is no such file'
    const told = `reload refused: ${gone}; the running configuration stays`
    assert.equal(summaryOf({ msg: told, file: 'site.yaml', detail: gone }), told)
  })
})
