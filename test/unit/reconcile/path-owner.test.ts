/** The numbers of running lvsd, by abstract names of real sockets. */
import assert from 'node:assert/strict'
import { PathOwner, runningOwners } from '../../../src/reconcile/path-owner.js'
import { onCleanup } from '../../support/after-each.js'

function pathOwner(): PathOwner {
  const owner = new PathOwner()
  onCleanup(() => owner.close())
  return owner
}

describe('the number by which an lvsd signs marked services', () => {
  it('is its own while it runs, and is free after its end', () => {
    const first = pathOwner()
    const number = first.take(undefined)
    assert.ok(number !== undefined)
    assert.equal(first.take(3), number, 'it stays the same')
    assert.ok(runningOwners()?.has(number))
    first.close()
    assert.equal(runningOwners()?.has(number), false)
    assert.equal(pathOwner().take(number), number, 'the next start goes on with it')
  })

  it('is another one where another lvsd has that of before, as with a copied journal', () => {
    const number = pathOwner().take(undefined)
    const second = pathOwner().take(number)
    assert.ok(second !== undefined && second !== number)
    assert.ok(runningOwners()?.has(second))
  })
})
