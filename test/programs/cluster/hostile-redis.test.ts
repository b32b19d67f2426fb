/** A Redis that sends what no Redis should: the core goes on as without it, in bounded memory, and tells it once. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import { RedisOverrideStore } from '../../../src/cluster/overrides/override-store.js'
import { RedisClient } from '../../../src/cluster/redis/site-redis.js'
import type { RedisError, RedisReason } from '../../../src/core/redis-fault.js'
import { onCleanup } from '../../support/after-each.js'
import { HostileRedis, mainThreadTime } from '../../support/hostile-redis.js'
import type { Hostility } from '../../support/hostile-redis-server.js'
import { recordingLog } from '../../support/logs.js'
import { openApart } from '../../support/redis-apart.js'
import { redisSettings } from '../../support/redis-server.js'
import { until } from '../../support/until.js'

/** Milliseconds of each attack. */
const LASTS = 500
/** Share of its time that the main thread may be busy; MiB that the process may grow by. */
const MOST_BUSY = 0.5
const MOST_GROWN = 200

const CASES: readonly (readonly [Hostility, RedisReason | null])[] = [
  ['endless-text', 'size'],
  ['endless-array', 'size'],
  ['endless-texts', 'size'],
  ['endless-error', 'size'],
  ['endless-garbage', 'protocol'],
  ['deep-array', 'size'],
  ['half-answer', 'protocol'],
  ['long-error', 'size'],
  ['many-overrides', 'size'],
  ['endless-overrides', 'size'],
  ['flood', null],
]

describe('a hostile redis', function () {
  this.timeout(60_000)
  let server: HostileRedis
  before(async () => {
    server = await new HostileRedis().start()
  })
  after(() => server.kill())

  for (const [hostility, reason] of CASES)
    it(`costs the core no time and no memory: ${hostility}`, async () => {
      const { log, lines } = recordingLog()
      const told = () => lines.map(({ event, reason: why }) => [event, why].filter(Boolean).join(' '))
      const client = new RedisClient({ log, open: openApart })
      const store = new RedisOverrideStore(client)
      let [heard, again] = [0, 0]
      client.follow('berlin', redisSettings(server.port))
      onCleanup(() => client.close())
      client.subscribe(
        client.key('flood'),
        () => heard++,
        () => again++,
      )
      const isIn = (state: string) => () => client.status.state === state
      await until(isIn('connected'), { what: () => told().join(), patience: 30_000 })
      await until(() => again > 0, { patience: 30_000 })

      await server.be(hostility)
      const delay = monitorEventLoopDelay({ resolution: 5 })
      delay.enable()
      const [memory, busy, begin] = [process.memoryUsage.rss(), mainThreadTime(file), performance.now()]
      let most = 0
      const isOver = () => performance.now() - begin > LASTS
      // An attack that is seen late, on a busy machine, has to be waited for; and it is told once, however often it is met.
      let met = 0
      const meet = (error: RedisError) => void (error.reason === reason && met++)
      const isMet = () => (reason === null ? again > 1 : client.status.fault?.reason === reason && met >= 4)
      while (!isOver() || !isMet()) {
        assert.ok(performance.now() - begin < 30_000, `${reason}: ${told().join()}`)
        await Promise.all([
          client.run('GET', [client.key('a')]).catch(meet),
          store.read().catch(meet),
          pause(20),
        ])
        most = Math.max(most, process.memoryUsage.rss() - memory)
      }
      const share = (mainThreadTime(file) - busy) / (performance.now() - begin)
      delay.disable()
      const figures = `${Math.round(share * 100)} % busy, ${Math.round(most / 2 ** 20)} MiB more, at most ${Math.round(delay.max / 1e6)} ms late, ${heard} messages`
      console.log(`      ${figures}`)
      assert.ok(share < MOST_BUSY && most < MOST_GROWN * 2 ** 20, figures)
      const losses = told().filter(line => line.startsWith('redis.away') || line.startsWith('redis.unsteady'))
      assert.deepEqual(losses, reason === null ? [] : [`redis.away ${reason}`])

      await server.be('good')
      await until(
        async () => {
          await Promise.all([client.run('GET', [client.key('a')]), store.read()]).catch(() => {})
          return isIn('connected')()
        },
        { what: () => told().join(), patience: 30_000 },
      )
    })
})

function file(path: string): string {
  return readFileSync(path, 'utf8')
}
