/** Against whom the growth of the process is held. */
import assert from 'node:assert/strict'
import { MemoryWatch, type Watched } from '../../src/workers/memory-watch.js'

class PlayedWorker implements Watched {
  isReady = true
  silence = 0
  stood = 0
  told = 10
  isEnded = false
  readonly limit = 192

  end(): void {
    this.isEnded = true
  }
}

function rig(...workers: PlayedWorker[]) {
  const facts = { resident: 200, core: 50 }
  const watch = new MemoryWatch({ resident: () => facts.resident, core: () => facts.core })
  return { facts, look: () => watch.look(workers) }
}

function fallSilent(worker: PlayedWorker, stood: number): void {
  worker.silence = Math.max(100, stood)
  worker.stood = stood
}

describe('the watch on memory', () => {
  it('ends the silent worker that fills it', () => {
    const [culprit, other] = [new PlayedWorker(), new PlayedWorker()]
    const { facts, look } = rig(culprit, other)
    look()
    fallSilent(culprit, 100)
    facts.resident += 190
    look()
    assert.deepEqual([culprit.isEnded, other.isEnded], [true, false])
  })

  it('ends nobody who waits for a processor', () => {
    const starved = new PlayedWorker()
    const { facts, look } = rig(starved)
    look()
    fallSilent(starved, 10)
    facts.resident += 500
    look()
    assert.equal(starved.isEnded, false)
  })

  it('ends nobody for what the core grows by', () => {
    const worker = new PlayedWorker()
    const { facts, look } = rig(worker)
    look()
    fallSilent(worker, 100)
    facts.resident += 270
    facts.core += 90
    look()
    assert.equal(worker.isEnded, false)
  })

  it('ends nobody for what others say that they hold, or for workers that begin', () => {
    const [worker, other, fresh] = [new PlayedWorker(), new PlayedWorker(), new PlayedWorker()]
    fresh.isReady = false
    const { facts, look } = rig(worker, other, fresh)
    other.told = 50
    look()
    fallSilent(worker, 100)
    facts.resident += 280
    other.told += 60
    fresh.isReady = true
    look()
    assert.equal(worker.isEnded, false)
  })

  it('does not count what was there when the worker was last heard', () => {
    const worker = new PlayedWorker()
    const { facts, look } = rig(worker, new PlayedWorker())
    for (let i = 0; i < 10; i++) {
      worker.silence = 0
      worker.stood = 0
      look()
      fallSilent(worker, 100)
      facts.resident += 150
      look()
    }
    assert.equal(worker.isEnded, false)
  })

  it('lets a worker grow to what it may hold', () => {
    const worker = new PlayedWorker()
    const { facts, look } = rig(worker)
    look()
    fallSilent(worker, 100)
    facts.resident += 150
    look()
    assert.equal(worker.isEnded, false)
    facts.resident += 50
    look()
    assert.equal(worker.isEnded, true)
  })
})
