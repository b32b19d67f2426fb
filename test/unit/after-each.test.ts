/** What a test registers is closed after it, also in a file that Mocha imports because it awaits at its top, as this one does. */
import assert from 'node:assert/strict'
import { onCleanup } from '../support/after-each.js'

await Promise.resolve()
const closed: string[] = []

describe('onCleanup', () => {
  it('takes what is to be closed', () => {
    for (const what of ['server', 'connection']) onCleanup(() => closed.push(what))
    assert.deepEqual(closed, [])
  })

  it('has closed it after the test, the last first', () => {
    assert.deepEqual(closed, ['connection', 'server'])
  })
})
