import assert from 'node:assert/strict'
import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import { check, requestFrame, servingOf } from '../../../checks/grpc.js'
import { onCleanup } from '../../support/after-each.js'
import { failsAsAll } from '../../support/checks/library-faults.js'
import { problemOf } from '../../support/checks/options.js'
import { freePort, programOr } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { Place } from '../../support/checks/services.js'
import { probe } from '../../support/probe.js'
import { certificate, tlsServer } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

const SLOW = { timeout: 15_000 }

type Behaviour = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void

/** A server of HTTP/2 that behaves like this, on a port of its own. */
async function h2Server(behaviour: Behaviour, { tls = false, host = '::1' } = {}) {
  const server = tls ? createSecureServer(certificate) : createServer()
  const sessions = new Set<Http2Session>()
  server.on('session', session => {
    sessions.add(session)
    session.on('error', () => {})
  })
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {})
    behaviour(stream, headers)
  })
  server.listen(0, host)
  await once(server, 'listening')
  onCleanup(() => {
    for (const session of sessions) session.destroy()
    server.close()
  })
  return { host, port: (server.address() as AddressInfo).port }
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' }

/** Answers with a status, or with what it is given as the whole message. */
function says(
  message: number | Buffer,
  trailers: Record<string, string> = { 'grpc-status': '0' },
): Behaviour {
  const body = typeof message === 'number' ? Buffer.from([8, message]) : message
  return stream => {
    stream.respond(GRPC, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers(trailers))
    stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]))
  }
}

/** Fails in the headers, as servers do that have nothing to say before. */
function fails(code: number, message = ''): Behaviour {
  return stream =>
    stream.respond(
      { ...GRPC, 'grpc-status': `${code}`, ...(message === '' ? {} : { 'grpc-message': message }) },
      { endStream: true },
    )
}

describe('grpc: the messages of gRPC health', () => {
  it('name the service', () => {
    assert.equal(requestFrame('').toString('hex'), '0000000000')
    assert.equal(requestFrame('a.B').toString('hex'), '00000000050a03612e42')
    assert.equal(requestFrame('x'.repeat(300)).toString('hex', 0, 8), '000000012f0aac02')
  })

  it('contain the status', () => {
    assert.equal(servingOf(Buffer.from('00000000020801', 'hex')), 1)
    assert.equal(servingOf(Buffer.from('0000000000', 'hex')), 0)
    for (const wrong of [
      '',
      '00000000',
      '01000000020801',
      '00000000030801',
      '00000000021001',
      '0000000003080101',
    ])
      assert.equal(servingOf(Buffer.from(wrong, 'hex')), null, wrong)
  })
})

describe('grpc', () => {
  failsAsAll(
    check,
    {},
    Buffer.from('0000000400000000000000000401000000000000000d0104000000015f8b1d75d0620d263d4c', 'hex'),
  )

  const cases: [string, Behaviour, string | null, RegExp][] = [
    ['serves', says(1), null, /the server is SERVING/],
    ['does not serve', says(2), 'unexpected', /is NOT_SERVING, expected SERVING/],
    ['does not know how it is', says(Buffer.alloc(0)), 'unexpected', /is UNKNOWN/],
    ['knows no such service', says(3), 'unexpected', /is SERVICE_UNKNOWN/],
    ['has a status of its own', says(77), 'unexpected', /status 77/],
    ['answers rubbish', says(Buffer.from('rubbish')), 'garbage', /not a HealthCheckResponse/],
    [
      'answers nothing',
      stream => stream.respond(GRPC, { endStream: true }),
      'truncated',
      /without a grpc-status/,
    ],
    [
      'is no gRPC',
      stream => stream.respond({ ':status': 404 }, { endStream: true }),
      'garbage',
      /404, but no gRPC/,
    ],
    ['has no health service', fails(12), 'status', /no health service \(UNIMPLEMENTED\)/],
    [
      'does not know the name',
      fails(5, 'unknown%20service'),
      'status',
      /NOT_FOUND.*it says: unknown service/,
    ],
    ['wants to know who asks', fails(16), 'status', /UNAUTHENTICATED/],
    ['says a broken word', fails(13, '100%'), 'status', /code 13; it says: 100%/],
    ['fails behind its answer', says(1, { 'grpc-status': '14' }), 'status', /UNAVAILABLE/],
    ['resets the stream', stream => stream.close(2), 'garbage', /./],
    ['closes the session', stream => stream.session?.destroy(), 'closed', /closed/],
    ['says goodbye', stream => stream.session?.goaway(0), 'timeout', /./],
    ['answers by halves', stream => stream.respond(GRPC), 'timeout', /not complete/],
    ['pours', stream => pour(stream), 'too-big', /more than/],
  ]
  for (const [phrase, behaviour, reason, said] of cases)
    it(`is judged where the server ${phrase}`, async () => {
      const timeout = reason === 'timeout' ? 200 : 5000
      const result = await probe(check, await h2Server(behaviour), {}, { timeout })
      assert.equal(result.reason, reason, result.detail)
      assert.match(result.detail, said)
    })

  it('asks as gRPC does', async () => {
    let asked: IncomingHttpHeaders = {}
    const server = await h2Server((stream, headers) => {
      asked = headers
      says(1)(stream, headers)
    })
    const options = { virtualhost: 'api.example', headers: { authorization: 'Bearer x' } }
    assert.equal((await probe(check, server, options, SLOW)).ok, true)
    const expected = {
      ':method': 'POST',
      ':path': '/grpc.health.v1.Health/Check',
      ':authority': 'api.example',
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': '15000m',
      authorization: 'Bearer x',
    }
    for (const [name, value] of Object.entries(expected)) assert.equal(asked[name], value)
  })

  it('is up over IPv4, and over TLS', async () => {
    assert.equal((await probe(check, await h2Server(says(1), { host: '127.0.0.1' }))).ok, true)
    const secure = await h2Server(says(1), { tls: true })
    assert.equal((await probe(check, secure, { tls: true }, SLOW)).ok, true)
    assert.equal((await probe(check, secure, { tls: true, verify: true }, SLOW)).reason, 'tls')
    assert.equal((await probe(check, secure, {}, { timeout: 1000 })).ok, false)
    const other = await tlsServer(() => {}, { ALPNProtocols: ['http/1.1'] })
    const result = await probe(check, other, { tls: true }, SLOW)
    assert.equal(result.ok, false)
    const older = await tlsServer(() => {})
    assert.match((await probe(check, older, { tls: true }, SLOW)).detail, /HTTP\/2/)
  })

  it('says which options do not go together', () => {
    assert.match(problemOf(check, { headers: { 'Not Good': 'x' } }) ?? '', /not valid metadata/)
    assert.match(problemOf(check, { headers: { 'grpc-timeout': '1' } }) ?? '', /not valid metadata/)
    assert.match(problemOf(check, { virtualhost: 'a b' }) ?? '', /host name/)
    assert.match(problemOf(check, { sni: 'a' }) ?? '', /sni needs tls/)
  })
})

function pour(stream: ServerHttp2Stream): void {
  stream.respond(GRPC)
  const more = Buffer.alloc(16_384)
  const write = () => {
    while (!stream.destroyed && stream.write(more));
  }
  stream.on('drain', write)
  write()
}

describe('grpc: etcd', function () {
  this.timeout(60_000)
  let place: Place
  let port: number
  let secure: number

  before(async function () {
    const file = programOr(() => this.skip(), 'etcd', 'etcd-server')
    place = new Place()
    port = await freePort()
    const peers = `http://[::1]:${await freePort()}`
    secure = await freePort()
    const clients = `http://[::1]:${port},https://[::1]:${secure}`
    const argv = Object.entries({
      'data-dir': `${place.folder}/data`,
      'listen-client-urls': clients,
      'advertise-client-urls': clients,
      'listen-peer-urls': peers,
      'initial-advertise-peer-urls': peers,
      'initial-cluster': `default=${peers}`,
      'log-level': 'error',
      'cert-file': tlsFile('server.crt'),
      'key-file': tlsFile('key.pem'),
    }).map(([name, value]) => `--${name}=${value}`)
    await place.start(file, argv, async () => (await probe(check, port, {}, SLOW)).ok === true)
  })
  after(() => place?.close())

  it('is judged by its health service', async () => {
    assert.equal((await probe(check, port, {}, SLOW)).ok, true)
    const result = await probe(check, port, { service: 'etcdserverpb.None' }, SLOW)
    assert.equal(result.reason, 'status')
    assert.match(result.detail, /does not know the service etcdserverpb.None \(NOT_FOUND\)/)
  })

  it('is judged over TLS', async () => {
    const tls = { tls: true, verify: true }
    assert.equal((await probe(check, secure, { ...tls, ca: tlsFile('ca.crt') }, SLOW)).ok, true)
    assert.equal((await probe(check, secure, tls, SLOW)).reason, 'tls')
    await diesAnywhere(check, secure, { tls: true }, { spare: 130, resetsAreSilent: true })
  })

  it('is down if the connection ends at any point', () =>
    diesAnywhere(check, port, {}, { spare: 60, resetsAreSilent: true }))
})
