import assert from 'node:assert/strict'
import type { CheckWork } from '../../../../src/check/run-code.js'
import { openExecutors } from '../../../../src/schedule/executors.js'
import { onCleanup } from '../../../support/after-each.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { address } from '../../../support/tables.js'

function workFor(port: number): CheckWork {
  const target = { address: address('::1'), port }
  const probe = { kind: 'tcp', ...target, send: new Uint8Array(), end: false, reset: false } as const
  return {
    check: {
      name: 'connect',
      summary: '',
      options: () => ({}),
      probe: () => ({ ...probe, judge: { kind: 'connected' } }),
    },
    target: target as CheckWork['target'],
    options: {},
  }
}

describe('engine: the executors', () => {
  it('keep interval and grid of the jobs of a thread that is given up', () => {
    const clock = new FakeClock()
    const executors = openExecutors(() => {}, 100, { engine: 'native', clock })
    onCleanup(() => executors.close())
    const timing = { interval: 60_000, timeout: 1000 }
    executors.set('a', workFor(1), { ...timing, firstIn: 1000 })
    // The starts are at 4, 11, 18, 25, 32, 39 seconds.
    clock.wind(1000)
    executors.retime('a', { ...timing, interval: 7000, firstIn: 3000, grid: 3000 })
    // The thread has not turned for 30 seconds.
    clock.wind(34_000)
    const { in: ms = 0 } = executors.next('a') ?? {}
    assert.ok(Math.abs(ms - 4000) <= 100, `${ms}`)
  })
})
