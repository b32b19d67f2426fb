/** Two directors, and the records between them: who tells an event, and which events are the same. */
import assert from 'node:assert/strict'
import { AlertClaims, type Telling } from '../../../src/cluster/alert-claims.js'
import type { SiteRedis } from '../../../src/cluster/redis/site-redis.js'

const about = (status: string) => ['alert', 'hook', status, 'real.down', 'web', '::1']

function site() {
  const time = { now: 1_000_000 }
  const values = new Map<string, string>()
  const script = async (lua: string, keys: readonly string[], args: readonly (string | number)[]) => {
    if (lua.includes('MGET'))
      return [String(Math.floor(time.now / 1000)), '0', keys.map(key => values.get(key) ?? null)]
    return keys.filter((key, i) => {
      if ((values.get(key) ?? '') !== args[2 * i + 1]) return true
      values.set(key, String(args[2 * i + 2]))
      return false
    })
  }
  const director = (id: string) => {
    const claims = new AlertClaims({ clock: { alarm: () => () => {} }, now: () => time.now })
    const redis = { status: { state: 'connected' }, key: (...parts: string[]) => parts.join(':'), script }
    claims.attach({ redis: redis as unknown as SiteRedis, self: { id, host: id } })
    /** Returns what this director does with it; it sends what it has to. */
    return async (status: 'firing' | 'resolved', print: string, at = time.now) => {
      const isEnd = status === 'resolved'
      const ends = [about(isEnd ? 'firing' : 'resolved')]
      const telling: Telling = { about: about(status), at, print, isEnd, ends }
      const { mine, told, printOf, end } = await claims.share([telling], one => one)
      await end(true)
      return [mine.length > 0 ? 'sends' : told.length > 0 ? 'told' : 'waits', printOf(telling)] as const
    }
  }
  return { time, director }
}

describe('AlertClaims', () => {
  it('tells again what only one director has met before, and has ended', async () => {
    const { time, director } = site()
    const [first, other] = [director('a'), director('b')]
    assert.deepEqual(await first('firing', 'print-a'), ['sends', 'print-a'])
    time.now += 5000
    assert.deepEqual(await first('resolved', 'print-a'), ['sends', 'print-a'])
    // The first one is gone. The server fails again, and recovers.
    time.now += 10_000
    assert.deepEqual(await other('firing', 'print-b'), ['sends', 'print-b'])
    time.now += 5000
    assert.deepEqual(await other('resolved', 'print-b'), ['sends', 'print-b'])
  })

  it('tells once what both have met', async () => {
    const { time, director } = site()
    const [first, other] = [director('a'), director('b')]
    const began = time.now
    assert.deepEqual(await first('firing', 'print-a'), ['sends', 'print-a'])
    time.now += 5000
    assert.deepEqual(await first('resolved', 'print-a'), ['sends', 'print-a'])
    assert.deepEqual(await other('firing', 'print-b', began + 2000), ['told', 'print-a'])
    assert.deepEqual(await other('resolved', 'print-a', time.now + 2000), ['told', 'print-a'])
  })
})
