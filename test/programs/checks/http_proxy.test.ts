import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync } from 'node:fs'
import { userInfo } from 'node:os'
import { check } from '../../../checks/http_proxy.js'
import { FAULTS } from '../../support/checks/faults.js'
import { problemOf } from '../../support/checks/options.js'
import { folderOf, freePort, programOr, start } from '../../support/checks/programs.js'
import { diesAnywhere } from '../../support/checks/relay.js'
import { probe } from '../../support/probe.js'
import { httpServer, type Loopback, refusedPort, tcpServer } from '../../support/servers.js'

const URL = 'http://www.example.com/page?a=b'

/** What a proxy is told, and `answer` for it. */
async function proxy(answer: string, host?: Loopback) {
  const heard: string[] = []
  const server = await tcpServer(socket => {
    socket.once('data', chunk => {
      heard.push(String(chunk))
      socket.end(answer)
    })
  }, host)
  return { ...server, heard }
}

const PAGE = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n'

describe('http_proxy', () => {
  for (const host of ['::1', '127.0.0.1'] as const)
    it(`asks the proxy at ${host} for a page of another server`, async () => {
      const server = await proxy(PAGE, host)
      const { ok, detail } = await probe(check, server, { request: URL, receive: 'ok' })
      assert.equal(ok, true, detail)
      assert.match(
        server.heard[0] ?? '',
        /^GET http:\/\/www\.example\.com\/page\?a=b HTTP\/1\.1\r\nHost: www\.example\.com\r\n/,
      )
    })

  it('logs in at the proxy', async () => {
    const server = await proxy(PAGE)
    await probe(check, server, {
      request: URL,
      login: 'root',
      passwd: 'secret',
      headers: { 'X-Who': 'lvsd' },
    })
    assert.match(server.heard[0] ?? '', /\r\nProxy-Authorization: Basic cm9vdDpzZWNyZXQ=\r\n/)
    assert.match(server.heard[0] ?? '', /\r\nX-Who: lvsd\r\n/)
    assert.doesNotMatch(server.heard[0] ?? '', /\r\nAuthorization:/)
  })

  for (const redirects of [0, 3])
    for (const [phrase, reason, behaviour] of FAULTS)
      it(`is down when the proxy ${phrase}, with ${redirects} redirects to follow`, async () => {
        const options = { request: URL, receive: 'ok', limit: 100_000, redirects }
        const server = await tcpServer(socket => socket.once('data', () => behaviour(socket)))
        const result = await probe(check, server, options, { timeout: reason === 'timeout' ? 120 : 3000 })
        const expected = phrase === 'redirects' && redirects > 0 ? 'status' : reason
        assert.deepEqual(
          { ok: result.ok, reason: result.reason },
          { ok: false, reason: expected },
          result.detail,
        )
      })

  it('is down when there is no proxy', async () => {
    assert.equal((await probe(check, await refusedPort(), { request: URL })).reason, 'refused')
    assert.equal((await probe(check, await refusedPort(), { request: URL, redirects: 1 })).reason, 'refused')
  })

  it('follows redirects through the proxy, as many as it may', async () => {
    const asked: string[] = []
    const server = await httpServer((request, response) => {
      asked.push(request.url ?? '')
      const left = 3 - asked.length
      if (left === 0) return response.end('ok')
      response.writeHead(302, { Location: asked.length === 1 ? '/next' : 'http://www.example.org/' }).end()
    })
    const { ok, detail } = await probe(check, server, { request: URL, receive: 'ok', redirects: 2 })
    assert.equal(ok, true, detail)
    assert.deepEqual(asked, [URL, 'http://www.example.com/next', 'http://www.example.org/'])
    asked.length = 0
    assert.equal((await probe(check, server, { request: URL, redirects: 1 })).detail, 'more than 1 redirects')
  })

  it('does not follow a redirect that leads out of what a proxy of http fetches', async () => {
    const server = await proxy(
      'HTTP/1.1 301 Gone\r\nLocation: https://www.example.com/\r\nContent-Length: 0\r\n\r\n',
    )
    const { reason, detail } = await probe(check, server, { request: URL, redirects: 7 })
    assert.equal(reason, 'status')
    assert.match(detail, /redirected to https:\/\/www\.example\.com\//)
  })

  it('refuses a request that is no URL of http', () => {
    for (const request of ['/', 'www.example.com', 'https://www.example.com/', 'ftp://x/'])
      assert.match(problemOf(check, { request }) ?? '', /whole URL/)
  })
})

describe('http_proxy: squid', function () {
  this.timeout(60_000)

  it('is judged by the page that it fetches', async function () {
    const file = programOr(() => this.skip(), 'squid', 'squid')
    const site = await httpServer((request, response) => {
      if (request.url === '/moved') return response.writeHead(302, { Location: '/page' }).end()
      response.writeHead(['/page', '/private'].includes(request.url ?? '') ? 200 : 404).end('all is ok')
    })
    const port = await freePort()
    const password = execFileSync('openssl', ['passwd', '-1', 'secret'], { encoding: 'utf8' })
    const folder = folderOf({ users: `root:${password}` })
    // The helper that looks passwords up runs as another user.
    chmodSync(folder, 0o755)
    const configuration = folderOf({
      'squid.conf': [
        `http_port [::1]:${port}`,
        'acl forbidden urlpath_regex ^/forbidden',
        'http_access deny forbidden',
        `auth_param basic program /usr/lib/squid/basic_ncsa_auth ${folder}/users`,
        'acl private urlpath_regex ^/private',
        'acl known proxy_auth REQUIRED',
        'http_access deny private !known',
        'http_access allow localhost',
        'http_access deny all',
        `pid_filename ${folder}/pid`,
        'cache_log /dev/null',
        'access_log none',
        'cache_store_log none',
        'cache deny all',
        'netdb_filename none',
        'server_persistent_connections off',
        'pinger_enable off',
        'shutdown_lifetime 0 seconds',
        `coredump_dir ${folder}`,
        'visible_hostname proxy.example.com',
        `cache_effective_user ${userInfo().uid === 0 ? 'proxy' : userInfo().username}`,
        '',
      ].join('\n'),
    })
    // It removes its shared memory, which bears this name, where it is ended politely.
    await start(file, ['-N', '-n', `lvsd${port}`, '-f', `${configuration}/squid.conf`], [port], 'SIGTERM')
    const at = (path: string) => ({ request: `http://[::1]:${site.port}${path}` })
    const cases: [Record<string, unknown>, string | null, RegExp][] = [
      [{ ...at('/page'), receive: 'is ok' }, null, /200/],
      [{ ...at('/page'), receive: 'not there' }, 'unexpected', /not there/],
      [at('/none'), 'status', /404/],
      [at('/forbidden'), 'status', /403/],
      [at('/moved'), 'status', /302/],
      [at('/private'), 'status', /407/],
      [{ ...at('/private'), login: 'root', passwd: 'wrong' }, 'status', /407/],
      [{ ...at('/private'), login: 'root', passwd: 'secret' }, null, /200/],
      [{ ...at('/moved'), redirects: 1, receive: 'is ok' }, null, /200/],
      [{ request: `http://[::1]:${await refusedPort()}/` }, 'status', /503/],
    ]
    for (const [options, reason, detail] of cases) {
      const result = await probe(check, port, options, { timeout: 10_000 })
      const what = `${JSON.stringify(options)}: ${result.detail}`
      assert.equal(result.reason, reason, what)
      assert.match(result.detail, detail, what)
    }
    for (const redirects of [0, 1])
      await diesAnywhere(check, port, { ...at('/page'), receive: 'is ok', redirects })
  })
})
