import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { check } from '../../checks/redis.js'
import { probe } from '../helpers/probe.js'
import { saying } from '../helpers/servers.js'
import { failsAsAll } from './_library-faults.js'
import { problemOf } from './_options.js'
import { freePort, programOr } from './_programs.js'
import { diesAnywhere } from './_relay.js'
import { Place } from './_services.js'

const path = (name: string) => fileURLToPath(new URL(`tls/${name}`, import.meta.url))
const SLOW = { timeout: 15_000 }

describe('redis', () => {
  failsAsAll(check, {}, Buffer.from('+PON'))

  it('is down when the server answers with an error, as while it loads its data', async () => {
    const result = await probe(check, await saying('-LOADING Redis is loading the dataset in memory\r\n'))
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /LOADING Redis is loading/)
  })

  it('is up over IPv4 too', async () => {
    assert.equal((await probe(check, await saying('+PONG\r\n', '127.0.0.1'))).ok, true)
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(check, { value: 'x' }) ?? '', /value needs get/)
    assert.match(problemOf(check, { login: 'x' }) ?? '', /login needs passwd/)
    assert.match(problemOf(check, { verify: true }) ?? '', /verify needs tls/)
    assert.equal(problemOf(check, { tls: true, verify: true, get: 'x', value: '' }), null)
  })
})

describe('a Redis server', function () {
  this.timeout(30_000)
  let place: Place
  let plain: number
  let secure: number
  let replica: number

  before(async function () {
    const file = programOr(() => this.skip(), 'redis-server', 'redis-server')
    place = new Place()
    ;[plain, secure, replica] = [await freePort(), await freePort(), await freePort()]
    const all = ['--bind', '::1', '--save', '', '--dir', place.folder]
    await place.start(
      file,
      [
        ...all,
        ...['--port', `${plain}`, '--tls-port', `${secure}`, '--requirepass', 'geheim'],
        ...['--tls-cert-file', path('server.crt'), '--tls-key-file', path('key.pem')],
        ...['--tls-ca-cert-file', path('ca.crt'), '--tls-auth-clients', 'no'],
        ...['--user', 'lvsd', 'on', '>secret', '~lvsd:*', '+ping', '+get', '+auth'],
      ],
      plain,
    )
    await place.start(file, [...all, '--port', `${replica}`, '--replicaof', '::1', `${plain}`], replica)
    const { Redis } = await import('ioredis')
    const redis = new Redis({ host: '::1', port: plain, password: 'geheim', family: 6 })
    await redis.set('state', 'on')
    await redis.lpush('list', 'one')
    redis.disconnect()
  })
  after(() => place?.close())

  const passwd = 'geheim'
  const cases: [string, Record<string, unknown>, string | null, RegExp][] = [
    ['answers', { passwd }, null, /^PONG$/],
    ['is the primary', { passwd, role: 'primary' }, null, /primary/],
    ['is no replica', { passwd, role: 'replica' }, 'unexpected', /is primary, expected replica/],
    ['has a key', { passwd, get: 'state' }, null, /state is there/],
    ['has a key of another type', { passwd, get: 'list' }, null, /list is there/],
    ['has a value', { passwd, get: 'state', value: 'on' }, null, /state/],
    [
      'has another value',
      { passwd, get: 'state', value: 'off' },
      'unexpected',
      /"on" under "state", expected "off"/,
    ],
    ['has no such key', { passwd, get: 'none' }, 'unexpected', /no key "none"/],
    ['has no value', { passwd, get: 'none', value: 'on' }, 'unexpected', /nothing under "none"/],
    ['has a key elsewhere', { passwd, get: 'state', database: 3 }, 'unexpected', /no key/],
    ['has no such database', { passwd, get: 'state', database: 99 }, 'status', /out of range/],
    ['has a value of another type', { passwd, get: 'list', value: 'one' }, 'status', /WRONGTYPE/],
    ['wants a password', {}, 'status', /NOAUTH/],
    ['does not know the password', { passwd: 'wrong' }, 'status', /WRONGPASS/],
    ['knows the user', { login: 'lvsd', passwd: 'secret' }, null, /PONG/],
    ['does not know the user', { login: 'nobody', passwd: 'secret' }, 'status', /WRONGPASS/],
    ['forbids the user to look', { login: 'lvsd', passwd: 'secret', role: 'primary' }, 'status', /NOPERM/],
  ]
  for (const [phrase, options, reason, said] of cases)
    it(`is judged where it ${phrase}`, async () => {
      const result = await probe(check, plain, options, SLOW)
      assert.equal(result.reason, reason, result.detail)
      assert.match(result.detail, said)
    })

  it('is judged as a replica, which wants no password', async () => {
    assert.equal((await probe(check, replica, { role: 'replica' }, SLOW)).ok, true)
    const result = await probe(check, replica, { role: 'primary', passwd }, SLOW)
    assert.equal(result.reason, 'status', 'a password where none is wanted is an error of the server')
  })

  it('is judged over TLS', async () => {
    const tls = { tls: true, passwd }
    assert.equal((await probe(check, secure, tls, SLOW)).ok, true)
    assert.equal((await probe(check, secure, { ...tls, verify: true, ca: path('ca.crt') }, SLOW)).ok, true)
    assert.equal((await probe(check, secure, { ...tls, verify: true }, SLOW)).reason, 'tls')
    assert.match((await probe(check, plain, tls, { timeout: 200 })).reason ?? '', /tls|closed|timeout/)
    assert.notEqual((await probe(check, secure, { passwd }, SLOW)).ok, true)
  })

  // The library takes the last line for whole though its line feed is missing.
  it('is down wherever it dies', () =>
    diesAnywhere(check, plain, { passwd, get: 'state', value: 'on' }, { spare: 1 }))

  it('is down wherever it dies in TLS', () =>
    diesAnywhere(check, secure, { passwd, get: 'state', value: 'on', tls: true }, { spare: 41 }))
})
