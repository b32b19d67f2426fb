import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { Lifecycle } from '../../../src/director/lifecycle.js'
import { recordingLog } from '../../support/logs.js'

describe('Lifecycle', () => {
  it('stops in reverse, one after the other, and once', async () => {
    const stopped: string[] = []
    const lifecycle = new Lifecycle(recordingLog().log)
    lifecycle.add('kernel', () => stopped.push('kernel'))
    lifecycle.add('checks', async () => {
      await setImmediate()
      stopped.push('checks')
    })
    await lifecycle.stop()
    await lifecycle.stop()
    assert.deepEqual(stopped, ['checks', 'kernel'])
  })

  it('stops the rest where one fails, and says which', async () => {
    const { log, lines } = recordingLog()
    const stopped: string[] = []
    const lifecycle = new Lifecycle(log)
    lifecycle.add('kernel', () => stopped.push('kernel'))
    lifecycle.add('journal', async () => Promise.reject(new Error('full disk')))
    lifecycle.add('checks', () => {
      throw new Error('hangs')
    })
    await lifecycle.stop()
    assert.deepEqual(stopped, ['kernel'])
    assert.deepEqual(
      lines.map(({ event, error, msg }) => [event, error, msg]),
      [
        ['stop.failed', 'hangs', 'stopping: checks'],
        ['stop.failed', 'full disk', 'stopping: journal'],
      ],
    )
  })
})
