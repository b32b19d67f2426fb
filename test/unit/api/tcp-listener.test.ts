/** The API over TCP, with real sockets: tokens, roles, TLS, streams of revoked tokens, addresses of a configuration. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { join } from 'node:path'
import { openApp } from '../../../src/api/app.js'
import type { Control } from '../../../src/api/control.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import { TcpListeners } from '../../../src/api/tcp-listeners.js'
import { Tokens } from '../../../src/api/tokens.js'
import type { ApiSettings } from '../../../src/config/schema/model-keys.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { controlOf } from '../../support/control.js'
import { recordingLog } from '../../support/logs.js'
import { refusedPort } from '../../support/servers.js'

const CERT = join(packageRoot, 'test/support/localhost.crt')
const KEY = join(packageRoot, 'test/support/localhost.key')

interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

async function served(part: Partial<ApiSettings> = {}, control: Partial<Control> = {}) {
  const { log, lines } = recordingLog()
  const app = await openApp({ routes: ROUTES, control: controlOf(control), log })
  const tokens = new Tokens({ path: null, log })
  const listeners = new TcpListeners({ app, tokens, log })
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
  return { lines, tokens, listeners, address, settings, tokenOf }
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
    assert.equal((await ask(`${url}/v1/status`, token)).status, 200)
    assert.equal((await ask(`${url}/v1/status`, `${token.slice(0, -1)}_`)).status, 401)
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
    const { PassThrough } = await import('node:stream')
    const stream = new PassThrough()
    const { address, tokens, listeners, tokenOf } = await served({}, { streamEvents: async () => stream })
    const url = `http://${address}`
    const token = await tokenOf('read')
    const ended = new Promise<string>(resolve =>
      httpGet(
        `${url}/v1/events`,
        { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' }, agent: false },
        response => {
          response.once('data', async () => {
            await tokens.revoke('read')
            listeners.cut('read')
          })
          response.once('error', () => resolve('ended'))
        },
      ),
    )
    stream.write(': first\n\n')
    assert.equal(await ended, 'ended')
    assert.equal((await ask(`${url}/v1/status`, token)).status, 401)
  })

  it('refuses an address after ten wrong tokens, with the time to wait', async function () {
    this.timeout(60_000)
    const { address, tokenOf } = await served()
    const url = `http://${address}/v1/status`
    const wrong = `lvsd_000000000000_${'A'.repeat(43)}`
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask(url, wrong)))
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [401])
    const refused = await ask(url, await tokenOf('read'))
    assert.equal(refused.status, 429)
    assert.ok(Number(refused.headers['retry-after']) > 30)
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

  it('follows the configuration, and says once why an address cannot be used', async () => {
    const { listeners, settings, address, lines } = await served()
    const other = `127.0.0.1:${await refusedPort()}`
    await listeners.follow({ ...settings, listen: [other, '192.0.2.1:8080'] })
    assert.deepEqual(listeners.addresses, [other])
    await assert.rejects(ask(`http://${address}/healthz`))
    assert.equal((await ask(`http://${other}/healthz`)).status, 200)
    await listeners.follow({ ...settings, listen: [other, '192.0.2.1:8080'] })
    assert.equal(lines.filter(({ event }) => event === 'api.not-listening').length, 1)
    await listeners.follow({
      ...settings,
      listen: [other],
      tls: { cert: '/nowhere', key: KEY, clientCa: null },
    })
    assert.match(String(lines.at(-1)?.msg), /cannot be served on 127\.0\.0\.1:\d+: ENOENT.*\/nowhere/)
    await listeners.follow(null)
    assert.deepEqual(listeners.addresses, [])
  })
})
