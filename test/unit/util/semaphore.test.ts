import assert from 'node:assert/strict'
import { Semaphore } from '../../../src/util/semaphore.js'

const now = new AbortController().signal

describe('Semaphore', () => {
  it('grants its places, then the next ones in the order of the requests', async () => {
    const semaphore = new Semaphore(2)
    const order: string[] = []
    const come = async (name: string) => {
      assert.equal(await semaphore.acquire(), true)
      order.push(name)
    }
    const all = ['a', 'b', 'c', 'd'].map(come)
    await Promise.all(all.slice(0, 2))
    assert.deepEqual(order, ['a', 'b'])
    semaphore.release()
    await all[2]
    semaphore.release()
    await all[3]
    assert.deepEqual(order, ['a', 'b', 'c', 'd'])
  })

  it('rejects a request after its time limit, and reserves no place for it', async () => {
    const semaphore = new Semaphore(1)
    assert.equal(await semaphore.acquire(1000, now), true)
    assert.equal(await semaphore.acquire(5, now), false)
    const next = semaphore.acquire(1000, now)
    semaphore.release()
    assert.equal(await next, true)
    semaphore.release()
    assert.equal(await semaphore.acquire(0, now), true)
  })

  it('rejects a request when its signal is aborted', async () => {
    const semaphore = new Semaphore(1)
    await semaphore.acquire()
    const controller = new AbortController()
    const waits = semaphore.acquire(1000, controller.signal)
    controller.abort()
    assert.equal(await waits, false)
  })
})
