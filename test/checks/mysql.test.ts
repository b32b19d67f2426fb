import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { check } from '../../checks/mysql.js'
import { probe } from '../helpers/probe.js'
import { tcpServer } from '../helpers/servers.js'
import { failsAsAll } from './_library-faults.js'
import { problemOf } from './_options.js'
import { freePort, programOr } from './_programs.js'
import { diesAnywhere } from './_relay.js'
import { Place } from './_services.js'

const path = (name: string) => fileURLToPath(new URL(`tls/${name}`, import.meta.url))
const SLOW = { timeout: 15_000 }

function packet(sequence: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([body.length, 0, 0, sequence]), body])
}

/** Version 10: number, salt, capabilities, mysql_native_password. */
const GREETING = packet(
  0,
  Buffer.from('\n10.11.6-lvsd\0'),
  Buffer.from('01000000', 'hex'),
  Buffer.from('abcdefgh\0'),
  Buffer.from('fff70802000bf815', 'hex'),
  Buffer.alloc(10),
  Buffer.from('ijklmnopqrst\0mysql_native_password\0'),
)
const OK = packet(2, Buffer.from('00000002000000', 'hex'))
/** The answer to a command. */
const SET = packet(1, Buffer.from('00000002000000', 'hex'))
const FULL = packet(0, Buffer.from('ff1004', 'hex'), Buffer.from('Too many connections'))
/** Sends a client, instead of an answer, the name of a file that it would like to have. */
const FILE_PLEASE = packet(1, Buffer.from('\xfb/etc/passwd', 'latin1'))

describe('mysql', () => {
  failsAsAll(check, { request: 'SELECT 1' }, Buffer.concat([GREETING, OK]))

  it('is down when the server is full', async () => {
    const server = await tcpServer(socket => socket.resume().end(FULL))
    const result = await probe(check, server)
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /Too many connections \(ER_CON_COUNT_ERROR\)/)
  })

  it('is down when the server has no TLS', async () => {
    const server = await tcpServer(socket => socket.resume().write(GREETING))
    const result = await probe(check, server, { tls: true })
    assert.equal(result.reason, 'tls')
    assert.match(result.detail, /does not offer TLS/)
  })

  it('gives no file of its machine to a server that asks for one', async () => {
    let heard = ''
    const server = await tcpServer(socket => {
      const answers = [OK, SET, FILE_PLEASE]
      socket.on('data', chunk => {
        heard += chunk.toString('latin1')
        socket.write(answers.shift() ?? '')
      })
      socket.write(GREETING)
    })
    const result = await probe(check, server, { request: 'SELECT 1' }, { timeout: 500 })
    assert.equal(result.ok, false)
    assert.match(heard, /SELECT 1/)
    assert.doesNotMatch(heard, /root:/)
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(check, { receive: 'a' }) ?? '', /receive needs request/)
    assert.match(problemOf(check, { verify: true }) ?? '', /verify needs tls/)
  })
})

describe('a MariaDB server', function () {
  this.timeout(60_000)
  let place: Place
  let port: number

  before(async function () {
    const file = programOr(() => this.skip(), 'mariadbd', 'mariadb-server')
    place = new Place()
    port = await freePort()
    const data = `${place.folder}/data`
    const user = process.getuid?.() === 0 ? ['--user=root'] : []
    const install = file.replace(/sbin\/mariadbd$/, 'bin/mariadb-install-db')
    place.run(install, [
      '--no-defaults',
      `--datadir=${data}`,
      '--auth-root-authentication-method=normal',
      '--skip-test-db',
      ...user,
    ])
    const init = place.file(
      'init.sql',
      `CREATE USER lvsd@'%' IDENTIFIED BY 'geheim';
CREATE USER secure@'%' IDENTIFIED BY 'geheim' REQUIRE SSL;
CREATE DATABASE state;
CREATE TABLE state.director (name VARCHAR(20), enabled INT);
INSERT INTO state.director VALUES ('web', 1), ('mail', 0);
GRANT SELECT, UPDATE ON state.* TO lvsd@'%';
`,
    )
    await place.start(
      file,
      [
        '--no-defaults',
        ...user,
        `--datadir=${data}`,
        `--port=${port}`,
        '--bind-address=::1',
        `--socket=${place.folder}/socket`,
        `--init-file=${init}`,
        '--skip-log-bin',
        // Servers that die in the handshake must not be taken for an attack.
        '--max-connect-errors=100000',
        '--innodb-flush-log-at-trx-commit=0',
        `--ssl-cert=${path('server.crt')}`,
        `--ssl-key=${path('key.pem')}`,
        `--ssl-ca=${path('ca.crt')}`,
      ],
      async () => (await probe(check, port, { passwd: 'geheim' }, SLOW)).ok === true,
    )
  })
  after(() => place?.close())

  const there = { login: 'lvsd', passwd: 'geheim', database: 'state' }
  const asking = (request: string) => ({ ...there, request })
  const cases: [string, Record<string, unknown>, string | null, RegExp][] = [
    ['lets in', there, null, /^logged in as lvsd$/],
    ['has rows', asking('SELECT * FROM director WHERE enabled'), null, /^1 row$/],
    ['has rows and more after them', asking('SELECT seq FROM mysql.seq_1_to_100000'), 'status', /denied/],
    ['has many rows', asking('SELECT seq FROM seq_1_to_100000'), null, /100 rows or more/],
    ['has the expected text', { ...asking('SELECT * FROM director'), receive: '^mail$' }, null, /2 rows/],
    [
      'has another text',
      { ...asking('SELECT * FROM director'), text: 'ftp' },
      'unexpected',
      /no "ftp" in the first column of 2 rows/,
    ],
    ['has the text elsewhere', { ...asking("SELECT 'x', 'on'"), text: 'on' }, 'unexpected', /1 row/],
    ['has nothing in the column', { ...asking('SELECT NULL'), text: 'on' }, 'unexpected', /1 row/],
    ['has no rows', asking('SELECT * FROM director WHERE enabled = 7'), 'unexpected', /no rows/],
    ['changes rows', asking('UPDATE director SET enabled = enabled + 10'), null, /2 rows changed/],
    ['does nothing', asking('DO 1'), 'unexpected', /no rows/],
    ['is asked two things', asking('SELECT 1; SELECT 2'), 'status', /ER_PARSE_ERROR/],
    ['does not understand', asking('SELEC 42'), 'status', /ER_PARSE_ERROR/],
    ['has no such table', asking('SELECT * FROM none'), 'status', /denied|exist/],
    ['has no such database', { ...there, database: 'none' }, 'status', /ER_DBACCESS_DENIED_ERROR/],
    ['knows another password', { ...there, passwd: 'wrong' }, 'status', /ER_ACCESS_DENIED_ERROR/],
    ['wants a password', { ...there, passwd: '' }, 'status', /using password: NO/],
    ['knows no such user', { ...there, login: 'none' }, 'status', /ER_ACCESS_DENIED_ERROR/],
    ['wants TLS', { login: 'secure', passwd: 'geheim' }, 'status', /ER_ACCESS_DENIED_ERROR/],
    ['gets TLS', { login: 'secure', passwd: 'geheim', tls: true }, null, /logged in/],
    [
      'is asked in TLS',
      { ...asking("SHOW STATUS LIKE 'Ssl_cipher'"), tls: true, receive: '^Ssl' },
      null,
      /1 row/,
    ],
    ['shows its certificate', { ...there, tls: true, verify: true, ca: path('ca.crt') }, null, /logged in/],
    ['shows one of others', { ...there, tls: true, verify: true }, 'tls', /authority|issuer/],
    [
      'has another name',
      { ...there, tls: true, verify: true, ca: path('ca.crt'), verifyname: 'a.example' },
      'tls',
      /another name/,
    ],
  ]
  for (const [phrase, options, reason, said] of cases)
    it(`is judged where it ${phrase}`, async () => {
      const result = await probe(check, port, options, SLOW)
      assert.equal(result.reason, reason, result.detail)
      assert.match(result.detail, said)
    })

  it('is down when it thinks too long, and thinks no further', async () => {
    const { ok } = await probe(check, port, asking('SELECT SLEEP(77)'), { timeout: 400 })
    assert.equal(ok, false)
    const others = "FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'"
    const request = `SELECT 1 WHERE NOT EXISTS (SELECT 1 ${others})`
    for (let i = 0; i < 100; i++) if ((await probe(check, port, asking(request), SLOW)).ok) return
    assert.fail('it goes on')
  })

  it('is down wherever it dies', () => diesAnywhere(check, port, asking('SELECT 42')))

  it('is down wherever it dies in TLS', () =>
    diesAnywhere(check, port, { ...asking('SELECT 42'), tls: true }, { spare: 40 }))
})
