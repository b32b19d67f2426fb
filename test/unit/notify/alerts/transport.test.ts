/** One attempt to deliver alerts, to real web servers and commands. */
import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { openApiOf } from '../../../../src/api/openapi.js'
import type { AlertReceiver } from '../../../../src/core/alert-receiver.js'
import type { Alert, Notice } from '../../../../src/notify/alerts/alert.js'
import { testReceivers } from '../../../../src/notify/alerts/test-alert.js'
import {
  attempt,
  destinationsOf,
  documentOf,
  environmentOf,
} from '../../../../src/notify/alerts/transport.js'
import { packageRoot } from '../../../../src/system/version.js'
import { assertWebhook } from '../../../support/api/described.js'
import { temporaryFile, temporaryFolder } from '../../../support/folder.js'
import {
  certificate,
  endlessBody,
  garbageServer,
  hangUpServer,
  httpServer,
  httpsServer,
  refusedPort,
  silentServer,
  tcpServer,
} from '../../../support/servers.js'
import { until } from '../../../support/until.js'

const ALERT: Alert = {
  name: 'real.down',
  severity: 'warning',
  service: 'web',
  real: '[2001:db8::11]:80',
  file: null,
  director: null,
  address: null,
  startsAt: Date.UTC(2026, 10, 28, 12),
  endsAt: null,
  begin: {
    id: 42,
    time: '2026-11-28T12:00:00.000Z',
    event: 'real.down',
    msg: 'real server down',
    service: 'web',
    real: '[2001:db8::11]:80',
    reason: 'refused',
  },
  end: null,
}
const FIRING: Notice = { status: 'firing', alert: ALERT }
const RESOLVED: Notice = {
  status: 'resolved',
  alert: { ...ALERT, endsAt: Date.UTC(2026, 10, 28, 13), end: { ...ALERT.begin, id: 43, event: 'real.up' } },
}
const SENDER = { host: 'director1', version: '1.0.0', now: () => Date.UTC(2026, 10, 28, 12, 0, 5) }

const common = {
  name: 'ops',
  timeout: 20_000,
  secret: null,
  headers: {},
  ca: null,
  events: ['*'],
  services: ['*'],
  severity: 'warning',
} as const

function send(
  receiver: { readonly kind: AlertReceiver['kind'] } & Partial<Record<string, unknown>>,
  notices: readonly Notice[] = [FIRING],
  at = 0,
) {
  const whole = { ...common, ...receiver } as unknown as AlertReceiver
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(new Error('not done in time')), whole.timeout)
  const batch = { id: 'd1', notices }
  return attempt(whole, destinationsOf(whole)[at] ?? '', batch, SENDER, controller.signal).finally(() =>
    clearTimeout(timer),
  )
}

interface Received {
  readonly headers: IncomingMessage['headers']
  readonly url: string | undefined
  readonly body: string
}

/** A web server that keeps what it gets. */
async function receiver(status = 200, headers: Record<string, string> = {}, text = '') {
  const received: Received[] = []
  const server = await httpServer((request, response) => {
    let body = ''
    request.on('data', chunk => (body += chunk))
    request.on('end', () => {
      received.push({ headers: request.headers, url: request.url, body })
      response.writeHead(status, headers).end(text)
    })
  })
  return { received, url: `http://[::1]:${server.port}/hook` }
}

function isGone(pid = 0): boolean {
  try {
    return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return true
  }
}

describe('transport: a webhook', () => {
  it('gets the alerts as JSON', async () => {
    const { received, url } = await receiver(204)
    const outcome = await send({ kind: 'webhook', url, headers: { Authorization: 'Bearer x' } }, [
      FIRING,
      RESOLVED,
    ])
    assert.deepEqual([outcome.fault, outcome.answer], [null, '204 No Content'])
    const [one] = received
    assert.equal(one?.headers['content-type'], 'application/json')
    assert.equal(one?.headers.authorization, 'Bearer x')
    assert.equal(one?.headers['x-lvsd-delivery'], 'd1')
    assert.equal(one?.headers['x-lvsd-signature'], undefined)
    const document = JSON.parse(one?.body ?? '')
    const { fingerprint } = document.alerts[0]
    const about = { alert: 'real.down', severity: 'warning', service: 'web', real: '[2001:db8::11]:80' }
    assert.deepEqual(document, {
      schema: 1,
      id: 'd1',
      host: 'director1',
      version: '1.0.0',
      receiver: 'ops',
      alerts: [
        {
          status: 'firing',
          ...about,
          summary: 'web [2001:db8::11]:80: real server down: refused',
          startsAt: '2026-11-28T12:00:00.000Z',
          endsAt: null,
          fingerprint,
          event: ALERT.begin,
        },
        {
          status: 'resolved',
          ...about,
          summary: 'web [2001:db8::11]:80: real server down: refused',
          startsAt: '2026-11-28T12:00:00.000Z',
          endsAt: '2026-11-28T13:00:00.000Z',
          fingerprint,
          event: RESOLVED.alert.end,
        },
      ],
    })
  })

  it('gets what config/openapi.json describes, whatever names and answers contain', async () => {
    const { received, url } = await receiver(204)
    const hostile = 'a"b\\c\n\0\u001b[2J\u202e\ud800 </script>{{ $x }}'
    const begin = { ...ALERT.begin, service: hostile, reason: hostile, detail: hostile.repeat(1000) }
    const notices: readonly Notice[] = [
      FIRING,
      RESOLVED,
      { status: 'firing', alert: { ...ALERT, service: hostile, real: hostile, begin } },
      { status: 'firing', alert: { ...ALERT, service: null, real: null } },
    ]
    const secret = 'key of the signature'
    assert.equal((await send({ kind: 'webhook', url, secret }, notices)).fault, null)
    const tested = await testReceivers(
      [{ ...common, kind: 'webhook', url } as unknown as AlertReceiver],
      SENDER,
    )
    assert.deepEqual(
      tested.map(({ ok }) => ok),
      [true],
    )
    assert.equal(received.length, 2)
    for (const { body } of received) assertWebhook(body)
    assert.equal(JSON.parse(received[0]?.body ?? '').alerts[2].service, hostile)
    const described = openApiOf([]).webhooks as { alerts: { post: { parameters: { name: string }[] } } }
    const own = Object.keys(received[0]?.headers ?? {}).filter(name => name.startsWith('x-lvsd-'))
    assert.deepEqual(
      own.sort(),
      described.alerts.post.parameters.map(({ name }) => name.toLowerCase()).sort(),
    )
    for (const wrong of [{ status: 'over' }, { fingerprint: 'x' }, { more: 1 }, { endsAt: 'now' }]) {
      const document = JSON.parse(received[0]?.body ?? '')
      Object.assign(document.alerts[0], wrong)
      assert.throws(() => assertWebhook(JSON.stringify(document)))
    }
  })

  it('can verify the signature as the README shows', async () => {
    const { received, url } = await receiver()
    await send({ kind: 'webhook', url, secret: 'key of the signature' })
    const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
    const example = /```js\n(import { createHmac[\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const body = /export (function isFromLvsd[\s\S]*)$/.exec(example)?.[1]
    assert.ok(body, 'the README has the example')
    const make = new Function('createHmac', 'timingSafeEqual', `return ${body}`)
    const isFromLvsd = make(createHmac, timingSafeEqual) as (
      headers: object,
      body: string,
      secret: string,
      now: number,
    ) => boolean
    const [one] = received as [Received]
    const now = SENDER.now() / 1000
    assert.equal(isFromLvsd(one.headers, one.body, 'key of the signature', now), true)
    assert.equal(isFromLvsd(one.headers, one.body, 'another key', now), false)
    assert.equal(isFromLvsd(one.headers, `${one.body} `, 'key of the signature', now), false)
    assert.equal(isFromLvsd(one.headers, one.body, 'key of the signature', now + 3600), false)
    assert.equal(isFromLvsd({}, one.body, 'key of the signature', now), false)
  })

  for (const [status, isWorthRetrying] of [
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [400, false],
    [404, false],
    [302, false],
  ] as const)
    it(`that answers ${status} is ${isWorthRetrying ? '' : 'not '}tried again`, async () => {
      const { url } = await receiver(status, { location: '/other' }, 'so\n\u001b[2Jit is')
      const outcome = await send({ kind: 'webhook', url })
      assert.equal(outcome.fault?.code, String(status))
      assert.match(outcome.fault?.message ?? '', /so ·\[2Jit is$/)
      assert.equal(outcome.isWorthRetrying, isWorthRetrying)
    })

  it('can ask lvsd to wait, up to 5 minutes', async () => {
    const some = await receiver(429, { 'retry-after': '7' })
    assert.equal((await send({ kind: 'webhook', url: some.url })).wait, 7000)
    const much = await receiver(503, { 'retry-after': '86400' })
    assert.equal((await send({ kind: 'webhook', url: much.url })).wait, 300_000)
  })

  for (const [about, open, code, timeout] of [
    ['refuses connections', async () => ({ port: await refusedPort() }), /^ECONNREFUSED$/, 20_000],
    ['hangs up', () => hangUpServer(), /^(?:ECONNRESET|EPIPE)$/, 20_000],
    ['does not answer', () => silentServer(), /^ETIMEDOUT$/, 500],
    ['reads nothing', () => tcpServer(socket => void socket.pause()), /^ETIMEDOUT$/, 500],
    ['speaks no HTTP', () => garbageServer(), /^(?:HPE_|ECONNRESET|EPIPE)/, 20_000],
  ] as const)
    it(`that ${about} is tried again`, async () => {
      const { port } = await open()
      const many = Array.from({ length: 5000 }, () => FIRING)
      const outcome = await send({ kind: 'webhook', url: `http://[::1]:${port}/`, timeout }, many)
      assert.match(outcome.fault?.code ?? '', code)
      assert.equal(outcome.isWorthRetrying, true)
    })

  it('that answers without an end has accepted the alerts', async () => {
    const { port } = await endlessBody()
    const outcome = await send({ kind: 'webhook', url: `http://[::1]:${port}/` })
    assert.equal(outcome.fault, null)
  })

  it('over TLS must have a certificate of a trusted authority', async () => {
    const { port } = await httpsServer((request, response) =>
      request.resume().on('end', () => response.end()),
    )
    const url = `https://[::1]:${port}/`
    const refused = await send({ kind: 'webhook', url })
    assert.match(refused.fault?.code ?? '', /CERT/)
    const ca = temporaryFile('ca.pem', String(certificate.cert))
    assert.equal((await send({ kind: 'webhook', url, ca })).fault, null)
    const absent = await send({ kind: 'webhook', url, ca: join(temporaryFolder(), 'none.pem') })
    assert.match(absent.fault?.message ?? '', /^ca: ENOENT/)
  })
})

describe('transport: an Alertmanager', () => {
  it('gets the alerts in its own form, in requests of bounded size', async () => {
    const { received, url } = await receiver()
    const urls = ['http://[::1]:1', url.replace('/hook', '')]
    const many = Array.from({ length: 501 }, () => FIRING)
    const outcome = await send({ kind: 'alertmanager', urls }, [RESOLVED, ...many], 1)
    assert.equal(outcome.fault, null)
    assert.deepEqual(
      received.map(({ url, body }) => [url, JSON.parse(body).length]),
      [
        ['/api/v2/alerts', 500],
        ['/api/v2/alerts', 2],
      ],
    )
    const [over, fires] = JSON.parse(received[0]?.body ?? '')
    const labels = {
      alertname: 'real.down',
      severity: 'warning',
      director: 'director1',
      service: 'web',
      real: '[2001:db8::11]:80',
    }
    assert.deepEqual([over.labels, fires.labels], [labels, labels])
    assert.equal(over.endsAt, '2026-11-28T13:00:00.000Z')
    assert.equal(fires.endsAt, '2026-11-28T12:04:05.000Z')
    assert.deepEqual(fires.annotations, {
      summary: 'web [2001:db8::11]:80: real server down: refused',
      event: 'real.down',
      event_id: '42',
    })
  })
})

describe('transport: a command', () => {
  const run = (script: string, notices?: readonly Notice[], timeout = 20_000) =>
    send({ kind: 'command', argv: ['/bin/sh', '-c', script, 'x', 'a b'], timeout }, notices)

  it('has the alert in its environment and as its input, and its arguments as they are', async () => {
    const { output, fault } = await run('echo "$1|$LVSD_STATUS|$LVSD_REAL|$LVSD_EVENT_ID"; wc -l')
    assert.equal(fault, null)
    assert.equal(output, 'a b|firing|[2001:db8::11]:80|42 1')
  })

  it('that fails is not run again; its output is kept', async () => {
    const outcome = await run('echo no pager >&2; exit 3')
    assert.deepEqual(outcome, {
      answer: 'exit 3',
      fault: { code: 'exit 3', message: 'exit 3' },
      isWorthRetrying: false,
      wait: 0,
      output: 'no pager',
    })
  })

  it('that does not end is killed with its children at its deadline', async () => {
    const outcome = await run('sleep 1000 & echo $$; echo $!; sleep 1000', undefined, 300)
    assert.match(outcome.fault?.message ?? '', /^killed: not done/)
    const [leader, child] = (outcome.output ?? '').split(' ').map(Number)
    await until(() => isGone(leader) && isGone(child))
  })

  it('that does not exist, or that others can change, is not run', async () => {
    const outcome = await send({ kind: 'command', argv: ['/does/not/exist'] })
    assert.match(outcome.fault?.message ?? '', /does not exist/)
  })

  it('has the variables that the README names', () => {
    const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
    const named = new Set([...readme.matchAll(/`(LVSD_[A-Z_]+)`/g)].map(([, name]) => name))
    const { PATH, ...own } = environmentOf(documentOf('ops', { id: '', notices: [FIRING] }, SENDER))
    assert.ok(PATH)
    for (const name of Object.keys(own)) assert.ok(named.has(name), `${name} is not in the README`)
  })

  it('that gets several alerts has a summary of them', () => {
    const document = documentOf('ops', { id: '', notices: [FIRING, RESOLVED] }, SENDER)
    const { LVSD_SUMMARY, LVSD_COUNT, LVSD_STATUS, LVSD_REAL } = environmentOf(document)
    assert.deepEqual(
      [LVSD_SUMMARY, LVSD_COUNT, LVSD_STATUS, LVSD_REAL],
      ['2 alerts: 1 firing, 1 resolved', '2', 'firing', ''],
    )
  })
})
