import assert from 'node:assert/strict'
import { pause } from '../../../src/util/pause.js'

describe('pause', () => {
  it('ends after its time', async () => {
    const start = performance.now()
    await pause(20, new AbortController().signal)
    assert.ok(performance.now() - start >= 19)
  })

  it('ends at once when the signal is aborted, before it or meanwhile', async () => {
    await pause(60_000, AbortSignal.abort())
    const controller = new AbortController()
    const paused = pause(60_000, controller.signal)
    controller.abort()
    await paused
  })
})
