import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { check } from '../../../checks/pgsql.js'
import { type Case, SLOW } from '../../support/checks/cases.js'
import { failsAsAll } from '../../support/checks/library-faults.js'
import { problemOf } from '../../support/checks/options.js'
import { freePort } from '../../support/checks/programs.js'
import { Place, postgresProgram } from '../../support/checks/services.js'
import { isAskedInSql } from '../../support/checks/sql.js'
import { probe } from '../../support/probe.js'
import { saying } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

/** AuthenticationOk, a parameter, the key of the backend, ReadyForQuery. */
const READY = Buffer.from(
  '520000000800000000530000000e6c763676640034004b0000000c00000001000000025a0000000549',
  'hex',
)
const FULL = Buffer.from('E\0\0\0\x2cSFATAL\0C53300\0Msorry, too many clients\0\0')

describe('pgsql', () => {
  failsAsAll(check, { request: 'SELECT 1' }, READY)

  it('is down when the server refuses the login', async () => {
    const result = await probe(check, await saying(FULL))
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /FATAL: sorry, too many clients \(53300\)/)
  })

  it('is down when the server cannot start a process', async () => {
    const { reason, detail } = await probe(
      check,
      await saying('Ecould not fork new process for connection: no memory\n\0'),
    )
    assert.deepEqual([reason, detail], ['status', 'could not fork new process for connection: no memory'])
  })

  const message = (code: string, body: string | Buffer, length = Buffer.byteLength(body) + 4) => {
    const head = Buffer.alloc(5)
    head.write(code)
    head.writeUInt32BE(length, 1)
    return Buffer.concat([head, Buffer.from(body)])
  }
  const many = (one: Buffer, length = 65_536) => Buffer.alloc(length, one)
  const rubbish: [string, Buffer, string][] = [
    ['64 KB of zeros', Buffer.alloc(65_536), 'garbage'],
    ['64 KB of capital letters', Buffer.alloc(65_536, 'SZTDCE'), 'garbage'],
    ['an error without fields and without an end', message('E', ''), 'garbage'],
    ['an error whose fields do not end', message('E', 'SFATAL'), 'garbage'],
    ['an error that goes on behind its end', message('E', 'SFATAL\0\0more'), 'garbage'],
    ['errors without end', many(message('E', 'Mno\0\0')), 'garbage'],
    ['notices without end', many(message('N', 'Mno\0\0')), 'closed'],
    [
      'a row of more columns than it has',
      Buffer.concat([READY, message('D', Buffer.from('7fff00000001', 'hex'))]),
      'garbage',
    ],
    ['rows that nobody asked for', many(message('D', Buffer.from('0001000000016100', 'hex'))), 'garbage'],
    ['a description that breaks off', message('T', Buffer.from('00016100', 'hex')), 'garbage'],
    ['a command without its end', message('C', 'SELECT 1'), 'garbage'],
    ['a parameter without its value', message('S', 'a\0'), 'garbage'],
    ['ways to log in without end', message('R', Buffer.from('0000000a6161', 'hex')), 'garbage'],
    [
      'wishes for passwords without end',
      many(message('R', Buffer.from('0000000561626364', 'hex'))),
      'garbage',
    ],
    ['a length of zero', message('Z', 'I', 0), 'garbage'],
    ['a length of 4 GB', message('D', '', 0xffffffff), 'garbage'],
    ['a length of 100 MB', message('D', '', 100_000_000), 'too-big'],
  ]
  for (const [phrase, said, reason] of rubbish)
    it(`is down at once when the server sends ${phrase}`, async () => {
      const before = performance.eventLoopUtilization()
      const result = await probe(check, await saying(said), { request: 'SELECT 1' }, { timeout: 5000 })
      assert.deepEqual([result.ok, result.reason], [false, reason], result.detail)
      assert.ok(performance.eventLoopUtilization(before).active < 2000)
    })

  it('is down when the server has no TLS, or something else to say', async () => {
    for (const [said, reason, detail] of [
      ['N', 'tls', /does not offer TLS/],
      ['E', 'garbage', /does not answer as PostgreSQL/],
      ['SS', 'garbage', /more than one byte/],
    ] as const) {
      const result = await probe(check, await saying(said), { tls: true })
      assert.equal(result.reason, reason)
      assert.match(result.detail, detail)
    }
    assert.equal((await probe(check, await saying('S'), { tls: true })).ok, false)
    assert.match((await probe(check, await saying(''), { tls: true })).detail, /closed/)
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(check, { receive: 'a' }) ?? '', /receive needs request/)
    assert.match(problemOf(check, { text: 'a' }) ?? '', /text needs request/)
    assert.match(problemOf(check, { request: 'a', receive: 'a', text: 'b' }) ?? '', /not both/)
    assert.match(problemOf(check, { ca: 'x' }) ?? '', /ca needs tls/)
  })
})

describe('pgsql: a PostgreSQL server', function () {
  this.timeout(60_000)
  let place: Place
  let port: number

  before(async function () {
    const initdb = postgresProgram('initdb')
    if (initdb === '') {
      assert.ok(!process.env.CI, 'CI needs PostgreSQL: install the package postgresql')
      console.log('      left out: there is no PostgreSQL here (package postgresql)')
      this.skip()
    }
    place = new Place({ unprivileged: true })
    port = await freePort()
    const data = `${place.folder}/data`
    const password = place.file('password', 'geheim\n')
    const how = ['-A', 'scram-sha-256', '-U', 'lvsd', `--pwfile=${password}`, '--locale=C', '-E', 'UTF8']
    place.run(initdb, ['-D', data, '--no-sync', ...how])
    const cert = place.file('server.crt', readFileSync(tlsFile('server.crt'), 'utf8'))
    const key = place.file('key.pem', readFileSync(tlsFile('key.pem'), 'utf8'), 0o600)
    const settings = {
      listen_addresses: '::1',
      port,
      unix_socket_directories: '',
      fsync: 'off',
      ssl: 'on',
      ssl_cert_file: cert,
      ssl_key_file: key,
    }
    const argv = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    await place.start(postgresProgram('postgres'), ['-D', data, ...argv], async () => {
      const { detail } = await probe(check, port, { ...known, database: 'postgres' }, SLOW)
      return /^logged in/.test(detail)
    })
  })
  after(() => place?.close('SIGQUIT'))

  const known = { login: 'lvsd', passwd: 'geheim' }
  const there = { ...known, database: 'postgres' }
  const cases: Case[] = [
    ['lets in', there, null, /^logged in as lvsd$/],
    ['has rows', { ...there, request: 'SELECT 42' }, null, /^1 row$/],
    [
      'has rows and more after them',
      { ...there, request: 'SELECT generate_series(1, 100000)' },
      null,
      /100 rows or more/,
    ],
    [
      'has the expected text',
      { ...there, request: "SELECT 'x', 'no' UNION SELECT 'on', ''", receive: '^on$' },
      null,
      /2 rows/,
    ],
    [
      'has the text far down',
      { ...there, request: 'SELECT generate_series(1, 5000)', receive: '^4711$' },
      null,
      /or more/,
    ],
    [
      'has another text',
      { ...there, request: 'SELECT 42', receive: '^43$' },
      'unexpected',
      /no \/\^43\$\/ in the first column of 1 row: "42"$/,
    ],
    [
      'has the text elsewhere',
      { ...there, request: "SELECT 'x', 'on'", text: 'on' },
      'unexpected',
      /first column/,
    ],
    ['has nothing in the column', { ...there, request: 'SELECT NULL', text: 'on' }, 'unexpected', /1 row/],
    ['has no rows', { ...there, request: 'SELECT 1 WHERE false' }, 'unexpected', /no rows/],
    [
      'changes rows',
      { ...there, request: 'CREATE TEMP TABLE t (n int); INSERT INTO t VALUES (1), (2)' },
      null,
      /2 rows changed/,
    ],
    ['does nothing', { ...there, request: '-- nothing' }, 'unexpected', /no rows/],
    ['does not understand', { ...there, request: 'SELEC 42' }, 'status', /ERROR: syntax error .*42601/],
    [
      'fails late',
      { ...there, request: 'SELECT 1 / (3 - n) FROM generate_series(1, 5) AS n' },
      'status',
      /division by zero/,
    ],
    ['has no such database', { ...known, database: 'none' }, 'status', /3D000/],
    ['has no database for the user', known, 'status', /database "lvsd" does not exist/],
    ['knows another password', { ...there, passwd: 'wrong' }, 'status', /28P01/],
    ['wants a password', { ...there, passwd: '' }, 'status', /requires a password: set passwd/],
    ['knows no such user', { ...there, login: 'none' }, 'status', /28P01/],
    [
      'is asked in TLS',
      { ...there, tls: true, request: 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()', text: 't' },
      null,
      /1 row/,
    ],
  ]
  isAskedInSql(check, () => port, {
    there,
    cases,
    slow: 'SELECT pg_sleep(77)',
    noneSlow:
      "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE query ~ 'sleep.77' AND state = 'active' AND pid <> pg_backend_pid())",
  })
})
