/** The stream of events: each event once to each listener, and none is waited for. */
import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import type { PassThrough } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { EventFeed, MOST_UNREAD } from '../../../src/api/event-feed.js'
import { EventMemory, TooManyWaiters } from '../../../src/history/event-memory.js'
import { StreamParser } from '../../../src/web/stream-parser.js'
import { recordingLog } from '../../support/logs.js'
import { until } from '../../support/until.js'

const query = { limit: 100 }

/** A feed over a real memory, and what a listener has read. */
function rig() {
  const memory = EventMemory.inMemory(recordingLog().log)
  const feed = new EventFeed(memory)
  const tell = (real: string, detail = '') =>
    memory.log.warn('real.down', { service: 'web', real, detail }, 'real server down')
  return { memory, feed, tell }
}

function read(stream: PassThrough) {
  const parser = new StreamParser()
  const events: { id: string; name: string; data: { real: string } }[] = []
  stream.on('data', part => {
    for (const { id, name, data } of parser.take(String(part)))
      events.push({ id, name, data: JSON.parse(data) })
  })
  return events
}

describe('event-feed', () => {
  it('sends each event once, in order, with its id and name', async () => {
    const { feed, tell } = rig()
    const gone = new AbortController()
    tell('before')
    const events = read(await feed.open(query, gone.signal))
    for (let i = 0; i < 50; i++) tell(`${i}`)
    await until(() => events.length === 50)
    assert.deepEqual(
      events.map(({ id, name, data }) => [id, name, data.real]),
      Array.from({ length: 50 }, (_, i) => [`${i + 2}`, 'real.down', `${i}`]),
    )
    gone.abort()
    assert.equal(feed.listeners, 0)
    feed.close()
  })

  it('resumes after an id, and says what it no longer has', async () => {
    const { feed, tell, memory } = rig()
    const gone = new AbortController()
    for (let i = 1; i <= 10; i++) tell(`${i}`)
    const events = read(await feed.open({ ...query, after: 7 }, gone.signal))
    tell('11')
    await until(() => events.length === 4)
    assert.deepEqual(
      events.map(({ id }) => id),
      ['8', '9', '10', '11'],
    )
    const ahead = read(await feed.open({ ...query, after: memory.newest + 100 }, gone.signal))
    await until(() => ahead.length === 1)
    assert.equal(ahead[0]?.name, 'gap')
    gone.abort()
    feed.close()
  })

  it('filters', async () => {
    const { feed, tell } = rig()
    const gone = new AbortController()
    const events = read(await feed.open({ ...query, real: 'b' }, gone.signal))
    for (const real of ['a', 'b', 'c', 'b']) tell(real)
    await until(() => events.length === 2)
    assert.deepEqual(
      events.map(({ id }) => id),
      ['2', '4'],
    )
    gone.abort()
    feed.close()
  })

  it('disconnects a listener that does not read, and goes on with the others', async () => {
    const { feed, tell } = rig()
    const gone = new AbortController()
    const deaf = await feed.open(query, gone.signal)
    deaf.on('error', () => {})
    const events = read(await feed.open(query, gone.signal))
    const count = Math.ceil((2 * MOST_UNREAD) / 500)
    for (let i = 0; i < count; i++) tell(`${i}`, 'x'.repeat(500))
    await until(() => events.length === count)
    tell('last')
    await until(() => events.length === count + 1)
    assert.ok(deaf.destroyed)
    assert.deepEqual([feed.listeners, feed.disconnected], [1, 1])
    gone.abort()
    feed.close()
  })

  it('sends the past in parts, each when the last is read, and then goes on', async () => {
    const { feed, tell } = rig()
    const gone = new AbortController()
    for (let i = 1; i <= 3000; i++) tell(`${i}`, 'x'.repeat(500))
    const stream = await feed.open({ ...query, after: 0 }, gone.signal)
    await setImmediate()
    await setImmediate()
    const unread = stream.readableLength + stream.writableLength
    assert.ok(unread < MOST_UNREAD, String(unread))
    const events = read(stream)
    await until(() => events.length > 1000)
    tell('3001')
    await until(() => events.length === 3001)
    assert.deepEqual(
      events.map(({ id }) => Number(id)),
      Array.from({ length: 3001 }, (_, i) => i + 1),
    )
    assert.equal(feed.disconnected, 0)
    gone.abort()
    feed.close()
  })

  it('writes to a few of many listeners in one turn of the event loop', async () => {
    const { feed, tell } = rig()
    const gone = new AbortController()
    setMaxListeners(0, gone.signal)
    const turns = new Map<number, number>()
    let turn = 0
    const all = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const stream = await feed.open(query, gone.signal)
        stream.resume()
        return stream
      }),
    )
    await until(() => all.every(({ readableLength }) => readableLength === 0))
    let left = all.length
    for (const stream of all)
      stream.once('data', () => {
        turns.set(turn, (turns.get(turn) ?? 0) + 1)
        left--
      })
    tell('1')
    while (left > 0) {
      await setImmediate()
      turn++
    }
    assert.ok(Math.max(...turns.values()) <= 50, JSON.stringify([...turns]))
    gone.abort()
    feed.close()
  })

  it('refuses more listeners than the limit, and takes another one when one has left', async () => {
    const feed = new EventFeed(EventMemory.inMemory(recordingLog().log), { most: 2 })
    const [first, second] = [new AbortController(), new AbortController()]
    await feed.open(query, first.signal)
    await feed.open(query, second.signal)
    await assert.rejects(feed.open(query, second.signal), TooManyWaiters)
    first.abort()
    await feed.open(query, second.signal)
    second.abort()
    assert.equal(feed.listeners, 0)
  })
})
