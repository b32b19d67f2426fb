/** The API over TCP, with real sockets: tokens, roles, TLS, streams of revoked tokens, addresses of a configuration. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { Agent, get as httpGet, type IncomingMessage } from 'node:http'
import { get as httpsGet } from 'node:https'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { mock } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { openApp } from '../../../src/api/app.js'
import type { Control } from '../../../src/api/control.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import { TcpListeners } from '../../../src/api/tcp-listeners.js'
import { Tokens } from '../../../src/api/tokens.js'
import type { ApiSettings } from '../../../src/config/schema/model-keys.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { controlOf } from '../../support/control.js'
import { temporaryFolder } from '../../support/folder.js'
import { recordingLog } from '../../support/logs.js'
import { refusedPort } from '../../support/servers.js'
import { tlsFile } from '../../support/tls-file.js'
import { until } from '../../support/until.js'

const CERT = join(packageRoot, 'test/support/localhost.crt')
const KEY = join(packageRoot, 'test/support/localhost.key')

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

async function served(
  part: Partial<ApiSettings> = {},
  control: Partial<Control> = {},
  limits: { readonly patience?: number; readonly now?: () => number } = {},
) {
  const { log, lines } = recordingLog()
  const app = await openApp({ routes: ROUTES, control: controlOf(control), log })
  const tokens = new Tokens({ path: null, log, now: () => Date.now() })
  const alarms: (() => void)[] = []
  const clock = {
    alarm: (_: number, alarm: () => void) => {
      alarms.push(alarm)
      return () => void alarms.splice(alarms.indexOf(alarm) >>> 0, 1)
    },
  }
  const listeners = new TcpListeners({ app, tokens, log, clock, ...limits })
  onCleanup(async () => {
    await listeners.close()
    await app.close()
  })
  const address = `[::1]:${await refusedPort()}`
  const settings: ApiSettings = { listen: [address], tls: null, metrics: 'token', ...part }
  await listeners.follow(settings)
  const tokenOf = async (role: 'read' | 'operate') => {
    const added = await tokens.add({ name: role, role, who: 'test', until: null })
    return added?.text ?? ''
  }
  /** What is due now and then is due now. */
  const elapse = () => {
    for (const alarm of alarms.splice(0)) alarm()
  }
  return { lines, tokens, listeners, address, settings, tokenOf, elapse }
}

function ask(url: string, token?: string, method = 'GET'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const get = url.startsWith('https') ? httpsGet : httpGet
    const options = { headers, method, agent: false, rejectUnauthorized: false }
    get(url, options, response => {
      let text = ''
      response.on('data', part => {
        text += String(part)
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }))
      response.on('error', reject)
    }).on('error', reject)
  })
}

/** Opens the stream of events. Resolves when the daemon has ended it. */
function streamEnd(address: string, token: string, onFirst = () => {}): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  return new Promise((resolve, reject) =>
    httpGet(`http://${address}/v1/events`, { headers, agent: false }, response => {
      response.once('data', onFirst)
      response.once('error', () => resolve())
    }).on('error', reject),
  )
}

/** The name in the certificate that a new connection gets. */
async function subjectAt(address: string): Promise<string | undefined> {
  const socket = connectTls({
    host: '::1',
    port: Number(address.split(':').at(-1)),
    rejectUnauthorized: false,
  })
  try {
    await once(socket, 'secureConnect')
    return String(socket.getPeerCertificate().subject.CN)
  } finally {
    socket.destroy()
  }
}

describe('the API over TCP', () => {
  it('answers those with a token, and says what is missing to others', async () => {
    const { address, tokenOf } = await served()
    const url = `http://${address}`
    const without = await ask(`${url}/v1/status`)
    assert.equal(without.status, 401)
    assert.match(String(without.headers['www-authenticate']), /^Bearer/)
    assert.match(JSON.parse(without.text).detail, /lvsd token add/)
    assert.equal((await ask(`${url}/healthz`)).status, 200)
    const token = await tokenOf('read')
    const changed = `${token.slice(0, -1)}${token.endsWith('_') ? 'A' : '_'}`
    assert.equal((await ask(`${url}/v1/status`, token)).status, 200)
    assert.equal((await ask(`${url}/v1/status`, changed)).status, 401)
  })

  it('lets a token of the role read change nothing, and no token make tokens', async () => {
    const { address, tokenOf } = await served()
    const url = `http://${address}`
    const [reader, operator] = [await tokenOf('read'), await tokenOf('operate')]
    const denied = await ask(`${url}/v1/reload`, reader, 'POST')
    assert.equal(denied.status, 403)
    assert.match(JSON.parse(denied.text).detail, /needs a token with the role operate/)
    assert.equal((await ask(`${url}/v1/reload`, operator, 'POST')).status, 200)
    assert.equal((await ask(`${url}/v1/tokens`, operator)).status, 403)
    assert.equal((await ask(`${url}/v1/tokens/read`, operator, 'DELETE')).status, 403)
  })

  it('knows a revoked token no more, and ends its stream', async () => {
    const stream = new PassThrough()
    const { address, tokens, listeners, tokenOf } = await served({}, { streamEvents: async () => stream })
    const url = `http://${address}`
    const token = await tokenOf('read')
    const ended = streamEnd(address, token, async () => {
      await tokens.revoke('read')
      listeners.cut('read')
    })
    stream.write(': first\n\n')
    await ended
    assert.equal((await ask(`${url}/v1/status`, token)).status, 401)
  })

  it('refuses wrong tokens after ten from an address, and still accepts right ones from there', async function () {
    this.timeout(60_000)
    const { address, tokenOf } = await served()
    const url = `http://${address}/v1/status`
    const wrong = `lvsd_000000000000_${'A'.repeat(43)}`
    const right = await tokenOf('read')
    const failures = Promise.all(Array.from({ length: 10 }, () => ask(url, wrong)))
    assert.equal((await ask(url, right)).status, 200)
    assert.deepEqual([...new Set((await failures).map(({ status }) => status))], [401])
    const refused = await ask(url, wrong)
    assert.equal(refused.status, 429)
    assert.ok(Number(refused.headers['retry-after']) > 30)
    assert.equal((await ask(url, right)).status, 200)
    assert.equal((await ask(url, wrong)).status, 429)
    assert.equal((await ask(url)).status, 401)
  })

  it('limits requests without a token from one address, and still accepts those with one', async function () {
    this.timeout(60_000)
    // On a slow machine the allowance of a second would be greater than what the test can ask in it.
    const { address, tokenOf } = await served({ metrics: 'open' }, {}, { now: () => 0 })
    const url = `http://${address}`
    const token = await tokenOf('read')
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    onCleanup(() => agent.destroy())
    const statusOf = async (path: string) => {
      const [response] = (await once(httpGet(`${url}${path}`, { agent }), 'response')) as [IncomingMessage]
      response.resume()
      return response
    }
    const paths = ['/healthz', '/metrics', '/', '/nowhere', '/v1/status']
    const refused: string[] = []
    for (let i = 0; refused.length < 20 && i < 30; i++) {
      const answers = await Promise.all(
        [...paths, ...paths].map(async path => [path, await statusOf(path)] as const),
      )
      for (const [path, { statusCode, headers }] of answers) {
        if (statusCode !== 429) continue
        assert.ok(Number(headers['retry-after']) >= 1)
        refused.push(path)
      }
    }
    assert.ok(new Set(refused).size >= 3, `only ${[...new Set(refused)]} are refused`)
    assert.equal((await ask(`${url}/v1/status`, token)).status, 200)
  })

  it('ends bodies that come slowly, and reads few large ones at once', async function () {
    this.timeout(60_000)
    const { address, tokenOf } = await served({}, {}, { patience: 1000 })
    const token = await tokenOf('operate')
    const began = performance.now()
    const heads = ['Host: lvsd', `Authorization: Bearer ${token}`, 'Content-Type: application/yaml']
    const answers = Array.from({ length: 10 }, async () => {
      const socket = connect(Number(address.split(':').at(-1)), '::1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.write(`POST /v1/validate HTTP/1.1\r\n${heads.join('\r\n')}\r\nContent-Length: 4000000\r\n\r\n`)
      const bytes = setInterval(() => socket.write('a'), 100)
      let answer = ''
      socket.on('data', part => {
        answer += String(part)
        if (answer.includes('\r\n\r\n')) socket.destroy()
      })
      await once(socket, 'close')
      clearInterval(bytes)
      return /^HTTP\/1.1 (\d+)/.exec(answer)?.[1] ?? 'closed'
    })
    const statuses = await Promise.all(answers)
    assert.equal(statuses.filter(status => status === '429').length, 6, String(statuses))
    assert.equal(statuses.filter(status => status === '408' || status === 'closed').length, 4)
    assert.ok(performance.now() - began < 30_000)
    // The places are free again.
    assert.equal((await ask(`http://${address}/v1/status`, token)).status, 200)
  })

  it('ends a stream at the end of its token', async function () {
    this.timeout(60_000)
    const stream = new PassThrough()
    const { address, tokens, elapse } = await served({}, { streamEvents: async () => stream })
    const until = Date.now() + 5000
    const added = await tokens.add({ name: 'short', role: 'read', who: 'test', until })
    const ended = streamEnd(address, added?.text ?? '', () => {
      mock.method(Date, 'now', () => until + 1)
      onCleanup(() => mock.restoreAll())
      elapse()
    })
    // Without heartbeats the listener would end a silent stream.
    const beat = setInterval(() => stream.write(':\n\n'), 100)
    onCleanup(() => clearInterval(beat))
    await ended
  })

  it('ends a request of a revoked token whose answer has not begun', async function () {
    this.timeout(60_000)
    let began = (_gone: AbortSignal) => {}
    const asked = new Promise<AbortSignal>(resolve => {
      began = resolve
    })
    const wait = (_query: unknown, _wait: unknown, gone: AbortSignal) => {
      began(gone)
      return once(gone, 'abort')
    }
    const control = { events: { wait } } as unknown as Partial<Control>
    const { address, tokens, listeners, tokenOf } = await served({}, control)
    const ended = assert.rejects(ask(`http://${address}/v1/events?wait=20s`, await tokenOf('read')))
    const gone = await asked
    await tokens.revoke('read')
    listeners.cut('read')
    await ended
    if (!gone.aborted) await once(gone, 'abort')
  })

  it('keeps no stream for HEAD', async () => {
    const stream = new PassThrough()
    stream.write(': first\n\n')
    const { address, tokenOf } = await served({}, { streamEvents: async () => stream })
    const token = await tokenOf('read')
    const agent = new Agent({ keepAlive: true })
    onCleanup(() => agent.destroy())
    const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
    const [response] = (await once(
      httpGet(`http://${address}/v1/events`, { headers, method: 'HEAD', agent }),
      'response',
    )) as [IncomingMessage]
    response.resume()
    assert.equal(response.statusCode, 200)
    assert.match(String(response.headers['content-type']), /event-stream/)
    assert.equal(stream.destroyed, true)
  })

  it('serves /metrics without a token where that is configured', async () => {
    const open = await served({ metrics: 'open' })
    assert.equal((await ask(`http://${open.address}/metrics`)).status, 200)
    assert.equal((await ask(`http://${open.address}/v1/status`)).status, 401)
    const closed = await served()
    assert.equal((await ask(`http://${closed.address}/metrics`)).status, 401)
  })

  it('serves over TLS, and not without', async () => {
    const { address, tokenOf } = await served({ tls: { cert: CERT, key: KEY, clientCa: null } })
    const token = await tokenOf('read')
    assert.equal((await ask(`https://${address}/v1/status`, token)).status, 200)
    await assert.rejects(ask(`http://${address}/v1/status`, token))
  })

  it('closes at once, whatever clients do instead of a handshake', async function () {
    this.timeout(60_000)
    const { address, listeners } = await served({ tls: { cert: CERT, key: KEY, clientCa: null } })
    const silent = connect(Number(address.split(':').at(-1)), '::1')
    onCleanup(() => silent.destroy())
    await once(silent, 'connect')
    // The daemon has accepted this one, and so the one before.
    assert.equal((await ask(`https://${address}/healthz`)).status, 200)
    const ended = once(silent.resume(), 'close')
    const began = performance.now()
    await listeners.follow(null)
    await ended
    assert.ok(performance.now() - began < 5000, 'the handshake may take 10 s')
  })

  it('keeps the certificate in use while the files cannot be used, and says so once', async () => {
    const folder = temporaryFolder()
    const [cert, key] = [join(folder, 'cert'), join(folder, 'key')]
    copyFileSync(CERT, cert)
    copyFileSync(KEY, key)
    const { address, listeners, settings, lines } = await served({ tls: { cert, key, clientCa: null } })
    writeFileSync(cert, 'garbage')
    await listeners.follow(settings)
    await listeners.follow(settings)
    assert.equal((await ask(`https://${address}/healthz`)).status, 200)
    const told = lines.filter(({ event }) => event === 'api.certificate-refused')
    assert.equal(told.length, 1)
    assert.match(String(told[0]?.msg), /keeps the certificate in use.*reload/)
  })

  it('uses renewed certificates after a reload, and soon after the files change', async function () {
    this.timeout(60_000)
    const folder = temporaryFolder()
    const [cert, key] = [join(folder, 'cert'), join(folder, 'key')]
    const take = (name: string, its = tlsFile('key.pem')) => {
      copyFileSync(name, cert)
      copyFileSync(its, key)
    }
    take(tlsFile('server.crt'))
    const { address, listeners, settings, lines, elapse } = await served({
      tls: { cert, key, clientCa: null },
    })
    assert.equal(await subjectAt(address), 'www.example.com')
    take(tlsFile('other.crt'))
    await listeners.follow(settings)
    assert.equal(await subjectAt(address), 'www.example.org')
    take(CERT, KEY)
    await until(
      async () => {
        elapse()
        return (await subjectAt(address)) === 'localhost'
      },
      { what: 'the third certificate' },
    )
    assert.equal(lines.filter(({ event }) => event === 'api.certificate-renewed').length, 2)
    // Half of a renewal: a certificate without its key.
    copyFileSync(tlsFile('server.crt'), cert)
    const isRefused = () => {
      elapse()
      return lines.some(({ event }) => event === 'api.certificate-refused')
    }
    await until(isRefused, { what: 'the refusal' })
    assert.equal(await subjectAt(address), 'localhost')
  })

  it('asks clients for a certificate where an authority is configured', async () => {
    const { address, tokenOf } = await served({ tls: { cert: CERT, key: KEY, clientCa: CERT } })
    const token = await tokenOf('read')
    await assert.rejects(ask(`https://${address}/v1/status`, token))
    const status = await new Promise((resolve, reject) =>
      httpsGet(
        `https://${address}/v1/status`,
        {
          headers: { authorization: `Bearer ${token}` },
          cert: readFileSync(CERT),
          key: readFileSync(KEY),
          rejectUnauthorized: false,
          agent: false,
        },
        response => resolve(response.resume().statusCode),
      ).on('error', reject),
    )
    assert.equal(status, 200)
  })

  it('tries an address again that a configuration brings after one without the API', async function () {
    this.timeout(60_000)
    const { listeners, settings, elapse } = await served()
    await listeners.follow(null)
    const other = createServer().listen({ host: '::1', port: 0 })
    await once(other, 'listening')
    const address = `[::1]:${(other.address() as AddressInfo).port}`
    await listeners.follow({ ...settings, listen: [address] })
    assert.deepEqual(listeners.urls, [])
    await new Promise(resolve => other.close(resolve))
    elapse()
    await until(() => listeners.urls.length === 1)
    assert.equal((await ask(`http://${address}/healthz`)).status, 200)
  })

  it('follows the configuration, and says once why an address cannot be used', async () => {
    const { listeners, settings, address, lines } = await served()
    const other = `127.0.0.1:${await refusedPort()}`
    await listeners.follow({ ...settings, listen: [other, '192.0.2.1:8080'] })
    assert.deepEqual(listeners.urls, [`http://${other}/`])
    await assert.rejects(ask(`http://${address}/healthz`))
    assert.equal((await ask(`http://${other}/healthz`)).status, 200)
    await listeners.follow({ ...settings, listen: [other, '192.0.2.1:8080'] })
    assert.equal(lines.filter(({ event }) => event === 'api.not-listening').length, 1)
    await listeners.follow({
      ...settings,
      listen: [other],
      tls: { cert: '/nowhere', key: KEY, clientCa: null },
    })
    assert.match(
      String(lines.at(-1)?.msg),
      /cannot be served on 127\.0\.0\.1:\d+: \/nowhere: there is no such file/,
    )
    await listeners.follow(null)
    assert.deepEqual(listeners.urls, [])
  })
})
