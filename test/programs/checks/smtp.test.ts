import assert from 'node:assert/strict'
import { userInfo } from 'node:os'
import { check as dialogue } from '../../../checks/dialogue.js'
import { check as smtp } from '../../../checks/smtp.js'
import { check as submission } from '../../../checks/submission.js'
import { announcing, itFails, lineServer } from '../../support/checks/lines.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import { tlsFile } from '../../support/tls-file.js'

const TRUSTED = { verify: true, ca: tlsFile('ca.crt') }

/** Offers these extensions, and takes root and secret. */
function mailServer(offers: readonly string[], answers: Readonly<Record<string, string>> = {}) {
  const last = offers.length - 1
  const hello = offers.map((offer, i) => `250${i === last ? ' ' : '-'}${offer}`).join('\r\n')
  const known: Readonly<Record<string, string>> = {
    EHLO: hello,
    HELO: '250 hello',
    QUIT: '221 bye',
    ...answers,
  }
  return lineServer(
    '220 mail.example.com ESMTP',
    line => known[line] ?? known[line.split(' ')[0] ?? ''] ?? '502 what?',
  )
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

describe('smtp', () => {
  itFails(smtp, '220-half a greet')

  it('sends EHLO and QUIT, and returns the name of the server', async () => {
    const server = await mailServer(['mail.example.com', 'SIZE 1000'])
    const { ok, detail } = await probe(smtp, server)
    assert.deepEqual({ ok, detail }, { ok: true, detail: '220 mail.example.com ESMTP' })
    assert.deepEqual(server.heard, ['EHLO localhost.localdomain', 'QUIT'])
  })

  it('accepts a greeting of several lines, and a server that knows only HELO', async () => {
    const known: Readonly<Record<string, string>> = { EHLO: '500 what?', HELO: '250 hello', QUIT: '221 bye' }
    const greeting = '220-no spam\r\n220-220 is no end\r\n220 mail'
    const server = await lineServer(greeting, line => known[line.split(' ')[0] ?? ''] ?? '')
    assert.equal((await probe(smtp, server, { helo: 'lvs.example.com' })).ok, true)
    assert.deepEqual(server.heard, ['EHLO lvs.example.com', 'HELO lvs.example.com', 'QUIT'])
  })

  it('does not wait long for an answer to QUIT', async () => {
    const server = await mailServer(['mail'], { QUIT: '' })
    const { ok, ms } = await probe(smtp, server, {}, { timeout: 5000 })
    assert.ok(ok && ms < 2500, `${ms} ms`)
    assert.equal((await probe(smtp, server, {}, { timeout: 300 })).ok, true)
  })

  const refusals: [
    phrase: string,
    answers: Readonly<Record<string, string>>,
    options: object,
    detail: RegExp,
  ][] = [
    [
      'neither EHLO nor HELO',
      { EHLO: '502 no', HELO: '502 no' },
      {},
      /502 no" in answer to HELO, expected 2xx/,
    ],
    ['EHLO for the time being', { EHLO: '421 busy' }, {}, /421 busy" in answer to EHLO, expected 250/],
    ['STARTTLS', { STARTTLS: '454 no' }, { starttls: true }, /454 no" in answer to STARTTLS, expected 220/],
  ]
  for (const [phrase, answers, options, detail] of refusals)
    it(`is down when the server refuses ${phrase}`, async () => {
      const result = await probe(smtp, await mailServer(['mail', 'STARTTLS'], answers), { ...options })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason: 'status' })
      assert.match(result.detail, detail)
    })

  it('is down when the server refuses in its greeting', async () => {
    const { reason, detail } = await probe(smtp, await announcing('554 no service here\r\n'))
    assert.equal(reason, 'status')
    assert.match(detail, /"554 no service here" as its greeting, expected 2xx/)
  })

  it('is down when the connection ends after the greeting', async () => {
    const server = await lineServer('220 mail', () => null)
    const { reason, detail } = await probe(smtp, server)
    assert.deepEqual({ reason, detail }, { reason: 'closed', detail: 'closed without an answer to EHLO' })
  })

  it('is down when TLS is required and not offered', async () => {
    const { reason, detail } = await probe(smtp, await mailServer(['mail']), { starttls: true })
    assert.deepEqual({ reason, detail }, { reason: 'status', detail: 'the server does not offer STARTTLS' })
  })

  it('ignores answers that were received before the TLS handshake', async () => {
    const answers = { STARTTLS: '220 go on\r\n250-mail\r\n250 AUTH PLAIN' }
    const { reason } = await probe(smtp, await mailServer(['mail', 'STARTTLS'], answers), { starttls: true })
    assert.equal(reason, 'garbage')
  })

  const ways: [offer: string, said: readonly string[]][] = [
    ['AUTH PLAIN', [`AUTH PLAIN ${base64('\0root\0secret')}`]],
    ['AUTH=LOGIN', ['AUTH LOGIN', base64('root'), base64('secret')]],
  ]
  for (const [offer, said] of ways)
    it(`logs in where the server offers ${offer}`, async () => {
      const last = said.at(-1) ?? ''
      const answers = { AUTH: '334 VXNlcm5hbWU6', [base64('root')]: '334 UGFzc3dvcmQ6', [last]: '235 in' }
      const server = await mailServer(['mail', offer], answers)
      const { ok, detail } = await probe(smtp, server, { login: 'root', passwd: 'secret' })
      assert.deepEqual(server.heard.slice(1, -1), said)
      assert.equal(ok, true, detail)
      assert.match(detail, /logged in as root$/)
    })

  it('does not send the password without TLS if the server offers CRAM-MD5', async () => {
    // The example of RFC 2195.
    const said = base64('tim b913a602c7eda7a495b4e6e7334d3890')
    const AUTH = '334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+'
    const server = await mailServer(['mail', 'AUTH PLAIN CRAM-MD5'], { AUTH, [said]: '235 in' })
    const { ok, detail } = await probe(smtp, server, { login: 'tim', passwd: 'tanstaaftanstaaf' })
    assert.equal(ok, true, detail)
  })

  it('is down when the login is refused, and does not show the password', async () => {
    const server = await mailServer(['mail', 'AUTH PLAIN'], { AUTH: '535 wrong' })
    const { reason, detail } = await probe(smtp, server, { login: 'root', passwd: 'geheim' })
    assert.deepEqual(
      { reason, detail },
      { reason: 'status', detail: '"535 wrong" in answer to AUTH PLAIN, expected 235' },
    )
  })

  it('is down when the server offers no supported login', async () => {
    const options = { login: 'root', passwd: 'secret' }
    assert.match((await probe(smtp, await mailServer(['mail']), options)).detail, /offers no AUTH here/)
    assert.match(
      (await probe(smtp, await mailServer(['mail', 'AUTH GSSAPI']), options)).detail,
      /offers GSSAPI/,
    )
  })

  it('refuses options that do not go together', () => {
    assert.match(problemOf(smtp, { verify: true }) ?? '', /needs starttls/)
    assert.match(problemOf(smtp, { passwd: 'x' }) ?? '', /needs login/)
    assert.match(problemOf(smtp, { login: 'x\r\nQUIT' }) ?? '', /one line/)
    assert.match(problemOf(smtp, { helo: 'two words' }) ?? '', /without blanks/)
    assert.equal(problemOf(submission, { verify: true }), null)
  })
})

describe('submission', () => {
  itFails(submission, '220-half a greet')

  it('is down if the server does not offer TLS, unless TLS is switched off', async () => {
    assert.equal((await probe(submission, await mailServer(['mail']))).reason, 'status')
    assert.equal((await probe(submission, await mailServer(['mail']), { starttls: false })).ok, true)
  })
})

/** Bytes of its answer to QUIT; in TLS there are some 50 more, with the end of it. */
const GOODBYE = 45

/** Offers a login under TLS alone. */
async function exim(file: string): Promise<{ port: number; secure: number }> {
  const [port, secure] = [await freePort(), await freePort()]
  const folder = folderOf({})
  const { uid, gid } = userInfo()
  const configuration = folderOf({
    'exim.conf': `
      exim_user = ${uid}
      exim_group = ${gid}
      spool_directory = ${folder}
      log_file_path = ${folder}/%slog
      pid_file_path = ${folder}/pid
      primary_hostname = mail.example.com
      local_interfaces = <; [::1]:${port} ; [::1]:${secure}
      tls_on_connect_ports = ${secure}
      tls_advertise_hosts = *
      tls_certificate = ${tlsFile('server.crt')}
      tls_privatekey = ${tlsFile('key.pem')}
      rfc1413_query_timeout = 0s
      smtp_accept_max = 0
      acl_smtp_helo = helo
      auth_advertise_hosts = \${if def:tls_in_cipher {*}{}}
      begin acl
      helo:
        deny condition = \${if eq{$sender_helo_name}{stranger.example}}
        accept
      begin authenticators
      plain:
        driver = plaintext
        public_name = PLAIN
        server_condition = \${if and {{eq{$auth2}{root}}{eq{$auth3}{secret}}}}
        server_set_id = $auth2
      `.replace(/^ {6}/gm, ''),
  })
  await start(file, ['-C', `${configuration}/exim.conf`, '-bdf'], [port, secure], 'SIGTERM')
  return { port, secure }
}

describe('smtp: Exim', function () {
  this.timeout(60_000)

  it('is judged by greeting, TLS and login', async function () {
    const { port, secure } = await exim(programOr(() => this.skip(), 'exim4', 'exim4-daemon-light'))
    const root = { login: 'root', passwd: 'secret' }
    const cases: [typeof smtp, Record<string, unknown>, string | null, RegExp][] = [
      [smtp, {}, null, /^220 mail\.example\.com ESMTP Exim/],
      [smtp, { starttls: true, ...TRUSTED }, null, /, TLS$/],
      [smtp, root, 'status', /offers no AUTH here/],
      [smtp, { helo: 'stranger.example' }, 'status', /550 .* in answer to HELO/],
      [submission, {}, null, /, TLS$/],
      [submission, { ...root, ...TRUSTED }, null, /, TLS, logged in as root$/],
      [submission, { ...root, passwd: 'wrong' }, 'status', /535 .* in answer to AUTH PLAIN/],
      [submission, { ...TRUSTED, verifyname: 'www.example.net' }, 'tls', /a different name/],
      [submission, { verify: true }, 'tls', /: set ca/],
      [smtp, { port: secure, tls: true, ...root, ...TRUSTED }, null, /^220 .*, TLS, logged in as root$/],
      [submission, { port: secure, tls: true }, null, /, TLS$/],
      [smtp, { port: secure, tls: true, ...root, passwd: 'wrong' }, 'status', /535 /],
      [smtp, { port: secure, tls: true, verify: true }, 'tls', /: set ca/],
      [smtp, { tls: true }, 'tls', /does not speak TLS/],
    ]
    for (const [check, { port: other, ...options }, reason, detail] of cases) {
      const result = await probe(check, (other as number | undefined) ?? port, options, { timeout: 10_000 })
      const what = `${check.name} ${JSON.stringify(options)}: ${result.detail}`
      assert.equal(result.reason, reason, what)
      assert.match(result.detail, detail, what)
    }
  })

  it('is judged by a dialogue, with TLS on the way', async function () {
    const { port, secure } = await exim(programOr(() => this.skip(), 'exim4', 'exim4-daemon-light'))
    const hello = ['send EHLO lvsd\\r\\n', 'lines ^250 ']
    const login = `send AUTH PLAIN ${base64('\0root\0secret')}\\r\\n`
    const within = [
      'line ^220 mail',
      ...hello,
      'send STARTTLS\\r\\n',
      'line ^220',
      'tls',
      ...hello,
      login,
      'line ^235',
    ]
    const first = ['line ^220 mail', ...hello, login, 'line ^235 Authentication succeeded$']
    for (const [where, options] of [
      [port, { steps: within, ...TRUSTED }],
      [secure, { steps: first, tls: true, ...TRUSTED }],
    ] as const) {
      const { ok, detail } = await probe(dialogue, where, options, { timeout: 10_000 })
      assert.equal(ok, true, detail)
      await diesAnywhere(dialogue, where, options, { spare: 70 })
    }
    const wrong = await probe(dialogue, port, { steps: first }, { timeout: 10_000 })
    assert.equal(
      wrong.detail,
      '"503 AUTH command used when not advertised" in answer to step 4, expected /^235 Authentication succeeded$/',
    )
  })

  it('is down if the connection ends at any point', async function () {
    const { port, secure } = await exim(programOr(() => this.skip(), 'exim4', 'exim4-daemon-light'))
    await diesAnywhere(smtp, port, {}, { spare: GOODBYE })
    const login = { login: 'root', passwd: 'secret', ...TRUSTED }
    await diesAnywhere(submission, port, login, { spare: GOODBYE + 60 })
    await diesAnywhere(smtp, secure, { ...login, tls: true }, { spare: GOODBYE + 60 })
  })
})
