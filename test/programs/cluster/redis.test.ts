/** The connection to a real Redis, with the ACL of the documents, and everything that goes wrong with it. */
import assert from 'node:assert/strict'
import { openConnection } from '../../../src/cluster/redis/client.js'
import { ALL, examineRedis, TRIED, UNTRIED } from '../../../src/cluster/redis/examine.js'
import { RedisClient } from '../../../src/cluster/redis/site-redis.js'
import { CLUSTER_COMMANDS, REDIS_COMMANDS, SENTINEL_COMMANDS } from '../../../src/core/redis-commands.js'
import type { RedisReason } from '../../../src/core/redis-fault.js'
import type { RedisSettings } from '../../../src/core/redis-settings.js'
import { onCleanup } from '../../support/after-each.js'
import { freePort } from '../../support/checks/programs.js'
import { recordingLog } from '../../support/logs.js'
import { openApart } from '../../support/redis-apart.js'
import {
  aclServer,
  CHANNEL_PERMISSIONS,
  clusterPort,
  LOGIN,
  type RedisServer,
  redisProgram,
  redisServer,
  redisSettings,
  redisVersion,
} from '../../support/redis-server.js'
import { tlsFile } from '../../support/tls-file.js'
import { until } from '../../support/until.js'

const _PASSWORD = LOGIN.password

/** A client at a server, with what it has told. */
function clientOf(port: number, over: Partial<RedisSettings> = {}) {
  const { log, lines } = recordingLog()
  const client = new RedisClient({ log, open: openApart })
  onCleanup(() => client.close())
  client.follow('berlin', redisSettings(port, { ...LOGIN, ...over }))
  const told = () => lines.map(({ event, reason }) => [event, reason].filter(Boolean).join(' '))
  return {
    client,
    told,
    isConnected: () => until(() => client.status.state === 'connected', { what: () => told().join() }),
    isAway: (reason: RedisReason) =>
      until(() => client.status.state === 'away' && client.status.fault?.reason === reason, {
        what: () => `${reason}: ${told().join()}, ${JSON.stringify(client.status)}`,
      }),
  }
}

describe('redis of a site', function () {
  this.timeout(60_000)
  let file = ''
  let server: RedisServer
  before(function () {
    file = redisProgram(() => this.skip())
  })
  beforeEach(async () => {
    server = await aclServer(file)
  })

  it('answers, and passes messages on, with the ACL of the documents', async () => {
    const { client, isConnected, told } = clientOf(server.port)
    const heard: string[] = []
    let readings = 0
    const end = client.subscribe(
      client.key('overrides'),
      text => heard.push(text),
      () => readings++,
    )
    await isConnected()
    await until(() => readings === 1)
    assert.equal(client.key('member', 'x'), '{lvsd:berlin}:member:x')
    await client.run('SET', [client.key('a'), 'b', 'PX', 1000])
    assert.equal(await client.run('GET', [client.key('a')]), 'b')
    const answer = await client.script("return redis.call('GET', KEYS[1]) .. ARGV[1]", [client.key('a')], [7])
    assert.equal(answer, 'b7')
    await client.run('PUBLISH', [client.key('overrides'), 'news'])
    await until(() => heard.length === 1)
    end()
    assert.deepEqual(told(), ['redis.connected'])
    const [log, keys] = await server.tell(['ACL', 'LOG'], ['KEYS', '*'])
    assert.deepEqual(log, [], 'no command of lvsd is refused')
    for (const key of keys as string[]) assert.ok(Number((await server.tell(['PTTL', key]))[0]) > 0, key)
  })

  it('is examined by doctor, with each command', async () => {
    assert.deepEqual([...TRIED, ...UNTRIED].filter(name => ALL.includes(name)).sort(), [...ALL].sort())
    const settings = redisSettings(server.port, LOGIN)
    const good = await examineRedis('berlin', settings)
    assert.deepEqual([good.fault, good.refused, typeof good.version], [null, [], 'string'])
    assert.deepEqual((await server.tell(['ACL', 'LOG']))[0], [])
    await server.tell(['ACL', 'SETUSER', 'lvsd', '-eval', '-publish'])
    assert.deepEqual((await examineRedis('berlin', settings, openApart)).refused, ['EVAL', 'PUBLISH'])
    assert.equal(
      (await examineRedis('berlin', { ...settings, password: 'x' }, openApart)).fault?.reason,
      'WRONGPASS',
    )
    await server.kill()
    assert.equal((await examineRedis('berlin', settings, openApart)).fault?.reason, 'refused')
  })

  it('has no command that is younger than Redis 6.0', async function () {
    // COMMAND DOCS.
    if (redisVersion(file) < 7) this.skip()
    const all = { ...REDIS_COMMANDS, ...CLUSTER_COMMANDS, ...SENTINEL_COMMANDS }
    for (const [name, { since }] of Object.entries(all)) {
      assert.ok(Number.parseFloat(since) <= 6, `${name} ${since}`)
      // A server that is no sentinel does not know those.
      if (name in SENTINEL_COMMANDS) continue
      const [docs] = await server.tell(['COMMAND', 'DOCS', name.toLowerCase().replace(' ', '|')])
      const told = (docs as string[][])[1] ?? []
      assert.equal(told[told.indexOf('since') + 1], since, name)
    }
  })

  it('delays nothing while it is silent, and is used again when it answers', async () => {
    const { client, isConnected, isAway, told } = clientOf(server.port)
    await isConnected()
    server.signal('SIGSTOP')
    const began = performance.now()
    await assert.rejects(client.run('GET', [client.key('a')], { within: 100 }), /does not answer in time/)
    assert.ok(performance.now() - began < 900)
    await isAway('silent')
    await assert.rejects(client.run('GET', [client.key('a')]), /does not answer/, 'fails at once')
    server.signal('SIGCONT')
    await isConnected()
    assert.deepEqual(told(), ['redis.connected', 'redis.away silent', 'redis.back'])
  })

  it('is used again after it was killed and started', async () => {
    const { client, isConnected, isAway, told } = clientOf(server.port)
    let readings = 0
    client.subscribe(
      client.key('x'),
      () => {},
      () => readings++,
    )
    await isConnected()
    await until(() => readings === 1)
    await server.kill()
    await isAway('refused')
    await server.start()
    await isConnected()
    await until(() => readings === 2, { what: 'the second reading' })
    assert.deepEqual(told(), ['redis.connected', 'redis.away closed', 'redis.back'])
  })

  it('tells why it accepts no writes, and is used again without a restart', async () => {
    const { client, isConnected, isAway, told } = clientOf(server.port)
    await isConnected()
    const cases: [RedisReason, (string | number)[], (string | number)[]][] = [
      ['OOM', ['CONFIG', 'SET', 'maxmemory', 1], ['CONFIG', 'SET', 'maxmemory', 0]],
      ['READONLY', ['REPLICAOF', '::1', 9], ['REPLICAOF', 'NO', 'ONE']],
      ['NOPERM', ['ACL', 'SETUSER', 'lvsd', '-set'], ['ACL', 'SETUSER', 'lvsd', '+set']],
      ['WRONGPASS', ['ACL', 'SETUSER', 'lvsd', 'off'], ['ACL', 'SETUSER', 'lvsd', 'on']],
    ]
    for (const [reason, wrong, right] of cases) {
      await server.tell(wrong)
      if (reason === 'WRONGPASS') await server.tell(['CLIENT', 'KILL', 'USER', 'lvsd'])
      await isAway(reason)
      await server.tell(right)
      await isConnected()
    }
    assert.equal(told().filter(line => line.startsWith('redis.away')).length, cases.length, told().join())
    const info = (await server.tell(['INFO', 'server'])).join()
    const valkey = /valkey_version:(.*)\r/.exec(info)?.[1]
    const version = valkey === undefined ? /redis_version:(.*)\r/.exec(info)?.[1] : `Valkey ${valkey}`
    assert.equal(client.status.version, version)
  })

  it('tells of one key and one command that do not work, while the others do', async () => {
    const { client, isConnected, isAway, told } = clientOf(server.port)
    await isConnected()
    const key = client.key('list')
    await server.tell(['LPUSH', key, 'x'])
    for (let i = 0; i < 3; i++) await assert.rejects(client.run('GET', [key]), /another type.*berlin}:list/)
    await isAway('WRONGTYPE')
    await assert.rejects(client.script("return redis.call('GET', KEYS[1])", [key], []), /WRONGTYPE/)
    assert.equal(await client.run('GET', [client.key('other')]), null)
    await server.tell(['DEL', key])
    await client.run('GET', [key])
    await isConnected()
    await server.tell(['ACL', 'SETUSER', 'lvsd', '-incr'])
    await assert.rejects(client.run('INCR', [client.key('n')]), /permission \(INCR\)/)
    await isAway('NOPERM')
    await server.tell(['ACL', 'SETUSER', 'lvsd', '+incr'])
    await client.run('INCR', [client.key('n')])
    await isConnected()
    await assert.rejects(client.run('GET', ['elsewhere']), /NOPERM/, 'keys of others are out of reach')
    assert.deepEqual(told().slice(0, 5), [
      'redis.connected',
      'redis.away WRONGTYPE',
      'redis.back',
      'redis.away NOPERM',
      'redis.back',
    ])
  })

  it('tells that messages do not arrive', async function () {
    if (redisVersion(file) < CHANNEL_PERMISSIONS) this.skip()
    const { client, isConnected, isAway } = clientOf(server.port)
    await server.tell(['ACL', 'SETUSER', 'lvsd', 'resetchannels'])
    client.subscribe(client.key('x'), () => {})
    await isAway('NOPERM')
    await client.run('GET', [client.key('a')])
    await server.tell(['ACL', 'SETUSER', 'lvsd', '&{lvsd:*'])
    await isConnected()
  })

  it('ends the connection to a cluster when that of its messages ends, so that no message is missed', async () => {
    const options = ['--cluster-enabled', 'yes', '--cluster-announce-ip', '::1']
    const port = await clusterPort()
    const node = await redisServer({ file, port, options })
    const slots = Array.from({ length: 16_384 }, (_, slot) => slot)
    await node.tell(['CLUSTER', 'ADDSLOTS', ...slots])
    await until(async () => String((await node.tell(['CLUSTER', 'INFO']))[0]).includes('cluster_state:ok'))
    const warnings: string[] = []
    const warn = ({ message }: Error) => warnings.push(message)
    process.on('warning', warn)
    onCleanup(() => process.off('warning', warn))
    const heard: string[] = []
    const ended: unknown[] = []
    const open = (attempt: number) =>
      openConnection({
        settings: redisSettings(0, { url: null, cluster: [{ host: '::1', port }] }),
        attempt,
        onEnd: error => ended.push(error),
        onMessage: (channel, text) => heard.push(`${channel} ${text}`),
      })
    for (let attempt = 0; attempt < 12; attempt++) {
      const connection = await open(attempt)
      await connection.send('SUBSCRIBE', ['a', 'b'])
      await connection.send('UNSUBSCRIBE', ['b'])
      await connection.send('PUBLISH', ['b', 'x'])
      await connection.send('PUBLISH', ['a', `${attempt}`])
      await until(() => heard.at(-1) === `a ${attempt}`)
      await node.tell(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
      await until(() => ended.length === attempt + 1)
      await assert.rejects(connection.send('GET', ['a']))
    }
    assert.deepEqual([heard.length, ended.length, warnings], [12, 12, []])
    const clients = async () =>
      String((await node.tell(['CLIENT', 'LIST']))[0])
        .trim()
        .split('\n')
    await until(async () => (await clients()).length === 1, { what: 'all other connections are closed' })
  })

  it('wants a login, and the right one; a reload with the right one connects', async () => {
    const { client, isConnected, isAway } = clientOf(server.port, { password: 'wrong' })
    await isAway('WRONGPASS')
    client.follow('berlin', redisSettings(server.port, LOGIN))
    await isConnected()
    const { since } = client.status
    client.follow('berlin', redisSettings(server.port, LOGIN))
    assert.deepEqual([client.status.state, client.status.since], ['connected', since], 'the same settings')
    await server.tell(['CONFIG', 'SET', 'requirepass', 'x'])
    client.follow('berlin', redisSettings(server.port))
    await isAway('NOAUTH')
  })

  it('connects over TLS, and tells what is wrong with a certificate', async () => {
    const port = await freePort()
    const files = ['--tls-cert-file', tlsFile('server.crt'), '--tls-key-file', tlsFile('key.pem')]
    const secure = ['--tls-ca-cert-file', tlsFile('ca.crt'), '--tls-auth-clients', 'no']
    const other = await redisServer({
      file,
      port: await freePort(),
      options: ['--tls-port', `${port}`, ...files, ...secure],
    })
    const url = { host: '::1', port, database: 0, tls: true }
    const tls = { ca: tlsFile('ca.crt'), cert: null, key: null, servername: null }
    const plain = { username: null, password: null }
    await clientOf(port, { url, tls, ...plain }).isConnected()
    await clientOf(port, { url, ...plain }).isAway('certificate')
    await clientOf(port, { url, tls: { ...tls, servername: 'other.example' }, ...plain }).isAway(
      'certificate',
    )
    await clientOf(port, { url, tls: { ...tls, ca: '/nowhere/ca.crt' }, ...plain }).isAway('file')
    await clientOf(other.port, { url: { ...url, port: other.port }, tls, ...plain }).isAway('silent')
  })
})
