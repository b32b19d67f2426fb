import assert from 'node:assert/strict'
import { request } from 'node:http'
import { join } from 'node:path'
import { ControlError, fetchEvents } from '../../../src/api/client.js'
import { openControlSocket } from '../../../src/api/server.js'
import { EventMemory } from '../../../src/history/event-memory.js'
import { onCleanup } from '../../support/after-each.js'
import { controlOf } from '../../support/control.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { until } from '../../support/until.js'

async function socketOf(memory: Pick<EventMemory, 'wait'>): Promise<string> {
  const socket = join(temporaryFolder(), 'lvsd.sock')
  const server = await openControlSocket(socket, controlOf({ events: memory as EventMemory }))
  onCleanup(() => server.close())
  return socket
}

describe('GET /v1/events', () => {
  it('answers with what matches, and waits for the next', async () => {
    const memory = EventMemory.inMemory(recordingLog('silent').log)
    onCleanup(() => memory.close(1000))
    const socket = await socketOf(memory)
    memory.log.warn('real.down', { service: 'web', real: '[fd00::1]:80' }, 'down')
    memory.log.info('reload.accepted', {}, 'reloaded')
    const first = await fetchEvents(socket, { event: 'real.*', limit: 5 })
    assert.deepEqual(
      [first.schema, first.oldest, first.newest, first.hasMore, first.events.map(({ id }) => id)],
      [1, 1, 2, false, [1]],
    )
    const next = fetchEvents(socket, { after: 2, wait: '20s' })
    await until(() => memory.waiting === 1)
    memory.log.info('reload.accepted', {}, 'reloaded')
    assert.deepEqual(
      (await next).events.map(({ id }) => id),
      [3],
    )
  })

  it('says what is wrong with a request', async () => {
    const socket = await socketOf(EventMemory.inMemory(recordingLog('silent').log))
    const refused = (query: Parameters<typeof fetchEvents>[1]) =>
      fetchEvents(socket, query).then(
        () => '',
        error => (error instanceof ControlError ? error.message : 'fault'),
      )
    assert.match(await refused({ wait: '31s' }), /"\/wait" in the query is "31s": at most 30s/)
    assert.match(await refused({ limit: 0 }), /"\/limit" in the query is "0"; expected at least 1/)
    for (const since of ['yesterday', '2h', '5', '2026-13-01', ''])
      assert.equal(
        await refused({ since }),
        `lvsd answered: "/since" in the query is "${since}": expected a time of ISO 8601, such as 2026-11-28T12:00:00Z`,
      )
    assert.equal(await refused({ since: '2026-11-28T13:00+01:00' }), '')
    assert.match(
      await refused({ level: 'loud' }),
      /"\/level" in the query cannot be "loud"; expected info, warn or error/,
    )
  })

  it('lets go of a client that is gone', async () => {
    const memory = EventMemory.inMemory(recordingLog('silent').log)
    const socketPath = await socketOf(memory)
    const sent = request({ socketPath, path: '/v1/events?wait=20s', agent: false })
    sent.on('error', () => {}).end()
    await until(() => memory.waiting === 1)
    sent.destroy()
    await until(() => memory.waiting === 0)
    await memory.close(1000)
  })
})
