import assert from 'node:assert/strict'
import { counted } from '../../../src/util/plural.js'

describe('plural: a number of things', () => {
  it('uses the singular only for one', () => {
    assert.deepEqual(
      [0, 1, 2].map(number => counted(number, 'real server')),
      ['0 real servers', '1 real server', '2 real servers'],
    )
  })
})
