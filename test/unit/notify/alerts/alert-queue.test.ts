import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { AlertReceiver } from '../../../../src/core/alert-receiver.js'
import type { Notice } from '../../../../src/notify/alerts/alert.js'
import { AlertQueue, alertMessage } from '../../../../src/notify/alerts/alert-queue.js'
import { systemClock } from '../../../../src/util/clock.js'
import { onCleanup } from '../../../support/after-each.js'
import { recordingLog } from '../../../support/logs.js'
import { until } from '../../../support/until.js'

describe('AlertQueue', () => {
  it('gives an attempt its time, however long the other directors are asked before', async () => {
    const timeout = 40
    const aborted: boolean[] = []
    const queue = new AlertQueue({
      clock: systemClock,
      now: Date.now,
      log: recordingLog().log,
      isKept: false,
      receiverOf: () => ({ timeout }) as AlertReceiver,
      async attempt(_receiver, _destination, _batch, signal) {
        aborted.push(signal.aborted)
        return { answer: '', fault: null, isWorthRetrying: false, wait: 0 }
      },
      claims: {
        host: 'a',
        async share(items) {
          await pause(2 * timeout)
          return { mine: items, told: [], waiting: [], printOf: () => undefined, end: async () => {} }
        },
      },
      settled: () => {},
    })
    onCleanup(() => queue.close(0))
    const notice = { status: 'firing', alert: { name: 'real.down' } } as unknown as Notice
    queue.enqueue(alertMessage('hook', { notices: [notice] }))
    await until(() => aborted.length > 0)
    assert.deepEqual(aborted, [false])
  })
})
