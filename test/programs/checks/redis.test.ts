import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { check } from '../../../checks/redis.js'
import { type Case, isJudgedWhere, SLOW } from '../../support/checks/cases.js'
import { failsAsAll } from '../../support/checks/library-faults.js'
import { problemOf } from '../../support/checks/options.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { Place } from '../../support/checks/services.js'
import { probe } from '../../support/probe.js'
import { saying, tcpServer } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

/** Says these commands in their inline form, and waits until the server has hung up. */
async function tell(port: number, ...commands: readonly string[]): Promise<void> {
  const socket = connect({ host: '::1', port }).resume()
  socket.write(`${[...commands, 'QUIT'].join('\r\n')}\r\n`)
  await once(socket, 'close')
}

describe('redis', () => {
  failsAsAll(check, {}, Buffer.from('+PON'))

  it('is down when the server answers with an error, for example while it loads its data', async () => {
    const result = await probe(check, await saying('-LOADING Redis is loading the dataset in memory\r\n'))
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /LOADING Redis is loading/)
  })

  const rubbish: [string, string, string, Record<string, unknown>?][] = [
    ['a null more than was asked for', '+PONG\r\n$-1\r\n', 'garbage'],
    ['two null texts', '$-1\r\n$-1\r\n', 'garbage'],
    ['two null arrays', '*-1\r\n*-1\r\n', 'garbage'],
    ['a null text', '$-1\r\n', 'unexpected'],
    ['arrays in each other without end', '*1\r\n'.repeat(10_000), 'garbage'],
    ['a text longer than Redis has', '$99999999999\r\n', 'garbage'],
    ['a text longer than is read', `$100000\r\n${'a'.repeat(100_000)}\r\n`, 'too-big'],
    ['an array longer than Redis has', '*999999999\r\n', 'garbage'],
    ['an array longer than is read', '*9999\r\n:1\r\n', 'too-big'],
    [
      'arrays of arrays that are long in all',
      `*3000\r\n${'*3000\r\n'.repeat(3)}${':1\r\n'.repeat(9000)}`,
      'too-big',
    ],
    ['a length that is none', '$1e1\r\n', 'garbage'],
    ['a length with a sign', '$-2\r\n', 'garbage'],
    ['a text without its end', '$4\r\nPONGxx', 'garbage'],
    ['an error within an array', '*1\r\n-ERR no\r\n', 'garbage'],
    ['a line without end', `+${'PONG'.repeat(1000)}`, 'too-big'],
    ['a type of another protocol version', '%1\r\n+a\r\n+b\r\n', 'garbage'],
    ['nothing but empty lines', '\r\n'.repeat(9000), 'garbage'],
  ]
  for (const [phrase, said, reason] of rubbish)
    it(`is down when the server sends ${phrase}`, async () => {
      const result = await probe(check, await saying(said))
      assert.deepEqual([result.ok, result.reason], [false, reason], result.detail)
    })

  it('is down as a replica without a link to its primary, unless the configuration allows it', async () => {
    const replies: Record<string, string> = {
      PING: '+PONG\r\n',
      ROLE: '*5\r\n$5\r\nslave\r\n$3\r\n::2\r\n:6379\r\n$7\r\nconnect\r\n:-1\r\n',
    }
    const server = await tcpServer(socket => {
      socket.on('data', chunk => socket.write(replies[/[A-Z]+/.exec(String(chunk))?.[0] ?? ''] ?? '-ERR\r\n'))
    })
    const { reason, detail } = await probe(check, server, { role: 'replica' })
    assert.equal(reason, 'unexpected')
    assert.match(
      detail,
      /link of the replica to its primary, "::2" port "6379", is "connect", expected "connected"/,
    )
    assert.equal((await probe(check, server, { role: 'replica', link: 'any' })).ok, true)
    assert.match(problemOf(check, { link: 'any' }) ?? '', /link needs role: replica/)
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

describe('redis server', function () {
  this.timeout(60_000)
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
        ...['--tls-cert-file', tlsFile('server.crt'), '--tls-key-file', tlsFile('key.pem')],
        ...['--tls-ca-cert-file', tlsFile('ca.crt'), '--tls-auth-clients', 'no'],
        ...['--user', 'lvsd', 'on', '>secret', '~lvsd:*', '+ping', '+get', '+auth'],
      ],
      plain,
    )
    await place.start(file, [...all, '--port', `${replica}`, '--replicaof', '::1', `${plain}`], replica)
    await tell(plain, 'AUTH geheim', 'SET state on', 'LPUSH list one')
  })
  after(() => place?.close())

  const passwd = 'geheim'
  const cases: Case[] = [
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
  isJudgedWhere(check, () => plain, cases)

  it('is checked as a replica without a password', async () => {
    const refused = await probe(check, replica, { role: 'replica' }, SLOW)
    assert.match(
      refused.detail,
      /link of the replica/,
      'the primary wants a password that the replica does not know',
    )
    await tell(replica, 'CONFIG SET masterauth geheim')
    let judged = refused
    for (let i = 0; i < 200 && !judged.ok; i++) {
      await new Promise(soon => setTimeout(soon, 100))
      judged = await probe(check, replica, { role: 'replica' }, SLOW)
    }
    assert.equal(judged.ok, true, judged.detail)
    const result = await probe(check, replica, { role: 'primary', passwd }, SLOW)
    assert.equal(result.reason, 'status', 'a password where none is wanted is an error of the server')
  })

  it('is judged over TLS', async () => {
    const tls = { tls: true, passwd }
    assert.equal((await probe(check, secure, tls, SLOW)).ok, true)
    assert.equal((await probe(check, secure, { ...tls, verify: true, ca: tlsFile('ca.crt') }, SLOW)).ok, true)
    assert.equal((await probe(check, secure, { ...tls, verify: true }, SLOW)).reason, 'tls')
    assert.match((await probe(check, plain, tls, { timeout: 200 })).reason ?? '', /tls|closed|timeout/)
    assert.notEqual((await probe(check, secure, { passwd }, SLOW)).ok, true)
  })

  it('is down if the connection ends at any point', () =>
    diesAnywhere(check, plain, { passwd, get: 'state', value: 'on' }))

  it('is down if the connection ends at any point of TLS', () =>
    diesAnywhere(check, secure, { passwd, get: 'state', value: 'on', tls: true }, { spare: 40 }))
})
