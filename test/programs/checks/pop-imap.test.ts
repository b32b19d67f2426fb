import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { check as imap } from '../../../checks/imap.js'
import { check as imaps } from '../../../checks/imaps.js'
import { check as nntp } from '../../../checks/nntp.js'
import { check as pop } from '../../../checks/pop.js'
import { check as pops } from '../../../checks/pops.js'
import { announcing, itFails, itFailsInTls, lineServer } from '../../support/checks/lines.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import { tlsFile } from '../../support/tls-file.js'

const TRUSTED = { verify: true, ca: tlsFile('ca.crt') }
const ROOT = { login: 'root', passwd: 'secret' }

function popServer(greeting: string, answers: Readonly<Record<string, string>>) {
  const known: Readonly<Record<string, string>> = { QUIT: '+OK bye', ...answers }
  return lineServer(greeting, line => known[line] ?? '-ERR what?')
}

describe('pop', () => {
  itFails(pop, '+O')

  it('needs a greeting, which ldirectord does not', async () => {
    const server = await popServer('+OK ready', {})
    const { ok, detail } = await probe(pop, server)
    assert.deepEqual({ ok, detail }, { ok: true, detail: '+OK ready' })
    assert.deepEqual(server.heard, ['QUIT'])
    const refusing = await probe(pop, await announcing('-ERR too many connections\r\n'))
    assert.deepEqual(refusing.detail, '"-ERR too many connections" as its greeting, expected +OK')
    assert.equal(refusing.reason, 'status')
  })

  it('logs in by user and password if the server offers nothing better', async () => {
    const server = await popServer('+OK ready', {
      CAPA: '+OK\r\nUSER\r\n.',
      'USER root': '+OK',
      'PASS secret': '+OK',
    })
    assert.equal((await probe(pop, server, ROOT)).ok, true)
    assert.deepEqual(server.heard, ['CAPA', 'USER root', 'PASS secret', 'QUIT'])
    const { reason, detail } = await probe(pop, server, { ...ROOT, passwd: 'geheim' })
    assert.deepEqual(
      { reason, detail },
      { reason: 'status', detail: '"-ERR what?" in answer to PASS, expected +OK' },
    )
  })

  it('costs no more than its length where the greeting is long', async () => {
    const login = { login: 'u', passwd: 'p' }
    for (const greeting of [
      `+OK <${'a@'.repeat(32_600)}`,
      `+OK <${'a@'.repeat(4000)}`,
      `+OK ${'<'.repeat(8000)}`,
    ]) {
      const server = await popServer(greeting, {})
      const before = performance.eventLoopUtilization()
      const result = await probe(pop, server, login)
      const { active } = performance.eventLoopUtilization(before)
      assert.equal(result.ok, false)
      assert.equal(result.reason, greeting.length > 8192 ? 'too-big' : 'status', result.detail)
      assert.ok(active < 300, `${active} ms for ${greeting.length} bytes`)
    }
  })

  it('is down if a server sends too many lines', async () => {
    const server = await popServer('+OK ready', { CAPA: `+OK${'\r\n'.repeat(30_000)}` })
    const { reason, detail } = await probe(pop, server, { login: 'u', passwd: 'p' })
    assert.equal(reason, 'too-big')
    assert.match(detail, /at most 2000 lines/)
  })

  it('logs in by APOP if the greeting has a timestamp', async () => {
    // The example of RFC 1939.
    const line = 'APOP mrose c4c9334bac560ecc979e58001b3e22fb'
    const server = await popServer('+OK ready <1896.697170952@dbc.mtview.ca.us>', { [line]: '+OK' })
    const { ok, detail } = await probe(pop, server, { login: 'mrose', passwd: 'tanstaaf' })
    assert.equal(ok, true, detail)
  })

  it('logs in by CRAM-MD5 where it is offered', async () => {
    const said = Buffer.from('tim b913a602c7eda7a495b4e6e7334d3890').toString('base64')
    const server = await popServer('+OK', {
      CAPA: '+OK\r\nSASL PLAIN CRAM-MD5\r\n.',
      'AUTH CRAM-MD5': '+ PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+',
      [said]: '+OK',
    })
    const { ok, detail } = await probe(pop, server, { login: 'tim', passwd: 'tanstaaftanstaaf' })
    assert.equal(ok, true, detail)
  })

  it('is down when the connection ends within an answer', async () => {
    const server = await lineServer('+OK', (_line, socket) => {
      socket.end('-E')
      return ''
    })
    assert.equal((await probe(pop, server, ROOT)).reason, 'truncated')
  })

  it('refuses options that do not go together', () => {
    assert.match(problemOf(pop, { verify: true }) ?? '', /needs starttls/)
    assert.match(problemOf(pop, { passwd: 'x' }) ?? '', /needs login/)
  })
})

describe('pops', () => {
  itFailsInTls(pops, '+O')
})

describe('imap', () => {
  itFails(imap, '* O')

  it('needs a greeting, and reports a server that refuses all clients', async () => {
    const server = await lineServer('* OK [CAPABILITY IMAP4rev1 IDLE] ready', () => '* BYE')
    const { ok, detail } = await probe(imap, server)
    assert.deepEqual({ ok, detail }, { ok: true, detail: 'OK ready' })
    assert.deepEqual(server.heard, ['c LOGOUT'])
    assert.equal((await probe(imap, await announcing('* PREAUTH ready\r\n'))).ok, true)
    const { reason } = await probe(imap, await announcing('* BYE overloaded\r\n'))
    assert.equal(reason, 'status')
  })

  it('costs no more than its length where the greeting is long', async () => {
    const before = performance.eventLoopUtilization()
    for (const openings of [600, 5400]) {
      const server = await lineServer(`* OK ${'[CAPABILITY '.repeat(openings)}`, () => '* BYE')
      const { ok, reason } = await probe(imap, server)
      assert.deepEqual([ok, reason], openings === 600 ? [true, null] : [false, 'too-big'])
    }
    assert.ok(performance.eventLoopUtilization(before).active < 500)
  })

  it('logs in with any characters in the password, and reads untagged answers', async () => {
    const server = await lineServer('* OK', line =>
      line.startsWith('b') ? '* CAPABILITY\r\nb OK in' : '* BYE',
    )
    const { ok, detail } = await probe(imap, server, { login: 'root', passwd: 'a "\\ b' })
    assert.equal(ok, true, detail)
    assert.equal(server.heard[0], 'b LOGIN "root" "a \\"\\\\ b"')
  })

  it('is down when the login is refused, or answered in another protocol', async () => {
    const refused = await probe(imap, await lineServer('* OK', () => 'b NO wrong'), ROOT)
    assert.equal(refused.reason, 'status')
    assert.equal(refused.detail, '"b NO wrong" in answer to LOGIN, expected b OK')
    const odd = await probe(imap, await lineServer('* OK', () => '+OK'), ROOT)
    assert.equal(odd.reason, 'garbage')
    const bye = await probe(imap, await lineServer('* OK', () => '* BYE too slow'), ROOT)
    assert.equal(bye.detail, '"* BYE too slow" in answer to LOGIN, expected b OK')
  })
})

describe('imaps', () => {
  itFailsInTls(imaps, '* O')
})

/** Its login processes must not be root's, and its mails neither. */
async function dovecot(file: string) {
  const [popPort, popsPort, imapPort, imapsPort] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const folder = folderOf({ users: 'root:{PLAIN}secret\n' })
  const { uid, gid, username } = userInfo()
  const isRoot = uid === 0
  const owner = isRoot ? { uid: 65_534, gid: 65_534 } : { uid, gid }
  mkdirSync(join(folder, 'mail'))
  chmodSync(join(folder, 'mail'), 0o777)
  chmodSync(folder, 0o755)
  const listener = (name: string, port: number) => `
    inet_listener ${name} {
      address = ::1
      port = ${port}
    }`
  const configuration = folderOf({
    'dovecot.conf': `
      base_dir = ${folder}/run
      state_dir = ${folder}/run
      log_path = /dev/stderr
      protocols = imap pop3
      default_internal_user = ${isRoot ? 'dovecot' : username}
      default_internal_group = ${isRoot ? 'dovecot' : execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim()}
      default_login_user = ${isRoot ? 'dovenull' : username}
      ssl = yes
      ssl_cert = <${tlsFile('server.crt')}
      ssl_key = <${tlsFile('key.pem')}
      disable_plaintext_auth = no
      auth_mechanisms = plain
      auth_failure_delay = 0
      mail_max_userip_connections = 0
      first_valid_uid = 1
      mail_location = maildir:${folder}/mail
      passdb {
        driver = passwd-file
        args = ${folder}/users
      }
      userdb {
        driver = static
        args = uid=${owner.uid} gid=${owner.gid} home=${folder}
      }
      service anvil {
        chroot =
        unix_listener anvil-auth-penalty {
          mode = 0
        }
      }
      service pop3-login {
        chroot =${listener('pop3', popPort)}${listener('pop3s', popsPort)}
      }
      service imap-login {
        chroot =${listener('imap', imapPort)}${listener('imaps', imapsPort)}
      }
      `,
  })
  await start(
    file,
    ['-F', '-c', `${configuration}/dovecot.conf`],
    [popPort, popsPort, imapPort, imapsPort],
    'SIGTERM',
  )
  return { pop: popPort, pops: popsPort, imap: imapPort, imaps: imapsPort }
}

describe('pop-imap: Dovecot', function () {
  this.timeout(60_000)

  it('is judged by greeting, TLS and login', async function () {
    const ports = await dovecot(programOr(() => this.skip(), 'dovecot', 'dovecot-imapd'))
    const cases: [typeof pop | typeof pops | typeof nntp, Record<string, unknown>, string | null, RegExp][] =
      [
        [pop, {}, null, /Dovecot/],
        [pop, ROOT, null, /, logged in as root$/],
        [pop, { ...ROOT, starttls: true, ...TRUSTED }, null, /, logged in as root$/],
        [pop, { ...ROOT, passwd: 'wrong' }, 'status', /-ERR .*in answer to PASS/],
        [pops, { ...ROOT, ...TRUSTED }, null, /, logged in as root$/],
        [pops, { verify: true }, 'tls', /: set ca/],
        [imap, {}, null, /^OK Dovecot/],
        [pop, { port: 'imap' }, 'garbage', /OK .* as its greeting, expected \+OK/],
        [imap, { port: 'pop' }, 'garbage', /as its greeting/],
        [pops, { port: 'imaps' }, 'garbage', /as its greeting/],
        [imaps, { port: 'pops' }, 'garbage', /as its greeting/],
        [pops, { port: 'pop' }, 'tls', /does not speak TLS/],
        [nntp, { port: 'pop' }, 'garbage', /as its greeting, expected a code/],
        [imap, { ...ROOT, starttls: true, ...TRUSTED }, null, /, logged in as root$/],
        [imap, { ...ROOT, passwd: 'wrong' }, 'status', /b NO .*in answer to LOGIN/],
        [imaps, ROOT, null, /, logged in as root$/],
        [imaps, { ...ROOT, passwd: 'wrong', ...TRUSTED }, 'status', /b NO/],
        [imaps, { ...TRUSTED, verifyname: 'www.example.net' }, 'tls', /a different name/],
      ]
    for (const [check, { port: other, ...options }, reason, detail] of cases) {
      const port = ports[(other ?? check.name) as keyof typeof ports]
      const result = await probe(check as typeof pop, port, options, { timeout: 10_000 })
      const what = `${check.name} ${JSON.stringify(options)}: ${result.detail}`
      assert.equal(result.reason, reason, what)
      assert.match(result.detail, detail, what)
    }
  })

  it('is down if the connection ends at any point', async function () {
    const ports = await dovecot(programOr(() => this.skip(), 'dovecot', 'dovecot-imapd'))
    // Of TLS, which is 22 bytes longer for each message, the end too is nothing that anybody waits for.
    const cases: [typeof pop | typeof pops, Record<string, unknown>, goodbye: number][] = [
      [pop, ROOT, 20],
      [pop, { ...ROOT, starttls: true }, 80],
      [pops, ROOT, 80],
      [imap, ROOT, 90],
      [imap, { ...ROOT, starttls: true }, 220],
      [imaps, ROOT, 220],
    ]
    for (const [check, options, spare] of cases)
      await diesAnywhere(check as typeof pop, ports[check.name as keyof typeof ports], options, { spare })
  })
})
