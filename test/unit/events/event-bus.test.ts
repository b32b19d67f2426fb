import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { type EventListener, openEventBus } from '../../../src/events/event-bus.js'
import { recordingLog } from '../../support/logs.js'
import { config } from '../../support/tables.js'

function bus(...listeners: EventListener[]) {
  const { log, lines } = recordingLog()
  return { events: openEventBus(listeners, log), lines }
}

describe('event-bus', () => {
  it('tells each listener in order, with its own methods and state', () => {
    class Counting implements EventListener {
      phases = 0
      phase() {
        this.phases++
      }
    }
    const one = new Counting()
    const told: string[] = []
    const { events } = bus(one, { phase: phase => told.push(`${one.phases} ${phase}`) })
    events.emit('phase', 'running')
    assert.deepEqual(told, ['1 running'])
  })

  for (const [how, fail] of [
    [
      'throws',
      () => {
        throw new Error('full disk')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('full disk'))],
  ] as const)
    it(`logs that a listener ${how}, and tells the others and goes on`, async () => {
      const told: string[] = []
      const { events, lines } = bus(
        { config: fail, close: fail },
        { config: ({ file }) => told.push(file), close: () => told.push('closed') },
      )
      events.emit('config', config([]))
      await setImmediate()
      await events.close()
      assert.deepEqual(told, ['site.yaml', 'closed'])
      assert.deepEqual(
        lines.map(({ event, error, msg }) => [event, error, msg]),
        [
          ['observer.failed', 'full disk', 'an event listener failed: config'],
          ['observer.failed', 'full disk', 'an event listener failed: close'],
        ],
      )
    })

  it('knows what is heard, also where a listener begins to want it later', () => {
    const listener: EventListener = { phase: () => {} }
    const { events } = bus({}, listener)
    assert.deepEqual([events.hears('phase'), events.hears('result')], [true, false])
    listener.result = () => {}
    assert.equal(events.hears('result'), true)
  })
})
