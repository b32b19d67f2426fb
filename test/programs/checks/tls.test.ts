import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { tlsAnswer } from '../../../checks/lib/tls.js'
import { check } from '../../../checks/tls.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start, startNginx } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import {
  hangUpServer,
  type Loopback,
  refusedPort,
  resetServer,
  saying,
  silentServer,
  tlsServer,
} from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

const key = readFileSync(tlsFile('key.pem'))
const CERTIFICATE = { key, cert: readFileSync(tlsFile('server.crt')) }
const EXPIRED = { key, cert: readFileSync(tlsFile('expired.crt')) }
const TRUSTED = { verify: true, ca: tlsFile('ca.crt') }

function server(options: object = CERTIFICATE, host?: Loopback) {
  return tlsServer(socket => socket.resume(), options, host)
}

describe('tls', () => {
  for (const host of ['::1', '127.0.0.1'] as const)
    it(`completes the handshake with ${host} and returns version, remaining days and name`, async () => {
      const { ok, detail, phases } = await probe(check, await server(CERTIFICATE, host), TRUSTED)
      assert.equal(ok, true, detail)
      assert.match(detail, /^TLSv1\.3, valid for \d+ days more: www\.example\.com$/)
      assert.deepEqual(
        phases.map(({ phase }) => phase),
        ['connect', 'handshake'],
      )
    })

  it('is down when the certificate is valid for fewer days than required', async () => {
    const left = Date.parse(new X509Certificate(CERTIFICATE.cert).validTo) - Date.now()
    const days = Math.floor(left / 86_400_000)
    // A hundred years are beyond what can be asked for: the clock of this test stands shortly before their end.
    const now = Date.now
    Date.now = () => now() + (days - 30) * 86_400_000
    try {
      const where = await server()
      assert.match((await probe(check, where, { days: 30 })).detail, /valid for 30 days more/)
      const { reason, detail } = await probe(check, where, { days: 31 })
      assert.equal(reason, 'tls')
      assert.equal(
        detail,
        'the certificate of www.example.com is valid for 30 days more, 31 expected: renew it',
      )
    } finally {
      Date.now = now
    }
  })

  it('is down when the certificate has expired, verified or not', async () => {
    const where = await server(EXPIRED)
    const unverified = await probe(check, where)
    assert.equal(unverified.reason, 'tls')
    assert.match(unverified.detail, /^the certificate of www\.example\.com has expired, .*: renew it$/)
    assert.match((await probe(check, where, TRUSTED)).detail, /has expired/)
  })

  it('checks the dates of a pinned certificate', async () => {
    const pin = [new X509Certificate(EXPIRED.cert).fingerprint256]
    assert.match((await probe(check, await server(EXPIRED), { pin })).detail, /has expired/)
    const result = await probe(check, await server(), { pin })
    assert.match(result.detail, /matches no pin/)
  })

  it('is down when the certificate is not valid yet', async () => {
    const now = Date.now
    const from = Date.parse(new X509Certificate(CERTIFICATE.cert).validFrom)
    Date.now = () => from - 86_400_000
    try {
      const { reason, detail } = await probe(check, await server())
      assert.equal(reason, 'tls')
      assert.match(detail, /is not valid before/)
    } finally {
      Date.now = now
    }
  })

  it('verifies chain and name if that is configured', async () => {
    const where = await server()
    assert.match((await probe(check, where, { verify: true })).detail, /: set ca/)
    assert.match(
      (await probe(check, where, { ...TRUSTED, sni: 'www.example.net' })).detail,
      /a different name/,
    )
    assert.equal((await probe(check, where, { ...TRUSTED, sni: 'www.example.com' })).ok, true)
    assert.equal((await probe(check, where, { ...TRUSTED, verifyname: 'www.example.com' })).ok, true)
  })

  it('requests a protocol (ALPN) if one is configured', async () => {
    const where = await server({ ...CERTIFICATE, ALPNProtocols: ['h2'] })
    assert.equal((await probe(check, where, { alpn: ['h2', 'http/1.1'] })).ok, true)
    assert.equal((await probe(check, where, { alpn: ['acme'] })).reason, 'tls')
    const { detail } = await probe(check, await server(), { alpn: ['h2'] })
    assert.equal(detail, 'the server accepts none of the protocols h2')
    assert.match(problemOf(check, { alpn: ['two words'] }) ?? '', /names of protocols/)
  })

  it('is down when no version is in common', async () => {
    const old = await server({ ...CERTIFICATE, maxVersion: 'TLSv1.2' })
    assert.match((await probe(check, old)).detail, /^TLSv1\.2/)
    assert.equal((await probe(check, old, { minversion: 'TLSv1.3' })).reason, 'tls')
  })

  const faults: [
    phrase: string,
    reason: string,
    server: () => Promise<{ host: string; port: number } | number>,
  ][] = [
    ['is not there', 'refused', () => refusedPort()],
    ['stays silent', 'timeout', () => silentServer()],
    ['hangs up', 'closed', () => hangUpServer()],
    ['resets the connection', 'reset', () => resetServer()],
    ['does not speak TLS', 'tls', () => saying('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['dies in its handshake', 'closed', () => saying(Buffer.from('160303007a020000', 'hex'))],
  ]
  for (const [phrase, reason, where] of faults)
    it(`is down when the server ${phrase}`, async () => {
      const result = await probe(check, await where(), {}, { timeout: reason === 'timeout' ? 120 : 3000 })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })
})

describe('tls: an alert of TLS', () => {
  it('is known by both names that OpenSSL has for it', () => {
    for (const name of ['SSLV3', 'SSL/TLS']) {
      const code = `ERR_SSL_${name}_ALERT_HANDSHAKE_FAILURE`
      const { detail } = tlsAnswer(Object.assign(new Error('alert'), { code })) ?? {}
      assert.match(detail ?? '', /requires a client certificate: set cert and key/)
    }
  })
})

describe('tls to a server that requests a client certificate', () => {
  const ca = readFileSync(tlsFile('ca.crt'))
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const only = { minVersion: version, maxVersion: version, requestCert: true, ca }

    it(`is down without one, with ${version}`, async () => {
      const server = await tlsServer(socket => socket.resume(), { ...only, rejectUnauthorized: true })
      const { reason, detail } = await probe(check, server)
      assert.equal(reason, 'tls')
      assert.match(detail, /requires a client certificate: set cert and key/)
      assert.equal((await probe(check, server, { cert: tlsFile('client.pem') })).ok, true)
    })

    it(`is up if the certificate is optional, and if the server does not close the connection, with ${version}`, async () => {
      for (const rejectUnauthorized of [false, true]) {
        const server = await tlsServer(socket => socket.on('data', () => {}), {
          ...only,
          requestCert: rejectUnauthorized,
          rejectUnauthorized: false,
        })
        const result = await probe(check, server, {}, { timeout: 300 })
        assert.equal(result.ok, true, result.detail)
        assert.ok(result.ms < 300)
      }
    })
  }
})

describe('tls: web servers, asked for their certificates', function () {
  this.timeout(60_000)

  /** One port has a certificate that is good, the other one that has expired. */
  async function isJudged(good: number, old: number): Promise<void> {
    const up = await probe(check, good, { ...TRUSTED, days: 90 }, { timeout: 10_000 })
    assert.equal(up.ok, true, up.detail)
    const unknown = await probe(check, good, { verify: true }, { timeout: 10_000 })
    assert.match(unknown.detail, /: set ca/)
    const down = await probe(check, old, {}, { timeout: 10_000 })
    assert.match(down.detail, /has expired/)
    // Nobody waits for the tickets behind the handshake.
    await diesAnywhere(check, good, TRUSTED, { spare: 600 })
  }

  it('are judged by them: HAProxy', async function () {
    const file = programOr(() => this.skip(), 'haproxy', 'haproxy')
    const [good, old] = [await freePort(), await freePort()]
    const pem = (name: string) => readFileSync(tlsFile(name), 'latin1') + key.toString('latin1')
    const folder = folderOf({ 'good.pem': pem('server.crt'), 'old.pem': pem('expired.crt') })
    const configuration = folderOf({
      'haproxy.cfg': [
        'defaults',
        '  mode tcp',
        '  timeout client 5s',
        '  timeout connect 5s',
        '  timeout server 5s',
        'frontend good',
        `  bind [::1]:${good} ssl crt ${folder}/good.pem`,
        'frontend old',
        `  bind [::1]:${old} ssl crt ${folder}/old.pem`,
        '',
      ].join('\n'),
    })
    await start(file, ['-db', '-f', `${configuration}/haproxy.cfg`], [good, old])
    await isJudged(good, old)
  })

  it('are judged by them: nginx', async function () {
    const file = programOr(() => this.skip(), 'nginx', 'nginx-light')
    const [good, old] = [await freePort(), await freePort()]
    const site = (port: number, name: string) =>
      `server { listen [::1]:${port} ssl; ssl_certificate ${tlsFile(name)}; ssl_certificate_key ${tlsFile('key.pem')}; }`
    const http = `${site(good, 'server.crt')} ${site(old, 'expired.crt')}`
    await startNginx(file, { folder: folderOf({}), ports: [good, old], http })
    await isJudged(good, old)
  })
})
