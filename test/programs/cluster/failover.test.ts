/**
 * Sentinels that make a replica the primary, and a Redis Cluster whose keys move to another node: 13 s, only with
 * LVSD_CLUSTER_LONG=1.
 */
import assert from 'node:assert/strict'
import { RedisClient } from '../../../src/cluster/redis/site-redis.js'
import { aclLine } from '../../../src/core/redis-commands.js'
import type { RedisSettings } from '../../../src/core/redis-settings.js'
import { onCleanup } from '../../support/after-each.js'
import { freePort } from '../../support/checks/programs.js'
import { recordingLog } from '../../support/logs.js'
import { openApart } from '../../support/redis-apart.js'
import {
  clusterPort,
  type RedisServer,
  redisProgram,
  redisServer,
  redisSettings,
} from '../../support/redis-server.js'
import { until } from '../../support/until.js'

const LOGIN = { username: 'lvsd', password: 'geheim' }

/** The users of a server: an operator without a password, and lvsd with the least permissions. */
function users(isCluster: boolean): string {
  const line = aclLine('lvsd', 'lvsd', isCluster).replace('PASSWORD', LOGIN.password)
  return `user default on nopass ~* &* +@all\n${line}\n`
}

function clientOf(settings: RedisSettings) {
  const { log, lines } = recordingLog()
  const client = new RedisClient({ log, open: openApart })
  onCleanup(() => client.close())
  client.follow('berlin', settings)
  const told = () =>
    lines.map(({ event, reason, detail }) => [event, reason, detail].filter(Boolean).join(' '))
  const writes = async () => {
    const answer = await client.run('SET', [client.key('a'), 'b', 'PX', 60_000]).catch(() => null)
    return answer === 'OK'
  }
  return { client, told, writes: () => until(writes, { what: () => told().join('; ') }) }
}

if (process.env.LVSD_CLUSTER_LONG)
  describe('redis that fails over', function () {
    this.timeout(60_000)
    let file = ''
    before(function () {
      file = redisProgram(() => this.skip())
    })

    const server = async (isCluster: boolean, ...options: readonly string[]): Promise<RedisServer> =>
      redisServer({
        file,
        port: await (isCluster ? clusterPort() : freePort()),
        options: ['--aclfile', '{FOLDER}/users.acl', ...options],
        files: { 'users.acl': users(isCluster) },
      })

    it('is used at the new primary that a sentinel names, with messages, and the old one is left alone', async () => {
      const primary = await server(false)
      const replica = await server(false, '--replicaof', '::1', `${primary.port}`)
      const port = await freePort()
      const conf = `sentinel resolve-hostnames no
sentinel monitor main ::1 ${primary.port} 1
sentinel down-after-milliseconds main 400
sentinel failover-timeout main 3000
`
      const sentinel = await redisServer({
        file,
        port,
        conf: '{FOLDER}/sentinel.conf',
        options: ['--sentinel', '--bind', '::1', '--loglevel', 'warning'],
        files: { 'sentinel.conf': conf },
      })
      await until(async () =>
        String((await replica.tell(['INFO', 'replication']))[0]).includes('link_status:up'),
      )
      await until(async () => String((await sentinel.tell(['INFO', 'sentinel']))[0]).includes('slaves=1'))
      const sentinels = {
        name: 'main',
        // The first does not listen.
        addresses: [
          { host: '::1', port: await freePort() },
          { host: '::1', port },
        ],
        username: null,
        password: null,
      }
      const { client, told, writes } = clientOf({ ...redisSettings(0), url: null, sentinels, ...LOGIN })
      const heard: string[] = []
      client.subscribe(client.key('x'), text => heard.push(text))
      await writes()
      await primary.kill()
      await writes()
      assert.equal((await replica.tell(['GET', client.key('a')]))[0], 'b')
      await until(async () => {
        await client.run('PUBLISH', [client.key('x'), 'news']).catch(() => {})
        return heard.length > 0
      })
      await until(() => client.status.state === 'connected', { what: () => told().join('; ') })
      assert.deepEqual(
        told().map(line => line.split(' ')[0]),
        ['redis.connected', 'redis.away', 'redis.back'],
        told().join('; '),
      )
    })

    it('is used as a cluster: keys in one slot, a node that takes over, slots that nobody has', async () => {
      const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '500']
      const node = await server(true, ...options)
      const second = await server(true, ...options)
      await node.tell(['CLUSTER', 'ADDSLOTSRANGE', 0, 16_383])
      await second.tell(['CLUSTER', 'MEET', '::1', node.port])
      const id = String((await node.tell(['CLUSTER', 'MYID']))[0])
      await until(async () => (await second.tell(['CLUSTER', 'REPLICATE', id]).catch(() => ['']))[0] === 'OK')
      const isReplica = async () =>
        String((await second.tell(['INFO', 'replication']))[0]).includes('link_status:up')
      await until(isReplica)
      await until(async () => String((await node.tell(['CLUSTER', 'INFO']))[0]).includes('cluster_state:ok'))
      const cluster = [node, second].map(({ port }) => ({ host: '::1', port }))
      const { client, told, writes } = clientOf({ ...redisSettings(0), url: null, cluster, ...LOGIN })
      const heard: string[] = []
      client.subscribe(client.key('x'), text => heard.push(text))
      await writes()
      const two = "redis.call('SET', KEYS[1], 1, 'PX', 9999) return redis.call('MGET', KEYS[1], KEYS[2])"
      assert.deepEqual(await client.script(two, [client.key('b'), client.key('a')], []), ['1', 'b'])
      await until(async () => {
        await client.run('PUBLISH', [client.key('x'), 'news']).catch(() => {})
        return heard.length > 0
      })
      await node.kill()
      await second.tell(['CLUSTER', 'FAILOVER', 'TAKEOVER'])
      await writes()
      await until(() => client.status.state === 'connected', { what: () => told().join('; ') })
      await second
        .tell(['CLUSTER', 'FLUSHSLOTS'])
        .catch(() => second.tell(['FLUSHALL'], ['CLUSTER', 'FLUSHSLOTS']))
      await until(() => client.status.fault?.reason === 'CLUSTERDOWN', { what: () => told().join('; ') })
      await second.tell(['CLUSTER', 'ADDSLOTSRANGE', 0, 16_383])
      await writes()
      const [log] = await second.tell(['ACL', 'LOG'])
      assert.deepEqual(log, [], 'no command of lvsd is refused')
    })
  })
