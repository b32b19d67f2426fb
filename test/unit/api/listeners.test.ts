/** Many listeners of the stream of events over TCP, of which some never read. */
import assert from 'node:assert/strict'
import { get, type IncomingMessage } from 'node:http'
import { openApp } from '../../../src/api/app.js'
import { EventFeed } from '../../../src/api/event-feed.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import { TcpListeners } from '../../../src/api/tcp-listeners.js'
import { Tokens } from '../../../src/api/tokens.js'
import { EventMemory } from '../../../src/history/event-memory.js'
import { StreamParser } from '../../../src/web/stream-parser.js'
import { onCleanup } from '../../support/after-each.js'
import { controlOf } from '../../support/control.js'
import { recordingLog } from '../../support/logs.js'
import { refusedPort } from '../../support/servers.js'
import { until } from '../../support/until.js'

const READERS = 40
const DEAF = 10
/** Events of a moment, half a megabyte. Some moments fill the buffers of the kernel. */
const OF_A_MOMENT = 500
const MOST_MOMENTS = 60

async function served() {
  const { log } = recordingLog()
  const memory = EventMemory.inMemory(log)
  const feed = new EventFeed(memory)
  const control = controlOf({ streamEvents: (query, gone) => feed.open(query, gone) })
  const app = await openApp({ routes: ROUTES, control, log })
  const tokens = new Tokens({ path: null, log })
  const listeners = new TcpListeners({ app, tokens, log })
  onCleanup(async () => {
    feed.close()
    await listeners.close()
    await app.close()
  })
  const address = `[::1]:${await refusedPort()}`
  await listeners.follow({ listen: [address], tls: null, metrics: 'token' })
  const added = await tokens.add({ name: 'reader', role: 'read', who: 'test', until: null })
  return { memory, feed, url: `http://${address}/v1/events`, token: added?.text ?? '' }
}

function listen(url: string, token: string): Promise<IncomingMessage> {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, resolve).on('error', reject)
  })
}

function idsOf(stream: IncomingMessage): number[] {
  const parser = new StreamParser()
  const ids: number[] = []
  stream.setEncoding('utf8').on('data', part => {
    for (const { id } of parser.take(part)) if (id) ids.push(Number(id))
  })
  return ids
}

describe('listeners of the stream of events over TCP', () => {
  it('all get each event once, and those that never read are disconnected', async function () {
    this.timeout(120_000)
    const { memory, feed, url, token } = await served()
    const readers = (await Promise.all(Array.from({ length: READERS }, () => listen(url, token)))).map(idsOf)
    const deaf = await Promise.all(Array.from({ length: DEAF }, () => listen(url, token)))
    await until(() => feed.listeners === READERS + DEAF)
    let count = 0
    const detail = 'x'.repeat(900)
    for (let moment = 0; moment < MOST_MOMENTS && feed.disconnected < DEAF; moment++) {
      for (let i = 0; i < OF_A_MOMENT; i++, count++)
        memory.log.warn('real.down', { service: 'web', real: `${count}`, detail }, 'real server down')
      await until(() => readers.every(ids => ids.length >= count), { patience: 30_000 })
    }
    assert.deepEqual([feed.listeners, feed.disconnected], [READERS, DEAF])
    const every = Array.from({ length: count }, (_, i) => i + 1)
    for (const ids of readers) assert.deepEqual(ids, every)
    for (const stream of deaf) {
      let isClosed = false
      stream
        .on('error', () => {})
        .once('close', () => {
          isClosed = true
        })
      stream.resume()
      await until(() => isClosed, { patience: 30_000 })
    }
  })
})
