import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { check } from '../../../checks/ftp.js'
import { onCleanup } from '../../support/after-each.js'
import { announcing, itFails, type LineServer, lineServer } from '../../support/checks/lines.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { type Cut, diesAnywhere, portOf, relayTo } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import { type Listening, type Loopback, refusedPort, tcpServer } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

const TRUSTED = { verify: true, ca: tlsFile('ca.crt') }
const PAGE = { request: '/page.txt', receive: 'all is ok' }

/** A server that sends what `give` does over the second connection, between these two replies. */
async function fileServer(
  give: (data: Socket) => void,
  {
    host = '::1' as Loopback,
    before = '150 here',
    after = '226 sent',
    answers = {} as Record<string, string>,
  } = {},
): Promise<LineServer> {
  let control: Socket | undefined
  const data = await tcpServer(socket => {
    give(socket)
    socket.on('end', () => socket.end()).resume()
    socket.on('close', () => control?.destroyed || control?.write(`${after}\r\n`))
  }, host)
  const [high, low] = [data.port >> 8, data.port & 255]
  const known: Readonly<Record<string, string>> = {
    USER: '331 and?',
    PASS: '230 in',
    TYPE: '200 binary',
    EPSV: `229 here (|||${data.port}|)`,
    // The address is one where nobody may be asked.
    PASV: `227 here (192,0,2,1,${high},${low})`,
    RETR: before,
    QUIT: '221 bye',
    ...answers,
  }
  return lineServer(
    '220 files',
    (line, socket) => {
      control = socket
      return known[line.split(' ', 1)[0] ?? ''] ?? '502 what?'
    },
    { host },
  )
}

describe('ftp', () => {
  itFails(check, '22')

  it('needs only a greeting if nothing else is expected', async () => {
    const server = await fileServer(() => {})
    const { ok, detail } = await probe(check, server)
    assert.deepEqual({ ok, detail }, { ok: true, detail: '220 files' })
    assert.deepEqual(server.heard, ['QUIT'])
    assert.equal((await probe(check, await announcing('421 too many\r\n'))).reason, 'status')
  })

  it('logs in if a login is configured', async () => {
    const server = await fileServer(() => {})
    assert.equal((await probe(check, server, { login: 'root', passwd: 'secret' })).ok, true)
    assert.deepEqual(server.heard, ['USER root', 'PASS secret', 'QUIT'])
    const open = await fileServer(() => {}, { answers: { USER: '230 in' } })
    assert.equal((await probe(check, open, { login: 'root' })).ok, true)
    const closed = await fileServer(() => {}, { answers: { PASS: '530 wrong' } })
    const { reason, detail } = await probe(check, closed, { login: 'root', passwd: 'geheim' })
    assert.deepEqual(
      { reason, detail },
      { reason: 'status', detail: '"530 wrong" in answer to PASS, expected 2xx' },
    )
  })

  for (const [host, passive] of [
    ['::1', 'EPSV'],
    ['127.0.0.1', 'PASV'],
  ] as const)
    it(`looks into a file of a server at ${host}, whatever address ${passive} names`, async () => {
      const server = await fileServer(data => data.end('here all is ok\n'), { host })
      const { ok, detail } = await probe(check, server, PAGE)
      assert.equal(ok, true, detail)
      assert.deepEqual(server.heard, [
        'USER anonymous',
        'PASS lvsd@',
        'TYPE I',
        passive,
        'RETR /page.txt',
        'QUIT',
      ])
    })

  const faults: [phrase: string, reason: string, server: () => Promise<LineServer>][] = [
    ['has another file', 'unexpected', () => fileServer(data => data.end('nothing is ok\n'))],
    ['has an empty file', 'closed', () => fileServer(data => data.end())],
    ['does not have the file', 'status', () => fileServer(() => {}, { before: '550 no such file' })],
    ['breaks off in the file', 'status', () => fileServer(data => data.end('here all'), { after: '426 oh' })],
    ['names no port', 'garbage', () => fileServer(() => {}, { answers: { EPSV: '229 (|||0|)' } })],
    ['stays silent in the file', 'timeout', () => fileServer(() => {})],
    ['sends a file without end', 'unexpected', () => fileServer(data => data.write('x'.repeat(2000)))],
    [
      'dies before the file',
      'closed',
      () => lineServer('220 files', line => (line === 'TYPE I' ? null : '230 in')),
    ],
  ]
  for (const [phrase, reason, server] of faults)
    it(`is down when the server ${phrase}`, async () => {
      const timeout = reason === 'timeout' ? 150 : 3000
      const result = await probe(check, await server(), { ...PAGE, limit: 1000 }, { timeout })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })

  it('is down when the data connection is refused', async () => {
    const port = await refusedPort()
    const server = await fileServer(() => {}, { answers: { EPSV: `229 (|||${port}|)` } })
    assert.equal((await probe(check, server, PAGE)).reason, 'refused')
  })

  it('refuses options that do not go together', () => {
    assert.match(problemOf(check, { passwd: 'x' }) ?? '', /needs login/)
    assert.match(problemOf(check, { request: 'a\r\nDELE b', receive: 'x' }) ?? '', /one line/)
    assert.match(problemOf(check, { receive: 'x', text: 'x' }) ?? '', /not both/)
  })
})

/** A server of vsftpd, in clear text unless `settings` say otherwise, and the file that it gives away. */
async function vsftpd(file: string, settings: readonly string[] = []) {
  const port = await freePort()
  const folder = folderOf({ 'page.txt': `here all is ok\n${'and more\n'.repeat(1000)}the end\n` })
  // It gives away what everybody may read.
  chmodSync(folder, 0o755)
  const configuration = folderOf({
    'vsftpd.conf': [
      'listen=NO',
      'listen_ipv6=YES',
      'listen_address6=::1',
      `listen_port=${port}`,
      'background=NO',
      'run_as_launching_user=YES',
      'anonymous_enable=YES',
      'local_enable=NO',
      `anon_root=${folder}`,
      `secure_chroot_dir=${folder}`,
      'connect_from_port_20=NO',
      'seccomp_sandbox=NO',
      'isolate=NO',
      'isolate_network=NO',
      'xferlog_enable=NO',
      ...settings,
      '',
    ].join('\n'),
  })
  await start(file, [`${configuration}/vsftpd.conf`], [port], 'SIGTERM')
  // Without root it cannot lock its users in, and / is the whole machine's.
  return { port, page: { request: `${folder}/page.txt`, receive: 'all is ok' } }
}

/** In front of a server that gives its files away uncut: their connections alone are cut. */
async function passiveRelay(port: number, cut: Cut): Promise<Listening> {
  return tcpServer(client => {
    const real = connect({ host: '::1', port }).on('error', () => {})
    client.pipe(real)
    client.on('close', () => real.destroy())
    real.on('end', () => client.end())
    real.on('data', async chunk => {
      const [, passive] = /^229 .*\|(\d+)\|/.exec(String(chunk)) ?? []
      if (passive === undefined) return client.write(chunk)
      const { server } = await relayTo(Number(passive), cut)
      onCleanup(() => server.close())
      return client.write(String(chunk).replace(passive, String(portOf(server))))
    })
  })
}

const ENCRYPTED = [
  'ssl_enable=YES',
  'allow_anon_ssl=YES',
  'force_anon_logins_ssl=YES',
  'force_anon_data_ssl=YES',
  'require_ssl_reuse=YES',
  'ssl_ciphers=HIGH',
  `rsa_cert_file=${tlsFile('server.crt')}`,
  `rsa_private_key_file=${tlsFile('key.pem')}`,
]

describe('ftp: vsftpd', function () {
  this.timeout(60_000)
  const anonymous = { login: 'anonymous', passwd: 'ldirectord@example.com' }

  type Case = [options: Record<string, unknown>, reason: string | null, said: RegExp]

  async function isJudged(port: number, cases: readonly Case[]): Promise<void> {
    for (const [options, reason, said] of cases) {
      const result = await probe(check, port, options, { timeout: 10_000 })
      const what = `${JSON.stringify(options)}: ${result.detail}`
      assert.equal(result.reason, reason, what)
      assert.match(result.detail, said, what)
    }
  }

  it('is judged by greeting, login and file', async function () {
    const { port, page } = await vsftpd(programOr(() => this.skip(), 'vsftpd', 'vsftpd'))
    await isJudged(port, [
      [{}, null, /^220 \(vsFTPd/],
      [anonymous, null, /, logged in as anonymous$/],
      [{ login: 'root', passwd: 'wrong' }, 'status', /530 .* in answer to/],
      [page, null, /found/],
      [{ ...page, receive: 'the end' }, null, /found/],
      [{ ...page, ...anonymous, receive: 'not there' }, 'unexpected', /closed after 9023 bytes/],
      [{ ...page, request: '/none.txt' }, 'status', /550 .* in answer to RETR/],
      [{ starttls: true }, 'status', /530 .* in answer to AUTH TLS, expected 234/],
    ])
    await diesAnywhere(check, port, { ...page, receive: 'the end' }, { spare: 45 })
  })

  it('is down if the data connection ends at any point', async function () {
    const { port, page } = await vsftpd(programOr(() => this.skip(), 'vsftpd', 'vsftpd'))
    for (const [death, reason] of [
      ['ends', 'closed'],
      ['resets', 'reset'],
      ['stalls', 'timeout'],
    ] as const)
      for (const after of [1, 4000, 9022]) {
        const relay = await passiveRelay(port, { after, death })
        const timeout = death === 'stalls' ? 300 : 10_000
        const result = await probe(check, relay, { ...page, receive: 'the end\n' }, { timeout })
        const told = `${death} after ${after} bytes: ${result.detail}`
        assert.equal(result.ok, false, told)
        assert.ok([reason, 'unexpected', 'status'].includes(result.reason ?? ''), `${result.reason} ${told}`)
      }
  })

  it('is judged in TLS, its files too', async function () {
    const { port, page } = await vsftpd(
      programOr(() => this.skip(), 'vsftpd', 'vsftpd'),
      ENCRYPTED,
    )
    const tls = { starttls: true, ...TRUSTED }
    await isJudged(port, [
      [tls, null, /^220 \(vsFTPd .*, TLS$/],
      [{ ...tls, ...anonymous }, null, /, TLS, logged in as anonymous$/],
      [anonymous, 'status', /530 .* in answer to/],
      [{ ...tls, ...page }, null, /found/],
      [{ ...tls, ...page, receive: 'not there' }, 'unexpected', /closed after 9023 bytes/],
      [{ starttls: true, verify: true }, 'tls', /: set ca/],
    ])
    await diesAnywhere(check, port, { ...tls, ...page }, { spare: 130 })
  })

  it('is judged in TLS from the start', async function () {
    const file = programOr(() => this.skip(), 'vsftpd', 'vsftpd')
    const { port, page } = await vsftpd(file, [...ENCRYPTED, 'implicit_ssl=YES'])
    const tls = { tls: true, ...TRUSTED }
    await isJudged(port, [
      [tls, null, /^220 \(vsFTPd .*, TLS$/],
      [{ ...tls, ...page }, null, /found/],
      [{ tls: true, verify: true }, 'tls', /: set ca/],
    ])
    await diesAnywhere(check, port, { ...tls, ...page }, { spare: 130 })
  })
})
