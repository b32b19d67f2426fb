import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { check as http } from '../../../checks/http.js'
import { check as proxy } from '../../../checks/http_proxy.js'
import { check as https } from '../../../checks/https.js'
import type { Check } from '../../../src/check/check.js'
import { mayNeedCode } from '../../../src/probe/needs-code.js'
import { runProbe } from '../../../src/probe/start-probe.js'
import { onCleanup } from '../../support/after-each.js'
import { parseOptions } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { probe, targetOf } from '../../support/probe.js'
import { certificate, httpServer, httpsServer, saying, tcpServer } from '../../support/servers.js'

const PAGE = 'all is healthy here'
const CODED: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(PAGE),
  'x-gzip': gzipSync(PAGE),
  GZip: gzipSync(PAGE),
  deflate: deflateSync(PAGE),
  'deflate ': deflateRawSync(PAGE),
  br: brotliCompressSync(PAGE),
  'gzip, br': brotliCompressSync(gzipSync(PAGE)),
  identity: Buffer.from(PAGE),
}

type Fetch = (
  coding: string,
  body: Buffer,
  options: Record<string, unknown>,
) => Promise<import('../../../src/core/model.js').CheckResult>

/** The ways on which a page comes. */
const WAYS: Readonly<Record<string, Fetch>> = {
  http: async (coding, body, options) =>
    probe(
      http,
      await httpServer((_request, response) => response.setHeader('Content-Encoding', coding).end(body)),
      options,
    ),
  'http with redirects': async (coding, body, options) =>
    probe(
      http,
      await httpServer((request, response) => {
        if (request.url === '/') response.writeHead(302, { Location: '/there' }).end()
        else response.setHeader('Content-Encoding', coding).end(body)
      }),
      { ...options, redirects: 1 },
    ),
  https: async (coding, body, options) =>
    probe(
      https,
      await httpsServer((_request, response) => response.setHeader('Content-Encoding', coding).end(body)),
      options,
    ),
  'HTTP/2': async (coding, body, options) =>
    probe(https, await http2(coding, body), { ...options, http2: true }),
  'a proxy': async (coding, body, options) =>
    probe(
      proxy as unknown as Check,
      await httpServer((_request, response) => response.setHeader('Content-Encoding', coding).end(body)),
      { request: 'http://x.example/', redirects: 1, ...options },
    ),
  'chunks of one byte': async (coding, body, options) => {
    const chunks = [...body].map(byte => `1\r\n${String.fromCharCode(byte)}\r\n`).join('')
    const head = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nTransfer-Encoding: chunked\r\n\r\n`
    return probe(http, await saying(Buffer.from(`${head}${chunks}0\r\n\r\n`, 'latin1')), options)
  },
  'a transfer coding': async (coding, body, options) => {
    const head = `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}, chunked\r\n\r\n${body.length.toString(16)}\r\n`
    return probe(
      http,
      await saying(Buffer.concat([Buffer.from(head), body, Buffer.from('\r\n0\r\n\r\n')])),
      options,
    )
  },
}

async function http2(coding: string, body: Buffer): Promise<number> {
  const server = createSecureServer(certificate)
  server.on('stream', stream => {
    stream.respond({ ':status': 200, 'content-encoding': coding })
    stream.end(body)
  })
  server.on('session', session => session.on('error', () => {}))
  await new Promise<void>(listening => server.listen(0, '::1', listening))
  onCleanup(() => {
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const SLOW = { timeout: 10_000 }

describe('coding: a compressed page', () => {
  for (const [way, fetch] of Object.entries(WAYS))
    it(`is searched as uncompressed text, over ${way}`, async () => {
      for (const [coding, body] of Object.entries(CODED)) {
        const found = await fetch(coding.trim(), body, { text: 'healthy' })
        assert.equal(found.ok, true, `${coding}: ${found.detail}`)
        assert.match(found.detail, new RegExp(`found "healthy" in ${PAGE.length} bytes`))
        const lost = await fetch(coding.trim(), body, { receive: 'ill' })
        assert.equal(lost.reason, 'unexpected')
        assert.match(lost.detail, /all is healthy here/)
      }
    })

  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const faults: [string, string, Buffer, string, RegExp][] = [
    [
      'is compressed by what is not known',
      'zpaq',
      Buffer.from(PAGE),
      'unexpected',
      /200 OK, but the body is compressed by "zpaq", which lvsd does not support/,
    ],
    ['is not what it says', 'gzip', Buffer.from(PAGE), 'garbage', /not gzip/],
    ['breaks off', 'gzip', CODED.gzip?.subarray(0, 20) ?? Buffer.alloc(0), 'garbage', /not gzip/],
    [
      'is much longer than it looks',
      'gzip',
      bomb,
      'too-big',
      /decoded from gzip has more than 1048576 bytes/,
    ],
    ['is compressed again and again', 'gzip, gzip, gzip, gzip', Buffer.from(PAGE), 'garbage', /4 times/],
  ]
  for (const [phrase, coding, body, reason, detail] of faults)
    it(`is down where it ${phrase}`, async () => {
      for (const fetch of [WAYS.http, WAYS.https]) {
        const result = await fetch?.(coding, body, { text: 'healthy' })
        assert.equal(result?.reason, reason, result?.detail)
        assert.match(result?.detail ?? '', detail)
      }
    })

  it('is not decoded if nothing is searched, and is requested with Accept-Encoding: identity', async () => {
    const asked: (string | undefined)[] = []
    const server = await httpServer((request, response) => {
      asked.push(request.headers['accept-encoding'] as string)
      response.setHeader('Content-Encoding', 'zpaq').end(PAGE)
    })
    assert.equal((await probe(http, server)).ok, true)
    await probe(http, server, { headers: { 'accept-encoding': 'br' } })
    assert.deepEqual(asked, ['identity', 'br'])
  })

  it('is left to code by the probe', async () => {
    const server = await httpServer((_request, response) =>
      response.setHeader('Content-Encoding', 'gzip').end(CODED.gzip),
    )
    const asked = http.probe?.(targetOf(server), parseOptions(http, { text: 'healthy' }))
    assert.ok(asked && mayNeedCode(asked))
    assert.equal((await runProbe(asked, 2000)).reason, 'no-verdict')
    const plain = http.probe?.(targetOf(server), parseOptions(http, {}))
    assert.ok(plain && !mayNeedCode(plain))
    assert.equal((await runProbe(plain, 2000)).ok, true)
  })

  it('of nginx with compression of all pages is searched', async function () {
    this.timeout(60_000)
    const file = programOr(() => this.skip(), 'nginx', 'nginx-light')
    const port = await freePort()
    const folder = folderOf({ 'index.html': 'nothing' })
    writeFileSync(`${folder}/index.html.gz`, gzipSync(PAGE))
    writeFileSync(
      `${folder}/nginx.conf`,
      `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${folder}/pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  server { listen [::1]:${port}; root ${folder}; gzip_static always; }
}
`,
    )
    await start(file, ['-p', folder, '-c', `${folder}/nginx.conf`, '-e', 'stderr'], [port])
    const result = await probe(http, port, { text: 'healthy' }, SLOW)
    assert.equal(result.ok, true, result.detail)
    assert.equal((await probe(http, port, { text: 'ill' }, SLOW)).reason, 'unexpected')
  })
})

describe('coding: a body with a length and Transfer-Encoding: identity', () => {
  for (const coding of ['identity', 'Identity', 'identity, identity', ''])
    it(`ends after its length, with "${coding}"`, async () => {
      const said = `HTTP/1.1 200 OK\r\nTransfer-Encoding: ${coding}\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`
      const server = await tcpServer(socket => socket.once('data', () => socket.write(said)))
      const result = await probe(http, server, { text: 'healthy' })
      assert.equal(result.ok, true, result.detail)
    })
})
