import assert from 'node:assert/strict'
import { HeldResults } from '../../../src/director/held-results.js'
import { failed, passed } from '../../support/tables.js'

describe('held results: those of a start, before the table has been read', () => {
  it('are handed on in their order, and later ones at once', () => {
    const seen: string[] = []
    const held = new HeldResults((id, { ok }) => seen.push(`${id} ${ok}`))
    held.take('a', failed())
    held.take('b', passed())
    held.take('a', passed())
    assert.deepEqual(seen, [])
    held.release()
    assert.deepEqual(seen.splice(0), ['a false', 'b true', 'a true'])
    held.take('a', failed())
    held.release()
    assert.deepEqual(seen, ['a false'])
  })
})
