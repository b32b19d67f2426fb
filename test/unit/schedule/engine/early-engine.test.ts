import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  dropEarlyEngine,
  openEngineEarly,
  takeEarlyEngine,
} from '../../../../src/schedule/engine/early-engine.js'
import { EngineHost } from '../../../../src/schedule/engine/engine-host.js'
import type { Report } from '../../../../src/schedule/engine/protocol.js'
import { openExecutors } from '../../../../src/schedule/executors.js'
import { systemClock } from '../../../../src/util/clock.js'
import { onCleanup } from '../../../support/after-each.js'
import { until } from '../../../support/until.js'

function openHost() {
  const reports: Report['kind'][] = []
  const host = new EngineHost({
    clock: systemClock,
    cap: 10,
    hasSources: false,
    onReport: ({ kind }) => void reports.push(kind),
    onRestart: why => assert.fail(why),
    onGivenUp: why => assert.fail(why),
  })
  onCleanup(() => host.close())
  return { host, reports }
}

const runs = (host: EngineHost) => (host.shared.counts[0] ?? 0) > 0

describe('engine: a thread that is opened early', () => {
  it('is the thread of the engine that is opened next, and of no other', async () => {
    const early = openEngineEarly()
    const { host } = openHost()
    assert.ok(early)
    assert.equal(host.shared, early.shared)
    assert.equal(takeEarlyEngine(), null)
    await until(() => runs(host))
    const { host: other } = openHost()
    assert.notEqual(other.shared, early.shared)
    await until(() => runs(other))
  })

  it('is opened once', async () => {
    const early = openEngineEarly()
    assert.equal(openEngineEarly(), early)
    await dropEarlyEngine()
  })

  it("ends where checks run on Node's sockets", async () => {
    const early = openEngineEarly()
    assert.ok(early)
    const ended = once(early.worker, 'exit')
    onCleanup(openExecutors(() => {}, 10, { engine: 'portable' }).close)
    assert.equal(takeEarlyEngine(), null)
    assert.deepEqual(await ended, [0])
  })

  it('is not taken after it has ended', async () => {
    const early = openEngineEarly()
    assert.ok(early)
    await early.worker.terminate()
    assert.equal(takeEarlyEngine(), null)
  })
})
