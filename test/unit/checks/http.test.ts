import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { check } from '../../../checks/http.js'
import { mayNeedCode } from '../../../src/probe/needs-code.js'
import { FAULTS } from '../../support/checks/faults.js'
import { parseOptions, problemOf } from '../../support/checks/options.js'
import { probe, targetOf } from '../../support/probe.js'
import { httpServer, httpsServer, refusedPort, saying, tcpServer } from '../../support/servers.js'

/** Answers 200 `ok` and keeps what it was asked. */
async function recorder(host: '::1' | '127.0.0.1' = '::1') {
  const requests: (IncomingMessage & { body: string })[] = []
  const server = await httpServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      requests.push(Object.assign(request, { body }))
      response.end('all is ok, Grüße')
    })
  }, host)
  return { server, requests }
}

for (const host of ['::1', '127.0.0.1'] as const)
  describe(`http to ${host}`, () => {
    it('is up when status and body are as expected', async () => {
      const { server } = await recorder(host)
      for (const options of [
        {},
        { receive: 'is (ok|fine)' },
        { text: 'Grüße' },
        { receive: '(?i)GRÜSSE|grüße' },
      ]) {
        const { ok, detail } = await probe(check, server, options)
        assert.equal(ok, true, detail)
      }
    })

    it('sends the Host header of RFC 9110, or the virtualhost', async () => {
      const { server, requests } = await recorder(host)
      const authority = host === '::1' ? `[::1]:${server.port}` : `127.0.0.1:${server.port}`
      await probe(check, server)
      await probe(check, server, { virtualhost: 'www.example.com' })
      await probe(check, server, { virtualhost: 'a.example', headers: { Host: 'b.example' } })
      for (const redirects of [0, 1]) await probe(check, server, { virtualhost: '*.example.com', redirects })
      assert.deepEqual(
        requests.map(({ headers }) => headers.host),
        [authority, 'www.example.com', 'b.example', '*.example.com', '*.example.com'],
      )
    })

    it('opens a connection for every check', async () => {
      const { server } = await recorder(host)
      for (let i = 0; i < 3; i++) await probe(check, server)
      assert.equal(server.count(), 3)
    })

    it('is down when the connection is refused', async () => {
      const result = await probe(check, { host, port: await refusedPort(host) })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason: 'refused' })
    })

    for (const [phrase, reason, behaviour] of FAULTS)
      it(`is down when the server ${phrase}`, async () => {
        const server = await tcpServer(socket => socket.once('data', () => behaviour(socket)), host)
        const options = { receive: 'ok', limit: 100_000 }
        const result = await probe(check, server, options, { timeout: reason === 'timeout' ? 120 : 3000 })
        assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
        assert.ok(result.ms < 3500)
      })
  })

describe('http: the request of http', () => {
  it('omits the default port and the zone in the Host header', () => {
    const sent = (host: string, port: number) => {
      const asked = check.probe?.(targetOf({ host, port }), parseOptions(check, {}))
      return asked?.kind === 'tcp' ? /Host: (\S+)/.exec(Buffer.from(asked.send).toString())?.[1] : null
    }
    assert.equal(sent('2001:db8::1', 80), '[2001:db8::1]')
    assert.equal(sent('192.0.2.1', 80), '192.0.2.1')
    assert.equal(sent('fe80::1%eth0', 8080), '[fe80::1]:8080')
  })

  it('has the Host header of each server, and one judge, with the options of a service', () => {
    const options = parseOptions(check, { request: '/health', receive: 'OK' })
    const probes = ['192.0.2.1', '192.0.2.2'].map(host => {
      const asked = check.probe?.(targetOf({ host, port: 80 }), options)
      assert.ok(asked?.kind === 'tcp')
      return asked
    })
    assert.deepEqual(
      probes.map(({ send }) => Buffer.from(send).toString().split('\r\n').slice(0, 2)),
      ['192.0.2.1', '192.0.2.2'].map(host => ['GET /health HTTP/1.1', `Host: ${host}`]),
    )
    assert.equal(probes[0]?.judge, probes[1]?.judge)
    const other = check.probe?.(targetOf({ host: '192.0.2.1', port: 80 }), parseOptions(check, {}))
    assert.ok(other?.kind === 'tcp' && !Buffer.from(other.send).includes('/health'))
    assert.notDeepEqual(other.judge, probes[0]?.judge)
  })

  it('carries path, method, headers, login and body', async () => {
    const { server, requests } = await recorder()
    await probe(check, server, { request: 'health?full=1' })
    await probe(check, server, { request: '/grüße und küsse' })
    await probe(check, server, { httpmethod: 'HEAD' })
    await probe(check, server, { httpmethod: 'POST', body: '{"übung":1}', headers: { 'X-Probe': 'yes' } })
    await probe(check, server, { login: 'root', passwd: 'pa:ss', headers: { 'user-agent': 'mine' } })
    assert.deepEqual(
      requests.map(({ method, url, body }) => [method, url, body]),
      [
        ['GET', '/health?full=1', ''],
        ['GET', '/gr%C3%BC%C3%9Fe%20und%20k%C3%BCsse', ''],
        ['HEAD', '/', ''],
        ['POST', '/', '{"übung":1}'],
        ['GET', '/', ''],
      ],
    )
    assert.equal(requests[3]?.headers['x-probe'], 'yes')
    assert.equal(requests[4]?.headers.authorization, `Basic ${Buffer.from('root:pa:ss').toString('base64')}`)
    assert.equal(requests[4]?.headers['user-agent'], 'mine')
    assert.equal(requests[4]?.headers.connection, 'close')
  })

  it('is a probe, except with redirects, which need code', () => {
    assert.equal(
      check.probe?.(targetOf(80), parseOptions(check, { login: 'x', httpmethod: 'POST' }))?.kind,
      'tcp',
    )
    const defers = (options: Record<string, unknown>) => {
      const asked = check.probe?.(targetOf(80), parseOptions(check, options))
      return asked ? mayNeedCode(asked) : null
    }
    assert.equal(defers({}), false)
    assert.equal(defers({ redirects: 7 }), true)
  })
})

describe('http: interim answers of http', () => {
  const page = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'
  const moved = 'HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'
  const server = (interim: string) =>
    tcpServer(socket =>
      socket.once('data', asked => socket.write(String(asked).startsWith('GET / ') ? moved : interim + page)),
    )

  it('are accepted up to a limit, also after a redirect', async () => {
    const options = { redirects: 2, text: 'ok' }
    assert.equal((await probe(check, await server(hint.repeat(5)), options)).ok, true)
    const { reason, detail } = await probe(check, await server(hint.repeat(5000)), options)
    assert.deepEqual([reason, detail], ['garbage', 'more than 32 interim answers'])
  })
})

describe('http: the expected status of http', () => {
  const cases: [unknown, number, boolean][] = [
    [undefined, 204, true],
    [undefined, 301, false],
    [404, 404, true],
    ['200-299, 401', 401, true],
    [[200, '300-399'], 302, true],
    [[200, '300-399'], 201, false],
  ]
  for (const [status, answered, ok] of cases)
    it(`${JSON.stringify(status) ?? 'left out'} ${ok ? 'accepts' : 'refuses'} ${answered}`, async () => {
      const server = await httpServer((_request, response) => response.writeHead(answered).end())
      const result = await probe(check, server, status === undefined ? {} : { status })
      assert.equal(result.ok, ok, result.detail)
    })
})

describe('http: a redirect that is not followed', () => {
  for (const asCode of [false, true])
    it(`says where it leads, without what may be secret or new each time${asCode ? ', as code' : ''}`, async () => {
      const long = `/${'x'.repeat(300)}`
      for (const [status, location, told] of [
        ['302 Found', '/login?sid=7#top', '302 Found to "/login"'],
        ['301 ', 'https://x.example/a', '301 to "https://x.example/a"'],
        ['302 Found', '/\x1b[31m\xe9', '302 Found to "/.[31m."'],
        ['302 Found', long, `302 Found to "${long.slice(0, 60)}"…`],
        ['302 Found', '?x', '302 Found'],
        ['404 Not Found', '/a', '404 Not Found'],
      ] as const) {
        const head = `HTTP/1.1 ${status}\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`
        // Node refuses control characters in headers.
        if (asCode && location.includes('\x1b')) continue
        const server = await saying(Buffer.from(head, 'latin1'))
        const { reason, detail } = await probe(check, server, {}, { asCode })
        assert.deepEqual([reason, detail], ['status', `status ${told}; expected 200-299`])
      }
    })
})

describe('http: redirects of http', () => {
  it('are followed on the real server itself, for any host name', async () => {
    const hosts: (string | undefined)[] = []
    const server = await httpServer(({ url, headers }, response) => {
      hosts.push(headers.host)
      if (url === '/c') response.end('arrived')
      else response.writeHead(302, { location: url === '/a' ? '/b' : 'http://www.example.com/c' }).end()
    })
    const options = { request: '/a', virtualhost: 'www.example.com', redirects: 7, receive: 'arrived' }
    const result = await probe(check, server, options)
    assert.equal(result.ok, true, result.detail)
    assert.deepEqual(new Set(hosts), new Set(['www.example.com']))
    // As a probe and as code, each to see that there is a redirect; three times to follow it.
    assert.equal(server.count(), 5)
  })

  it('lead to another host only if that is configured', async () => {
    const other = await httpServer((_request, response) => response.end('arrived'), '127.0.0.1')
    const location = `http://127.0.0.1:${other.port}/`
    const server = await httpServer((_request, response) => response.writeHead(301, { location }).end())
    const refused = await probe(check, server, { redirects: 3, receive: 'arrived' })
    assert.equal(refused.reason, 'status', refused.detail)
    assert.match(refused.detail, /otherhosts/)
    assert.equal(other.count(), 0)
    const allowed = await probe(check, server, { redirects: 3, otherhosts: true, receive: 'arrived' })
    assert.equal(allowed.ok, true, allowed.detail)
  })

  it('do not carry the login to another host', async () => {
    let sent: string | undefined
    const other = await httpServer(({ headers }, response) => {
      sent = headers.authorization
      response.end()
    }, '127.0.0.1')
    const location = `http://127.0.0.1:${other.port}/`
    const server = await httpServer((_request, response) => response.writeHead(301, { location }).end())
    const options = { redirects: 3, otherhosts: true, login: 'root', passwd: 'secret' }
    assert.equal((await probe(check, server, options)).ok, true)
    assert.equal(sent, undefined)
  })

  it('may lead to https', async () => {
    const secure = await httpsServer((_request, response) => response.end('arrived'))
    const location = `https://[::1]:${secure.port}/`
    const server = await httpServer((_request, response) => response.writeHead(301, { location }).end())
    const result = await probe(check, server, { redirects: 1, receive: 'arrived' }, { timeout: 2000 })
    assert.equal(result.ok, true, result.detail)
  })

  it('end after the configured number', async () => {
    const server = await httpServer((_request, response) => response.writeHead(302, { location: '/' }).end())
    const { reason, detail } = await probe(check, server, { redirects: 3 })
    assert.deepEqual({ reason, detail }, { reason: 'status', detail: 'more than 3 redirects' })
  })

  it('is down when nothing listens', async () => {
    assert.equal((await probe(check, await refusedPort(), { redirects: 1 })).reason, 'refused')
  })

  it('cost nothing without a redirect', async () => {
    for (const asCode of [false, true]) {
      const { server } = await recorder()
      const options = { redirects: 7, receive: 'is ok' }
      assert.equal((await probe(check, server, options, { asCode })).ok, true)
      assert.equal(server.count(), 1)
    }
  })

  const faults = FAULTS.filter(([phrase]) => phrase !== 'redirects')
  for (const [phrase, reason, behaviour] of faults) {
    // A server that has redirected once is asked by code from then on.
    it(`are checked when the server ${phrase}`, async () => {
      const server = await tcpServer(socket => socket.once('data', () => behaviour(socket)))
      const options = { receive: 'ok', limit: 100_000, redirects: 1 }
      const timeout = reason === 'timeout' ? 120 : 3000
      const result = await probe(check, server, options, { timeout, asCode: true })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason }, result.detail)
    })

    // The library does not say how far a hop came that breaks off in its headers.
    const told = phrase === 'breaks off in the headers' ? 'closed' : reason
    it(`may lead to a page at which the server ${phrase}`, async () => {
      const server = await tcpServer(socket =>
        socket.once('data', data => {
          if (`${data}`.startsWith('GET /next')) behaviour(socket)
          else socket.end('HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n')
        }),
      )
      const options = { receive: 'ok', limit: 100_000, redirects: 1 }
      const result = await probe(check, server, options, { timeout: reason === 'timeout' ? 200 : 3000 })
      assert.deepEqual({ ok: result.ok, reason: result.reason }, { ok: false, reason: told }, result.detail)
    })
  }
})

describe('http: invalid options of http', () => {
  const cases: [Record<string, unknown>, RegExp][] = [
    [{ receive: 'a', text: 'a' }, /not both/],
    [{ virtualhost: 'www example' }, /virtualhost/],
    [{ virtualhost: 'http://www.example.com' }, /virtualhost/],
    [{ headers: { 'X Y': 'a' } }, /header/],
    [{ headers: { X: 'a\r\nY: b' } }, /header/],
    [{ body: 'a' }, /POST/],
    [{ passwd: 'a' }, /login/],
    [{ login: 'a:b' }, /colon/],
    [{ otherhosts: true }, /redirects/],
  ]
  for (const [options, said] of cases)
    it(`are reported: ${JSON.stringify(options)}`, () => assert.match(problemOf(check, options) ?? '', said))

  for (const options of [
    { receive: '(' },
    { status: 'ok' },
    { status: 99 },
    { status: '300-200' },
    { status: [] },
  ])
    it(`are refused: ${JSON.stringify(options)}`, () => assert.throws(() => parseOptions(check, options)))
})
