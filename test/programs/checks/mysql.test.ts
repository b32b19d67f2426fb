import assert from 'node:assert/strict'
import { check } from '../../../checks/mysql.js'
import { type Case, SLOW } from '../../support/checks/cases.js'
import { failsAsAll } from '../../support/checks/library-faults.js'
import { problemOf } from '../../support/checks/options.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { Place } from '../../support/checks/services.js'
import { isAskedInSql } from '../../support/checks/sql.js'
import { probe } from '../../support/probe.js'
import { tcpServer } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

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

  it('is down when the server has too many connections', async () => {
    const server = await tcpServer(socket => socket.resume().end(FULL))
    const result = await probe(check, server)
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /Too many connections \(ER_CON_COUNT_ERROR\)/)
  })

  /** Where the server wants to go on by another plug-in. */
  const wish = (plugin: string, sequence = 2) =>
    packet(sequence, Buffer.from(`\xfe${plugin}\0`, 'latin1'), Buffer.alloc(32, 7))
  const answering = (...answers: readonly Buffer[]) =>
    tcpServer(socket => {
      const left = [...answers]
      socket.on('data', () => socket.write(left.shift() ?? ''))
      socket.write(GREETING)
    })

  it('names the authentication plug-in that it does not support', async () => {
    for (const plugin of ['parsec', 'auth_gssapi_client', 'dialog', 'mysql_clear_password']) {
      const { reason, detail } = await probe(check, await answering(wish(plugin)))
      assert.equal(reason, 'status', detail)
      assert.match(
        detail,
        new RegExp(`requires ${plugin} for \\S+, which lvsd does not support: give the user one of`),
      )
    }
  })

  it('accepts a few requests to switch to ed25519', async () => {
    const wishes = (count: number) =>
      Array.from({ length: count }, (_, i) =>
        wish(i % 2 ? 'mysql_native_password' : 'client_ed25519', 2 + 2 * i),
      )
    for (const count of [1, 2, 4]) {
      const { ok } = await probe(
        check,
        await answering(...wishes(count), packet(2 + 2 * count, OK.subarray(4))),
      )
      assert.equal(ok, true, `${count} wishes`)
    }
    const again = await probe(check, await answering(...wishes(5)))
    assert.deepEqual(
      [again.reason, again.detail],
      ['garbage', 'more than 4 requests for other authentication plug-ins'],
    )
  })

  const row = (sequence: number, text: string) =>
    packet(sequence, Buffer.from([text.length]), Buffer.from(text))
  /** A column of JSON, as MySQL describes it. */
  const COLUMN = Buffer.from('0364656600000001610161 0c3f00ffffffff f50000000000'.replaceAll(' ', ''), 'hex')
  const END = Buffer.from('fe00000200', 'hex')
  const rows = (...texts: readonly string[]) =>
    Buffer.concat([
      packet(1, Buffer.from([1])),
      packet(2, COLUMN),
      packet(3, END),
      ...texts.map((text, i) => row(4 + i, text)),
      packet(4 + texts.length, END),
    ])

  it('reads JSON columns, and the library prints nothing', async () => {
    const printed: unknown[][] = []
    const { warn, error, log, trace } = console
    Object.assign(
      console,
      Object.fromEntries(
        ['warn', 'error', 'log', 'trace'].map(name => [name, (...words: unknown[]) => printed.push(words)]),
      ),
    )
    try {
      const server = await answering(OK, SET, rows('{"a":"\u00e4"}'))
      const found = await probe(check, server, { request: 'SELECT 1', text: '"ä"' })
      assert.equal(found.ok, true, found.detail)
      const lost = Buffer.concat([packet(1, Buffer.from([1])), packet(9, COLUMN)])
      const { reason, detail } = await probe(check, await answering(OK, SET, lost), { request: 'SELECT 1' })
      assert.equal(reason, 'garbage')
      assert.match(detail, /packet 9, expected 2/)
      const odd = Buffer.concat([
        packet(1, Buffer.from([1])),
        packet(2, COLUMN),
        packet(3, END),
        packet(4, Buffer.from([0xff])),
      ])
      assert.equal((await probe(check, await answering(OK, SET, odd), { request: 'SELECT 1' })).ok, false)
      const none = Buffer.concat([
        packet(1, Buffer.from([1])),
        packet(2, COLUMN),
        packet(3, END),
        packet(4, Buffer.from([0, 0xff])),
      ])
      const silent = await probe(
        check,
        await answering(OK, SET, none),
        { request: 'SELECT 1' },
        { timeout: 1000 },
      )
      assert.equal(silent.ok, false)
    } finally {
      Object.assign(console, { warn, error, log, trace })
    }
    assert.deepEqual(printed, [])
  })

  it('is down if a server requests other plug-ins without end', async () => {
    const all = Buffer.concat(
      Array.from({ length: 1000 }, (_, i) => wish('mysql_native_password', (2 + i) % 256)),
    )
    const { ok, reason } = await probe(check, await answering(all))
    assert.deepEqual([ok, reason], [false, 'garbage'])
  })

  it('is down when the server has no TLS', async () => {
    const server = await tcpServer(socket => socket.resume().write(GREETING))
    const result = await probe(check, server, { tls: true })
    assert.equal(result.reason, 'tls')
    assert.match(result.detail, /does not offer TLS/)
  })

  it('sends no local file to a server that requests one', async () => {
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

describe('mysql: a MariaDB server', function () {
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
INSTALL SONAME 'auth_ed25519';
CREATE USER modern@'%' IDENTIFIED VIA ed25519 USING PASSWORD('geheim, und länger als zweiunddreißig Bytes');
CREATE USER either@'%' IDENTIFIED VIA ed25519 USING PASSWORD('new') OR mysql_native_password USING PASSWORD('old');
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
        `--ssl-cert=${tlsFile('server.crt')}`,
        `--ssl-key=${tlsFile('key.pem')}`,
        `--ssl-ca=${tlsFile('ca.crt')}`,
      ],
      async () => (await probe(check, port, { passwd: 'geheim' }, SLOW)).ok === true,
    )
  })
  after(() => place?.close())

  const there = { login: 'lvsd', passwd: 'geheim', database: 'state' }
  const asking = (request: string) => ({ ...there, request })
  const cases: Case[] = [
    ['lets in', there, null, /^logged in as lvsd$/],
    ['has rows', asking('SELECT * FROM director WHERE enabled'), null, /^1 row$/],
    ['has rows and more after them', asking('SELECT seq FROM mysql.seq_1_to_100000'), 'status', /denied/],
    ['has many rows', asking('SELECT seq FROM seq_1_to_100000'), null, /100 rows or more/],
    ['has the expected text', { ...asking('SELECT * FROM director'), receive: '^mail$' }, null, /2 rows/],
    [
      'has another text',
      { ...asking('SELECT * FROM director'), text: 'ftp' },
      'unexpected',
      /no "ftp" in the first column of 2 rows: "\w+" and others$/,
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
    [
      'knows the user by ed25519',
      { login: 'modern', passwd: 'geheim, und länger als zweiunddreißig Bytes' },
      null,
      /logged in as modern/,
    ],
    [
      'knows the user by ed25519, in TLS',
      { login: 'modern', passwd: 'geheim, und länger als zweiunddreißig Bytes', tls: true },
      null,
      /logged in as modern/,
    ],
    ['has two plug-ins, the first', { login: 'either', passwd: 'new' }, null, /logged in as either/],
    ['has two plug-ins, the second', { login: 'either', passwd: 'old' }, null, /logged in as either/],
    [
      'knows another password by both plug-ins',
      { login: 'either', passwd: 'wrong' },
      'status',
      /ER_ACCESS_DENIED/,
    ],
    [
      'knows another password by ed25519',
      { login: 'modern', passwd: 'wrong' },
      'status',
      /ER_ACCESS_DENIED_ERROR/,
    ],
    ['knows no such user', { ...there, login: 'none' }, 'status', /ER_ACCESS_DENIED_ERROR/],
    ['wants TLS', { login: 'secure', passwd: 'geheim' }, 'status', /ER_ACCESS_DENIED_ERROR/],
    ['gets TLS', { login: 'secure', passwd: 'geheim', tls: true }, null, /logged in/],
    [
      'is asked in TLS',
      { ...asking("SHOW STATUS LIKE 'Ssl_cipher'"), tls: true, receive: '^Ssl' },
      null,
      /1 row/,
    ],
  ]
  isAskedInSql(check, () => port, {
    there,
    cases,
    slow: 'SELECT SLEEP(77)',
    noneSlow:
      "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%')",
  })
})
