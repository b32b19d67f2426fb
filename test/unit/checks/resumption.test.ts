/** Sessions of TLS that later runs resume, with servers that forget them, do not give any, or break with them. */
import assert from 'node:assert/strict'
import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createSecureServer } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { check } from '../../../checks/https.js'
import { check as imaps } from '../../../checks/imaps.js'
import { FULL_EVERY } from '../../../checks/lib/tls-sessions.js'
import { check as tls } from '../../../checks/tls.js'
import { onCleanup } from '../../support/after-each.js'
import { SLOW } from '../../support/checks/cases.js'
import { probe, targetOf } from '../../support/probe.js'
import { tcpServer, tlsServer } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'

const key = readFileSync(tlsFile('key.pem'))
const signed = { key, cert: readFileSync(tlsFile('server.crt')) }
const expired = { key, cert: readFileSync(tlsFile('expired.crt')) }
const TRUSTED = { verify: true, ca: tlsFile('ca.crt') }
const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK'

interface Site {
  readonly host: string
  readonly port: number
  readonly server: Server
  /** Of each handshake, whether it was resumed. */
  readonly resumed: boolean[]
  /** What each connection gets for its request; an empty one is no answer. */
  page: string
}

/** A web server over TLS with a ticket key of its own. */
async function site(options: TlsOptions = {}, port = 0): Promise<Site> {
  const sockets = new Set<Socket>()
  const server = createServer({ ...signed, ticketKeys: randomBytes(48), ...options }, socket => {
    found.resumed.push(socket.isSessionReused())
    socket.on('error', () => {})
    socket.once('data', () => found.page !== '' && socket.end(found.page))
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
  })
  server.on('tlsClientError', () => {})
  server.listen(port, '::1')
  await once(server, 'listening')
  const found = {
    host: '::1',
    port: (server.address() as AddressInfo).port,
    server,
    resumed: [] as boolean[],
    page: PAGE,
  }
  onCleanup(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise(done => server.close(done))
  })
  return found
}

/** Runs the check some times; each run passes. */
async function passes(where: Site, times: number, options = {}, kind: typeof check | typeof tls = check) {
  for (let i = 0; i < times; i++) {
    const result = await probe(kind as typeof check, where, options, SLOW)
    assert.equal(result.ok, true, result.detail)
  }
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  const only = { minVersion: version, maxVersion: version }

  describe(`resumption of sessions of ${version}`, () => {
    it('is made by all runs that pass but every tenth', async () => {
      const where = await site(only)
      await passes(where, FULL_EVERY + 2)
      const wanted = Array.from({ length: FULL_EVERY + 2 }, (_, i) => i % FULL_EVERY !== 0)
      assert.deepEqual(where.resumed, wanted)
    })

    it('is made by runs through the same path of a service, and not by others to its address', async () => {
      const where = await site(only)
      const direct = { ...targetOf(where), marked: null }
      const marked = { ...direct, marked: { mark: 0, path: 'a path', ports: [] } }
      // A server that takes the place of another one gets its mark.
      const next = { ...direct, marked: { ...marked.marked, path: 'another path' } }
      for (const target of [direct, marked, direct, marked, next]) {
        const { ok, detail } = await probe(check, target, {}, SLOW)
        assert.equal(ok, true, detail)
      }
      assert.deepEqual(where.resumed, [false, false, true, true, false])
    })

    it('is not made after a run that failed', async () => {
      const where = await site(only)
      await passes(where, 2)
      where.page = 'HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n'
      assert.equal((await probe(check, where, {}, SLOW)).reason, 'status')
      where.page = PAGE
      await passes(where, 2)
      assert.deepEqual(where.resumed, [false, true, true, false, false])
    })

    it('is not made after a run that came to its deadline', async () => {
      const where = await site(only)
      await passes(where, 2)
      where.page = ''
      assert.equal((await probe(check, where, {}, { timeout: 1000 })).reason, 'timeout')
      where.page = PAGE
      await passes(where, 1)
      assert.deepEqual(where.resumed, [false, true, true, false])
    })

    it('becomes a full handshake where the server has forgotten the session, or is another one', async () => {
      const where = await site(only)
      await passes(where, 2)
      where.server.setTicketKeys(randomBytes(48))
      await passes(where, 2)
      assert.deepEqual(where.resumed, [false, true, false, true])
    })

    it('is not made where the server gives no tickets', async () => {
      const { SSL_OP_NO_TICKET } = (await import('node:crypto')).constants
      const where = await site({ ...only, secureOptions: SSL_OP_NO_TICKET, sessionTimeout: 1 })
      await passes(where, 3)
      assert.deepEqual(new Set(where.resumed), new Set([false]))
    })

    it('is not made where the certificate is judged: one that is replaced is seen at once', async () => {
      for (const options of [TRUSTED, { pin: [new X509Certificate(signed.cert).fingerprint256] }]) {
        const where = await site(only)
        await passes(where, 3, options)
        where.server.setSecureContext(expired)
        assert.equal((await probe(check, where, options, SLOW)).reason, 'tls')
        assert.deepEqual(where.resumed.slice(0, 3), [false, false, false])
      }
      const where = await site(only)
      await passes(where, 2, {}, tls)
      where.server.setSecureContext(expired)
      assert.match((await probe(tls, where, {}, SLOW)).detail, /has expired/)
      assert.deepEqual(where.resumed.slice(0, 2), [false, false])
    })

    it("is not made where the server judges lvsd's certificate", async () => {
      const where = await site({
        ...only,
        ca: readFileSync(tlsFile('ca.crt')),
        requestCert: true,
        rejectUnauthorized: true,
      })
      await passes(where, 3, { cert: tlsFile('client.pem') })
      assert.deepEqual(where.resumed, [false, false, false])
    })

    it('is made for each name of SNI apart', async () => {
      const where = await site(only)
      await passes(where, 1, { sni: 'a.example' })
      await passes(where, 1, { sni: 'b.example' })
      await passes(where, 1, { sni: 'a.example' })
      assert.deepEqual(where.resumed, [false, false, true])
    })
  })
}

describe('resumption by other checks', () => {
  it('is made over HTTP/2', async () => {
    const resumed: boolean[] = []
    const server = createSecureServer(signed, (_request, response) => response.end('OK'))
    server.on('secureConnection', (socket: TLSSocket) => resumed.push(socket.isSessionReused()))
    server.on('session', session => session.on('error', () => {}))
    server.listen(0, '::1')
    await once(server, 'listening')
    onCleanup(() => new Promise(done => server.close(done)))
    const { port } = server.address() as AddressInfo
    for (let i = 0; i < 3; i++) {
      const result = await probe(check, port, { http2: true, receive: 'OK' }, SLOW)
      assert.equal(result.ok, true, result.detail)
    }
    assert.deepEqual(resumed, [false, true, true])
  })

  it('is made by those that hold a dialogue', async () => {
    const resumed: boolean[] = []
    const server = await tlsServer(socket => {
      resumed.push(socket.isSessionReused())
      socket.write('* OK ready\r\n')
      socket.on('data', data => socket.write(`${data.toString().split(' ')[0]} OK done\r\n`))
    }, signed)
    for (let i = 0; i < 3; i++) {
      const result = await probe(imaps, server, {}, SLOW)
      assert.equal(result.ok, true, result.detail)
    }
    assert.deepEqual(resumed, [false, true, true])
  })
})

/** Number of an extension by which TLS 1.3 resumes (RFC 8446, section 4.2). */
const PRE_SHARED_KEY = Buffer.from('0029', 'hex')
/** A fatal alert: handshake_failure. */
const ALERT = Buffer.from('15030300020228', 'hex')

describe('resumption with a server that breaks with it', () => {
  for (const [how, refuse] of [
    ['by an alert', socket => socket.end(ALERT)],
    ['by its end', socket => socket.end()],
    ['by a reset', socket => socket.resetAndDestroy()],
  ] as readonly [string, (socket: Socket) => void][])
    it(`in the handshake ${how} is given up in the same run, and for the runs after it`, async () => {
      const behind = await site()
      let broken = 0
      const front = await tcpServer(socket => {
        socket.on('error', () => {})
        socket.once('data', hello => {
          if (isResuming(hello)) {
            broken++
            refuse(socket)
            return
          }
          const onward = connect(behind.port, '::1')
          onward.on('error', () => {})
          onward.write(hello)
          onward.pipe(socket).pipe(onward)
        })
      })
      for (let i = 0; i < 4; i++) {
        const result = await probe(check, front, {}, SLOW)
        assert.equal(result.ok, true, result.detail)
      }
      assert.equal(broken, 1)
      assert.equal(front.count(), 5)
      assert.deepEqual(new Set(behind.resumed), new Set([false]))
    })

  const web = (socket: TLSSocket) => socket.once('data', () => socket.end(PAGE))
  const mail = (socket: TLSSocket) => {
    socket.write('* OK ready\r\n')
    socket.on('data', data => socket.write(`${data.toString().split(' ')[0]} OK done\r\n`))
  }
  for (const [kind, serve] of [
    [check, web],
    [imaps as unknown as typeof check, mail],
  ] as const)
    it(`after it, in place of an answer, is given up in the same run: ${kind.name}`, async () => {
      const resumed: boolean[] = []
      const server = await tlsServer(socket => {
        resumed.push(socket.isSessionReused())
        socket.on('error', () => {})
        if (socket.isSessionReused()) socket.end()
        else serve(socket)
      }, signed)
      for (let i = 0; i < 3; i++) {
        const result = await probe(kind, server, {}, SLOW)
        assert.equal(result.ok, true, result.detail)
      }
      assert.deepEqual(resumed, [false, true, false, false])
    })
})

/** Walks the extensions of a ClientHello (RFC 8446, section 4.1.2). */
function isResuming(hello: Buffer): boolean {
  let at = 5 + 4 + 2 + 32
  at += 1 + hello.readUInt8(at)
  at += 2 + hello.readUInt16BE(at)
  at += 1 + hello.readUInt8(at)
  for (at += 2; at + 4 <= hello.length; at += 4 + hello.readUInt16BE(at + 2))
    if (hello.subarray(at, at + 2).equals(PRE_SHARED_KEY)) return true
  return false
}
