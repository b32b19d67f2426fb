/** Two directors at a real Redis: who is there, what differs, and who is active. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { Cluster } from '../../../src/cluster/cluster.js'
import type { ClusterSettings } from '../../../src/config/schema/model-keys.js'
import type { Service } from '../../../src/core/model.js'
import { onCleanup } from '../../support/after-each.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import {
  aclServer,
  LOGIN,
  type RedisServer,
  redisProgram,
  redisSettings,
} from '../../support/redis-server.js'
import { until } from '../../support/until.js'

/** Long enough for a machine that stands still for a second. */
const LEASE = 2000

const services = (...names: readonly string[]) => names.map(name => ({ name }) as Service)

describe('directors of a site', function () {
  this.timeout(60_000)
  let file = ''
  let server: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
  })
  beforeEach(async () => {
    server = await aclServer(file)
  })

  /** A path: the file that tells the role. */
  type From = 'redis' | 'always-active' | `/${string}`
  const settings = (from: From = 'redis', site = 'berlin'): ClusterSettings => ({
    site,
    role: from.startsWith('/')
      ? { from: 'file', path: from }
      : { from: from as 'redis', path: null, lease: LEASE },
    standby: { table: 'same', checks: 'on' },
    heartbeat: 200,
    redis: redisSettings(server.port, LOGIN),
  })

  /** A director, with what it has told. `path`: the file of its identity. */
  async function director(
    path: string | null = `${temporaryFolder()}/cluster.json`,
    own: readonly Service[] = services('web'),
    from: From = 'redis',
  ) {
    const { log, lines } = recordingLog()
    const cluster = new Cluster({ log, path, onChange: () => {} })
    onCleanup(() => cluster.close())
    await cluster.prepare({ cluster: settings(from), services: own }, new Map())
    cluster.follow({ cluster: settings(from), services: own }, new Map())
    const told = () => lines.map(({ event }) => event).filter(event => !event.startsWith('state.'))
    const sees = (count: number) =>
      until(() => cluster.snapshot()?.directors.filter(({ goneAt }) => goneAt === null).length === count, {
        what: () => told().join(),
      })
    return { cluster, told, lines, sees, path }
  }

  const active = (...all: readonly { cluster: Cluster }[]) =>
    all.filter(({ cluster }) => cluster.role === 'active')
  const oneActive = (...all: readonly { cluster: Cluster }[]) =>
    until(() => active(...all).length === 1, {
      what: () => JSON.stringify(all.map(({ cluster }) => cluster.snapshot()?.role)),
    })

  it('know each other, name what differs, and notice an end at once', async () => {
    const one = await director()
    await one.sees(1)
    const other = await director(null, services('web', 'mail'), 'always-active')
    await one.sees(2)
    await other.sees(2)
    const [self, seen] = one.cluster.snapshot()?.directors ?? []
    assert.equal(self?.isSelf, true)
    assert.equal(seen?.id, other.cluster.id)
    assert.equal(seen?.role, 'active')
    await until(() => one.cluster.snapshot()?.directors[1]?.differs?.join() === 'mail')
    other.cluster.follow({ cluster: settings('always-active'), services: services('web') }, new Map())
    await until(() => one.cluster.snapshot()?.directors[1]?.differs === null)
    await other.cluster.close()
    await one.sees(1)
    const [, gone] = one.cluster.snapshot()?.directors ?? []
    assert.equal(gone?.id, other.cluster.id)
    assert.deepEqual(one.cluster.living, [one.cluster.id])
    assert.deepEqual(
      one.told().filter(event => event.startsWith('cluster.')),
      ['cluster.member-joined', 'cluster.member-left'],
    )
  })

  it('know only those of their own site after a change of its name', async () => {
    const one = await director(null, services('web'), 'always-active')
    const other = await director(null, services('web'), 'always-active')
    await one.sees(2)
    await other.sees(2)
    one.cluster.follow({ cluster: settings('always-active', 'paris'), services: services('web') }, new Map())
    assert.deepEqual(
      one.cluster.snapshot()?.directors.map(({ id }) => id),
      [one.cluster.id],
    )
    await other.sees(1)
    assert.ok(!one.told().includes('cluster.member-left'), one.told().join())
  })

  it('tell that none is active, and that two are, for longer than a takeover takes', async () => {
    const file = (name: string) => `${temporaryFolder()}/${name}` as const
    const [first, second] = [file('first'), file('second')] as const
    const one = await director(null, services('web'), first as From)
    const other = await director(null, services('web'), second as From)
    const both = (event: `cluster.${'none' | 'one' | 'several'}-active`) =>
      until(() => [one, other].every(each => each.told().includes(event)), {
        what: () => JSON.stringify([one.told(), other.told()]),
        patience: 40_000,
      })
    await both('cluster.none-active')
    assert.match(one.cluster.snapshot()?.activeTrouble ?? '', /^no director is active/)
    await writeFile(first, 'active')
    await both('cluster.one-active')
    assert.equal(other.cluster.snapshot()?.activeTrouble, null)
    await writeFile(second, 'active')
    await both('cluster.several-active')
    assert.match(other.cluster.snapshot()?.activeTrouble ?? '', /^2 directors are active at once: /)
  })

  it('keep their identity over a restart, and two do not share one', async () => {
    const one = await director()
    const { id } = one.cluster
    await one.cluster.close()
    const again = await director(one.path)
    assert.equal(again.cluster.id, id)
    const copy = await director(one.path)
    await until(() => [...again.told(), ...copy.told()].includes('cluster.identity-taken'))
    await copy.sees(2)
    assert.notEqual(copy.cluster.id, again.cluster.id)
  })

  it('have one active director, which gives its role to the other at its stop and at its death', async () => {
    const one = await director()
    await oneActive(one)
    const other = await director()
    await until(() => other.cluster.snapshot()?.role.reason.includes('token 1') === true)
    assert.deepEqual(active(one, other), [one])
    assert.match(other.cluster.snapshot()?.role.reason ?? '', /holds the lease of the site \(token 1\)/)
    // A standby takes no lease before it has heard Redis for the length of one.
    await pause(LEASE)
    const began = performance.now()
    await one.cluster.close()
    await until(() => other.cluster.role === 'active')
    assert.ok(performance.now() - began < LEASE, 'an orderly stop lets the lease go at once')
    assert.match(other.cluster.snapshot()?.role.reason ?? '', /token 2/)
    const [log] = await server.tell(['ACL', 'LOG'])
    assert.deepEqual(log, [], 'no command of lvsd is refused')
    for (const key of (await server.tell(['KEYS', '*']))[0] as string[])
      assert.ok(Number((await server.tell(['PTTL', key]))[0]) > 0, `${key} expires`)
  })

  if (process.env.LVSD_CLUSTER_LONG)
    it('leave the role where it is while Redis is silent, restarted, or has lost its data', async () => {
      const one = await director()
      await oneActive(one)
      const other = await director()
      await other.sees(2)
      server.signal('SIGSTOP')
      await until(() => one.told().includes('redis.away') && other.told().includes('redis.away'))
      await pause(LEASE)
      assert.deepEqual(active(one, other), [one])
      server.signal('SIGCONT')
      const back = (count: number) =>
        until(() =>
          [one, other].every(({ told }) => told().filter(event => event === 'redis.back').length === count),
        )
      await back(1)
      await server.kill()
      await server.start()
      await back(2)
      await server.tell(['FLUSHALL'])
      await one.sees(2)
      await other.sees(2)
      await pause(LEASE)
      assert.deepEqual(active(one, other), [one])
      for (const { told } of [one, other])
        assert.deepEqual(
          told().filter(event => event.startsWith('cluster.member-left')),
          [],
        )
    })

  it('survive values of another type under their keys', async () => {
    const one = await director()
    await oneActive(one)
    await server.tell(['DEL', '{lvsd:berlin}:members', '{lvsd:berlin}:lease'])
    await server.tell(['SET', '{lvsd:berlin}:members', 'x'], ['SADD', '{lvsd:berlin}:lease', 'x'])
    await until(() => one.cluster.snapshot()?.redis?.fault?.reason === 'WRONGTYPE')
    assert.equal(one.cluster.role, 'active')
    await server.tell(['DEL', '{lvsd:berlin}:members', '{lvsd:berlin}:lease'])
    await until(() => one.cluster.snapshot()?.redis?.state === 'connected')
    await until(async () =>
      String((await server.tell(['GET', '{lvsd:berlin}:lease']))[0]).startsWith(one.cluster.id),
    )
    assert.equal(one.told().filter(event => event === 'redis.away').length, 1)
  })
})
