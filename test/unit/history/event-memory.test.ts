import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { EventMemory, MOST_EVENTS, TooManyWaiters } from '../../../src/history/event-memory.js'
import { onCleanup } from '../../support/after-each.js'
import { FakeClock } from '../../support/fake-clock.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'

const folderOf = () => join(temporaryFolder(), 'events')

async function opened(folder: string | null = null, level = 'debug') {
  const { log, lines } = recordingLog(level)
  const clock = new FakeClock()
  const wall = { now: Date.parse('2026-11-28T12:00:00Z') }
  const memory = await EventMemory.open({ folder, log, clock, now: () => wall.now })
  onCleanup(() => memory.close(1000))
  const down = (real: string, service = 'web') =>
    memory.log.warn('real.down', { service, real, reason: 'timeout' }, 'real server down')
  const ids = (query: Partial<Parameters<typeof memory.query>[0]> = {}) =>
    memory.query({ limit: 100, ...query }).events.map(({ id }) => id)
  return { memory, lines, clock, wall, down, ids }
}

describe('EventMemory', () => {
  it('gives each event one id, in the line of the log and in the memory', async () => {
    const { memory, lines, down } = await opened()
    down('[fd00::1]:80')
    memory.log.debug('run.result', { job: 'web' }, 'check')
    memory.log.info('reload.accepted', { file: 'a.yaml' }, 'reloaded')
    assert.deepEqual(
      lines.map(({ id, event }) => [id, event]),
      [
        [1, 'real.down'],
        [undefined, 'run.result'],
        [2, 'reload.accepted'],
      ],
    )
    assert.deepEqual(memory.query({ limit: 1 }), {
      oldest: 1,
      newest: 2,
      hasMore: true,
      events: [
        {
          id: 2,
          time: '2026-11-28T12:00:00.000Z',
          level: 'info',
          event: 'reload.accepted',
          msg: 'reloaded',
          file: 'a.yaml',
        },
      ],
    })
  })

  it('remembers what the log does not write', async () => {
    const { memory, lines } = await opened(null, 'error')
    memory.log.info('daemon.started', { services: 1 }, 'lvsd runs')
    assert.deepEqual(lines, [])
    assert.equal(memory.query({ limit: 1 }).events[0]?.services, 1)
  })

  it('takes no line that is no event, or of level debug', async () => {
    const { memory, lines, ids } = await opened()
    memory.log.warn('config.problem', { code: 'SYNTAX', at: '' }, 'wrong')
    memory.log.debug('weight.changed', {}, 'weight changed by a check')
    assert.deepEqual(ids(), [])
    assert.deepEqual(
      lines.map(({ id }) => id),
      [undefined, undefined],
    )
  })

  it('finds by service, real server, name, level, time and id', async () => {
    const { memory, down, ids, wall } = await opened()
    down('[fd00::1]:80')
    down('[fd00::2]:80')
    wall.now += 60_000
    down('[fd00::1]:25', 'mail/tcp/25')
    memory.log.error('service.refused', { service: 'web' }, 'web: clients are refused')
    memory.log.warn('name.failed', { services: ['web', 'x'] }, 'no answer')
    assert.deepEqual(ids({ service: 'web' }), [1, 2, 4, 5])
    assert.deepEqual(ids({ service: 'mail' }), [3])
    assert.deepEqual(ids({ service: 'web', real: '[fd00::2]:80' }), [2])
    assert.deepEqual(ids({ event: 'real.*' }), [1, 2, 3])
    assert.deepEqual(ids({ event: 'real' }), [])
    assert.deepEqual(ids({ level: 'error' }), [4])
    assert.deepEqual(ids({ since: '2026-11-28T12:01:00.000Z' }), [3, 4, 5])
    assert.deepEqual(ids({ after: 3 }), [4, 5])
    assert.deepEqual(ids({ after: 1, limit: 2 }), [2, 3])
    assert.deepEqual(ids({ limit: 2 }), [4, 5])
  })

  it('keeps the last ones alone', async () => {
    const { memory, down, ids } = await opened()
    for (let i = 0; i < MOST_EVENTS + 7; i++) down('[fd00::1]:80')
    assert.equal(memory.query({ limit: 1 }).oldest, 8)
    assert.deepEqual(ids({ after: 0, limit: 2 }), [8, 9])
    assert.equal(ids({ limit: 1e6 }).length, MOST_EVENTS)
  })

  it('bounds each event', async () => {
    const { memory } = await opened()
    const many = Array.from({ length: 500 }, (_, i) => `s${i}`)
    memory.log.error('hook.failed', { hook: 'x', end: 'code 1', output: 'y'.repeat(1e5) }, 'a hook failed')
    memory.log.warn('name.failed', { services: many }, 'no answer')
    memory.log.error('reload.failed', { err: new Error('oops') }, 'a reload failed')
    const { events } = memory.query({ limit: 3 })
    assert.ok(JSON.stringify(events[0]).length < 1200)
    assert.deepEqual(events[1]?.services, [...many.slice(0, 20), '…'])
    assert.equal(events[2]?.err, 'oops')
  })

  it('goes on with the next id after a stop, and with a gap after kill -9', async () => {
    const folder = folderOf()
    const first = await opened(folder)
    first.down('[fd00::1]:80')
    first.down('[fd00::2]:80')
    await first.memory.close(1000)
    const second = await opened(folder)
    second.down('[fd00::3]:80')
    assert.deepEqual(second.ids(), [1, 2, 3])
    await second.memory.flush()
    // The second is not closed.
    const third = await opened(folder)
    third.down('[fd00::4]:80')
    assert.deepEqual(third.ids(), [1, 2, 3, 10_004])
    assert.deepEqual(
      third.memory.query({ limit: 9 }).events.map(({ real }) => real),
      ['[fd00::1]:80', '[fd00::2]:80', '[fd00::3]:80', '[fd00::4]:80'],
    )
  })

  it('says of a folder that cannot be read that its events end with the process', async () => {
    const file = folderOf()
    writeFileSync(file, '')
    // The folder would be in a file, which cannot be renamed by this name.
    const { lines, down, ids, memory } = await opened(join(file, 'events'))
    down('[fd00::1]:80')
    assert.deepEqual(
      lines.map(({ event, id }) => [event, id]),
      [
        ['state.failed', 1],
        ['real.down', 2],
      ],
    )
    assert.deepEqual(ids(), [1, 2])
    assert.equal(await memory.flush(), true)
  })

  describe('for those who wait', () => {
    it('answers with the events that come, together', async () => {
      const { memory, clock, down } = await opened()
      const answer = memory.wait({ limit: 10, service: 'web' }, 20_000)
      down('[fd00::9]:80', 'mail')
      clock.wind(50)
      down('[fd00::1]:80')
      down('[fd00::2]:80')
      clock.wind(50)
      assert.deepEqual(
        (await answer).events.map(({ id }) => id),
        [2, 3],
      )
      assert.equal(clock.alarms, 0)
    })

    it('answers at once where there is something', async () => {
      const { memory, down } = await opened()
      down('[fd00::1]:80')
      assert.equal((await memory.wait({ after: 0, limit: 10 }, 20_000)).events.length, 1)
    })

    it('answers with nothing after the time, when the client is gone, and at the end', async () => {
      const { memory, clock } = await opened()
      const late = memory.wait({ after: 0, limit: 10 }, 20_000)
      clock.wind(20_000)
      assert.deepEqual((await late).events, [])
      const gone = new AbortController()
      const left = memory.wait({ after: 0, limit: 10 }, 20_000, gone.signal)
      gone.abort()
      assert.deepEqual((await left).events, [])
      const last = memory.wait({ after: 0, limit: 10 }, 20_000)
      await memory.close(1000)
      assert.deepEqual((await last).events, [])
      assert.equal(clock.alarms, 0)
    })

    it('refuses more than it has places', async () => {
      const { memory, clock } = await opened()
      const waits = Array.from({ length: 32 }, () => memory.wait({ after: 0, limit: 1 }, 1000))
      assert.throws(() => memory.wait({ after: 0, limit: 1 }, 1000), TooManyWaiters)
      clock.wind(1000)
      await Promise.all(waits)
    })
  })
})
