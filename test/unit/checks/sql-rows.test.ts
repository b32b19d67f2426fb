import assert from 'node:assert/strict'
import { rowsFor, type SqlOptions } from '../../../checks/lib/sql.js'

/** The verdict on as many rows of this text, and the milliseconds it took. */
function judged(receive: string, text: string, count = 1500) {
  const rows = rowsFor({ request: 'SELECT 1', receive, text: null } as SqlOptions)
  const startedAt = performance.now()
  // A library delivers the rest of a packet even where no further row is wanted.
  for (let i = 0; i < count; i++) rows.add(`${text}${i}!`)
  return { ...rows.end(), ms: performance.now() - startedAt }
}

describe('sql-rows: the rows of an SQL answer', () => {
  it('are searched in linear time, however many there are', () => {
    const { reason, ms } = judged('(a+)+$', 'a'.repeat(40))
    assert.equal(reason, 'unexpected')
    assert(ms < 5000, `${ms} ms`)
  })

  it('share one budget, where an expression has a time limit', () => {
    const { reason, detail, ms } = judged('(a+)+\\1$', 'a'.repeat(40))
    assert.equal(reason, 'error')
    assert.match(detail, /too expensive to match/)
    assert(ms < 5000, `${ms} ms`)
  })
})
