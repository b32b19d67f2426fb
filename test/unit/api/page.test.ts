import assert from 'node:assert/strict'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'
import { onCleanup } from '../../support/after-each.js'

/** A copy of its own, which other tests do not ask. */
const COPY = '../../../src/api/page.js?copy'

/** Replaces what reads a file. */
function reading(read: () => Buffer): void {
  const { mock: replaced } = mock.method(fs, 'readFileSync', read)
  syncBuiltinESMExports()
  onCleanup(() => {
    replaced.restore()
    syncBuiltinESMExports()
  })
}

function failed(code: string): Error {
  return Object.assign(new Error(code), { code })
}

describe('page: its files', () => {
  it('are read again by the next request where they could not be read, and then no more', async () => {
    const { pageFile } = (await import(COPY)) as typeof import('../../../src/api/page.js')
    const name = 'index.html'
    const answers = [failed('EMFILE'), failed('ENOENT'), Buffer.from('text')]
    reading(() => {
      const next = answers.shift()
      assert.ok(next)
      if (next instanceof Error) throw next
      return next
    })
    assert.throws(() => pageFile(name), { code: 'EMFILE' })
    assert.equal(pageFile(name), null)
    assert.equal(pageFile(name)?.body.toString(), 'text')
    assert.equal(pageFile(name)?.body.toString(), 'text')
  })
})
