import assert from 'node:assert/strict'
import { createHash, X509Certificate } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { check } from '../../../checks/https.js'
import { contextFor, type TlsOptions } from '../../../checks/lib/tls.js'
import { onCleanup } from '../../support/after-each.js'
import { SLOW } from '../../support/checks/cases.js'
import { FAULTS } from '../../support/checks/faults.js'
import { parseOptions, problemOf } from '../../support/checks/options.js'
import { probe } from '../../support/probe.js'
import {
  hangUpServer,
  httpsServer,
  type Loopback,
  refusedPort,
  resetServer,
  saying,
  silentServer,
  tlsServer,
} from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

const key = readFileSync(tlsFile('key.pem'))
const signed = { key, cert: readFileSync(tlsFile('server.crt')) }
const expired = { key, cert: readFileSync(tlsFile('expired.crt')) }
const ca = tlsFile('ca.crt')
/** Handshakes are dear on a busy machine. */

function page(options = {}, host: Loopback = '::1') {
  return httpsServer((_request, response) => response.end('all is ok'), options, host)
}

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`https to ${host}`, () => {
    it('is up when status and body are as expected, with any certificate', async () => {
      const result = await probe(check, await page({}, host), { receive: 'is ok' }, SLOW)
      assert.equal(result.ok, true, result.detail)
      assert.deepEqual(
        result.phases.map(({ phase }) => phase),
        ['connect', 'handshake', 'send', 'first byte', 'body'],
      )
    })

    it('opens a connection for every check', async () => {
      const server = await page({}, host)
      for (let i = 0; i < 3; i++) await probe(check, server, {}, SLOW)
      assert.equal(server.count(), 3)
    })

    it('verifies the certificate by the address without a name', async () => {
      const result = await probe(check, await page(signed, host), { verify: true, ca }, SLOW)
      assert.equal(result.ok, true, result.detail)
    })

    const handshakes: [string, string, () => Promise<{ host: string; port: number }>][] = [
      ['is not there', 'refused', async () => ({ host, port: await refusedPort(host) })],
      ['stays silent in the handshake', 'timeout', () => silentServer(host)],
      ['hangs up at once', 'closed', () => hangUpServer(host)],
      ['resets the connection', 'reset', () => resetServer(host)],
      ['speaks plain http', 'tls', () => saying('HTTP/1.1 400 Bad Request\r\n\r\n', host)],
    ]
    for (const [phrase, reason, server] of handshakes)
      it(`is down when the server ${phrase}`, async () => {
        const { ok, ...result } = await probe(
          check,
          await server(),
          {},
          { timeout: reason === 'timeout' ? 300 : 15_000 },
        )
        assert.deepEqual({ ok, reason: result.reason }, { ok: false, reason }, result.detail)
        if (reason === 'timeout') assert.equal(result.phase, 'handshake')
      })

    for (const [phrase, reason, behaviour] of FAULTS)
      it(`is down when the server ${phrase}`, async () => {
        const server = await tlsServer(
          socket => {
            socket.on('error', () => {})
            socket.once('data', () => behaviour(socket))
          },
          {},
          host,
        )
        const options = { receive: 'ok', limit: 100_000 }
        const result = await probe(check, server, options, { timeout: reason === 'timeout' ? 300 : 15_000 })
        assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
      })
  })

describe('https: the certificate of https', () => {
  const trusting = { verify: true, ca }
  const cases: [string, object, Record<string, unknown>, RegExp | null][] = [
    ['good for the virtualhost', signed, { ...trusting, virtualhost: 'www.example.com' }, null],
    [
      'good for the virtualhost with a port',
      signed,
      { ...trusting, virtualhost: 'www.example.com:8443' },
      null,
    ],
    [
      'good for verifyname',
      signed,
      { ...trusting, virtualhost: 'x.example', verifyname: 'www.example.com' },
      null,
    ],
    [
      'expired',
      expired,
      trusting,
      /expired: renew it; it is for \S+, valid from \S.* to \S.* GMT \(CERT_HAS_EXPIRED\)/,
    ],
    ['expired and not verified', expired, {}, null],
    ['of another name', signed, { ...trusting, virtualhost: 'other.example' }, /a different name.*ALTNAME/],
    [
      'of another name for verifyname',
      signed,
      { ...trusting, verifyname: 'other.example' },
      /a different name/,
    ],
    ['of an unknown authority', signed, { verify: true }, /not trusted|unknown.*UNABLE_TO/],
    ['self-signed', {}, { verify: true }, /self-signed.*DEPTH_ZERO/],
  ]
  for (const [phrase, server, options, said] of cases)
    it(`${phrase} is ${said ? 'down' : 'up'}`, async () => {
      const result = await probe(check, await page(server), options, SLOW)
      assert.equal(result.ok, said === null, result.detail)
      if (said) assert.equal(result.reason, 'tls')
      if (said) assert.match(result.detail, said)
    })
})

describe('https: pins of https', () => {
  const certificate = new X509Certificate(signed.cert)
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  const ofKey = `sha256//${createHash('sha256').update(spki).digest('base64')}`
  const other = `sha256//${Buffer.alloc(32).toString('base64')}`
  const cases: [string, Record<string, unknown>, boolean][] = [
    ["the certificate's", { pin: [certificate.fingerprint256] }, true],
    [
      "the certificate's without colons",
      { pin: [certificate.fingerprint256.replaceAll(':', '').toLowerCase()] },
      true,
    ],
    ["the key's", { pin: [ofKey] }, true],
    ["one of several the key's", { pin: [other, ofKey] }, true],
    ["another one's", { pin: [other] }, false],
    ["the key's, and the certificate verified", { pin: [ofKey], verify: true, ca }, true],
    ["the key's, and the certificate of nobody known", { pin: [ofKey], verify: true }, false],
    ["another one's, and the certificate verified", { pin: [other], verify: true, ca }, false],
  ]
  for (const [phrase, options, ok] of cases)
    for (const redirects of [0, 1])
      it(`${ok ? 'pass' : 'fail'} when they are ${phrase}, with ${redirects} redirects`, async () => {
        const server = await httpsServer((request, response) => {
          if (redirects > 0 && request.url === '/') response.writeHead(302, { location: '/b' }).end()
          else response.end('all is ok')
        }, signed)
        const result = await probe(check, server, { ...options, redirects }, SLOW)
        assert.equal(result.ok, ok, result.detail)
        if (!ok) assert.equal(result.reason, 'tls')
        if (!ok && !options.verify) assert.ok(result.detail.includes(ofKey), result.detail)
      })

  it('must be readable', () => {
    for (const pin of ['', 'sha256//abc=', 'ab:cd', 'g'.repeat(64)])
      assert.match(problemOf(check, { pin: [pin] }) ?? '', /pin takes a SHA-256/)
  })
})

describe('https: the handshake of https', () => {
  it('sends the virtualhost, sni, or no name', async () => {
    const names: (string | false | null)[] = []
    const server = await tlsServer(socket => {
      names.push(socket.servername)
      socket.on('error', () => {})
      socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\n\r\n'))
    })
    for (const options of [
      {},
      { virtualhost: 'www.example.com' },
      { virtualhost: '[2001:db8::1]:443' },
      { virtualhost: 'www.example.com', sni: 'inner.example' },
      { virtualhost: 'www.example.com', sni: '' },
    ])
      assert.equal((await probe(check, server, options, SLOW)).ok, true)
    assert.deepEqual(names, [false, 'www.example.com', false, 'inner.example', false])
  })

  it('sends a client certificate if the server requests one', async () => {
    const server = await page({
      ...signed,
      ca: readFileSync(ca),
      requestCert: true,
      rejectUnauthorized: true,
    })
    const shown = await probe(check, server, { cert: tlsFile('client.pem') }, SLOW)
    assert.equal(shown.ok, true, shown.detail)
    const apart = await probe(check, server, { cert: tlsFile('client.pem'), key: tlsFile('key.pem') }, SLOW)
    assert.equal(apart.ok, true, apart.detail)
    const without = await probe(check, server, {}, SLOW)
    assert.equal(without.reason, 'tls', without.detail)
    assert.match(without.detail, /set cert/)
  })

  it('respects minversion', async () => {
    const old = await page({
      ...signed,
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    const refused = await probe(check, old, {}, SLOW)
    assert.equal(refused.reason, 'tls', refused.detail)
    assert.match(refused.detail, /minversion/)
    const allowed = await probe(check, old, { minversion: 'TLSv1' }, SLOW)
    assert.equal(allowed.ok, true, allowed.detail)
  })

  it('shares one context per setting until one of its files changes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-'))
    onCleanup(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'ca.crt')
    copyFileSync(ca, file)
    const context = () => contextFor(parseOptions(check, { verify: true, ca: file }) as unknown as TlsOptions)
    const first = context()
    assert.equal(context(), first)
    assert.notEqual(contextFor(parseOptions(check, {}) as unknown as TlsOptions), first)
    utimesSync(file, 1, 1)
    const second = context()
    assert.notEqual(second, first)
    // While it is written anew, the last good one goes on.
    writeFileSync(file, '-----BEGIN CERTIFICATE-----\nhalf')
    assert.equal(context(), second)
    rmSync(file)
    assert.equal(context(), second)
  })
})

describe('https: a missing certificate file', () => {
  it('gives no verdict, because no request was sent', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'lvsd-'))
    onCleanup(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'ca.crt')
    copyFileSync(ca, file)
    const options = parseOptions(check, { verify: true, ca: file }) as unknown as TlsOptions
    rmSync(file)
    assert.throws(() => contextFor(options), { name: 'CannotAsk', message: /ca\.crt cannot be used: / })
  })
})

describe('https: redirects of https', () => {
  it('are followed with the same rules for certificate and name', async () => {
    const server = await httpsServer(({ url }, response) => {
      if (url === '/b') response.end('arrived')
      else response.writeHead(302, { location: '/b' }).end()
    }, signed)
    const options = { verify: true, ca, virtualhost: 'www.example.com', redirects: 2, receive: 'arrived' }
    const result = await probe(check, server, options, SLOW)
    assert.equal(result.ok, true, result.detail)
    const wrong = await probe(check, server, { ...options, virtualhost: 'other.example' }, SLOW)
    assert.equal(wrong.reason, 'tls', wrong.detail)
    assert.match(wrong.detail, /a different name/)
  })

  it('is down when the connection is refused, or the server uses plain http', async () => {
    assert.equal((await probe(check, await refusedPort(), { redirects: 1 }, SLOW)).reason, 'refused')
    const plain = await saying('HTTP/1.1 400 Bad Request\r\n\r\n')
    assert.equal((await probe(check, plain, { redirects: 1 }, SLOW)).reason, 'tls')
  })
})

/** A server that speaks HTTP/2 alone. */
async function http2Server(handler: (stream: ServerHttp2Stream, headers: Record<string, unknown>) => void) {
  const server = createSecureServer(signed)
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  server.on('session', session => session.on('error', () => {}))
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    handler(stream, headers)
  })
  await new Promise<void>(resolve => server.listen(0, '::1', resolve))
  onCleanup(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  })
  return { host: '::1', port: (server.address() as { port: number }).port }
}

describe('https: HTTP/2', () => {
  it('says where a redirect leads', async () => {
    const server = await http2Server(stream => {
      stream.respond({ ':status': 302, location: '/login?sid=7' })
      stream.end()
    })
    const { detail } = await probe(check, server, { http2: true }, SLOW)
    assert.equal(detail, 'status 302 to "/login"; expected 200-299')
  })

  it('asks as HTTP/1.1 does', async () => {
    let asked: Record<string, unknown> = {}
    const server = await http2Server((stream, headers) => {
      asked = headers
      stream.respond({ ':status': 200 })
      stream.end('all is ok')
    })
    const options = {
      http2: true,
      virtualhost: 'www.example.com',
      request: 'a',
      login: 'x',
      receive: 'is ok',
    }
    const result = await probe(check, server, { ...options, verify: true, ca }, SLOW)
    assert.equal(result.ok, true, result.detail)
    assert.equal(asked[':authority'], 'www.example.com')
    assert.equal(asked[':path'], '/a')
    assert.equal(asked['user-agent'], 'lvsd')
    assert.match(String(asked.authorization), /^Basic /)
  })

  const faults: [string, string, (stream: ServerHttp2Stream) => void][] = [
    ['answers 500', 'status', stream => stream.respond({ ':status': 500 }, { endStream: true })],
    [
      'sends another body',
      'unexpected',
      stream => {
        stream.respond({ ':status': 200 })
        stream.end('no')
      },
    ],
    [
      'breaks off in the body',
      'truncated',
      stream => {
        stream.respond({ ':status': 200 })
        stream.write('o', () => stream.session?.destroy())
      },
    ],
    [
      'resets the stream in the body',
      'truncated',
      stream => {
        stream.respond({ ':status': 200 })
        stream.write('o', () => stream.destroy(new Error('broken')))
      },
    ],
    ['resets the stream', 'garbage', stream => stream.close(2)],
    ['hangs up', 'closed', stream => stream.session?.destroy()],
    [
      'sends a body without end',
      'too-big',
      stream => {
        stream.respond({ ':status': 200 })
        const pour = () => {
          while (!stream.destroyed && stream.write('and more '.repeat(1000)));
        }
        stream.on('drain', pour)
        pour()
      },
    ],
    ['stays silent', 'timeout', () => {}],
  ]
  for (const [phrase, reason, behaviour] of faults)
    it(`is down when the server ${phrase}`, async () => {
      const server = await http2Server(behaviour)
      const options = { http2: true, receive: 'ok', limit: 100_000 }
      const result = await probe(check, server, options, { timeout: reason === 'timeout' ? 300 : 15_000 })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })

  it('is down when the server does not offer it, or the connection is refused', async () => {
    const result = await probe(check, await page(), { http2: true }, SLOW)
    assert.equal(result.ok, false)
    assert.match(result.detail, /leave http2 out|leave out http2/)
    assert.equal((await probe(check, await refusedPort(), { http2: true })).reason, 'refused')
  })
})

describe('https: invalid options of https', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lvsd-'))
  after(() => rmSync(folder, { recursive: true }))
  const empty = join(folder, 'empty.pem')
  writeFileSync(empty, '')
  const broken = join(folder, 'broken.pem')
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n')
  const cut = join(folder, 'cut.pem')
  writeFileSync(cut, readFileSync(ca, 'utf8').repeat(2).slice(0, -100))
  const cases: [string, Record<string, unknown>, RegExp][] = [
    ['ca without verify', { ca }, /verify/],
    ['verifyname without verify', { verifyname: 'a' }, /verify/],
    ['a missing ca file', { verify: true, ca: join(folder, 'none.crt') }, /ca: .*none\.crt/],
    ['an empty ca file', { verify: true, ca: empty }, /PEM/],
    ['a broken ca file', { verify: true, ca: broken }, /broken\.pem/],
    ['a ca file cut off', { verify: true, ca: cut }, /cut\.pem.*a part/],
    ['a broken certificate', { cert: broken, key: tlsFile('key.pem') }, /broken\.pem/],
    ['a certificate without its key', { cert: tlsFile('server.crt') }, /server\.crt/],
    ['a key without its certificate', { key: tlsFile('key.pem') }, /cert/],
    ['an address as sni', { sni: '2001:db8::1' }, /host name/],
    ['redirects over HTTP/2', { http2: true, redirects: 1 }, /HTTP\/1\.1/],
    ['what http refuses', { receive: 'a', text: 'a' }, /not both/],
  ]
  for (const [phrase, options, said] of cases)
    it(`are reported: ${phrase}`, () => assert.match(problemOf(check, options) ?? '', said))
})
