/** The events of all directors in one stream of a real Redis. */
import assert from 'node:assert/strict'
import { RedisClient } from '../../../src/cluster/redis/site-redis.js'
import { SiteEvents } from '../../../src/cluster/site-events.js'
import { EventMemory } from '../../../src/history/event-memory.js'
import { onCleanup } from '../../support/after-each.js'
import { recordingLog } from '../../support/logs.js'
import { openApart } from '../../support/redis-apart.js'
import {
  aclServer,
  LOGIN,
  type RedisServer,
  redisProgram,
  redisSettings,
} from '../../support/redis-server.js'
import { until } from '../../support/until.js'

describe('events of a site', function () {
  this.timeout(60_000)
  let file = ''
  let server: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
  })
  beforeEach(async () => {
    server = await aclServer(file)
  })

  function director(host: string) {
    const { log } = recordingLog()
    const memory = EventMemory.inMemory(log)
    const redis = new RedisClient({ log, open: openApart })
    const self = { id: `id-${host}`, instance: Buffer.from(host).toString('hex'), host }
    memory.log.warn('daemon.started', {}, 'before the site')
    const events = new SiteEvents({ redis, self, memory, log })
    redis.follow('berlin', redisSettings(server.port, LOGIN))
    events.start()
    onCleanup(async () => {
      await events.close()
      redis.close()
    })
    const say = (n: number) => memory.log.warn('real.down', { service: 'web', real: `${n}` }, `down ${n}`)
    return { events, redis, say, memory, log }
  }

  const all = async (from: ReturnType<typeof director>, limit = 10_000) =>
    (await from.events.read({ limit })).map(({ host, real }) => `${host} ${real}`)

  it('has each event of each director once, in order, also after a time without Redis', async () => {
    const [a, b] = [director('a'), director('b')]
    for (const { redis } of [a, b]) await until(() => redis.status.state === 'connected')
    for (let n = 0; n < 5; n++) for (const each of [a, b]) each.say(n)
    await until(async () => (await all(b)).length === 10, { what: 'ten events' })
    server.signal('SIGSTOP')
    a.say(5)
    await until(() => a.redis.status.state === 'away', { what: 'Redis is away' })
    for (let n = 6; n < 700; n++) a.say(n)
    await assert.rejects(a.events.read({ limit: 1 }))
    server.signal('SIGCONT')
    await until(async () => (await all(b)).length === 705, { what: 'what happened meanwhile' })
    const ofA = (await all(b)).filter(line => line.startsWith('a '))
    assert.deepEqual(
      ofA,
      Array.from({ length: 700 }, (_, n) => `a ${n}`),
    )
    assert.deepEqual(await all(a, 2), ['a 698', 'a 699'])
    const filtered = await b.events.read({ limit: 5, real: '3' })
    assert.deepEqual(filtered.map(({ host, event }) => `${host} ${event}`).sort(), [
      'a real.down',
      'b real.down',
    ])
  })

  it('goes on after a loss of all data, and leaves out what is no event', async () => {
    const a = director('a')
    await until(() => a.redis.status.state === 'connected')
    a.say(1)
    await until(async () => (await all(a)).length === 1)
    await server.tell(
      ['FLUSHALL'],
      ['XADD', a.redis.key('events'), '*', 'event', 'no JSON'],
      ['XADD', a.redis.key('events'), '*', 'x', '1'],
    )
    a.say(2)
    await until(async () => (await all(a)).join() === 'a 2', { what: 'the next event' })
  })
})
