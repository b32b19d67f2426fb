/** Each route of a running director against config/openapi.json. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { AnyRoute } from '../../../src/api/route.js'
import { ROUTES } from '../../../src/api/routes/all.js'
import { assertDescribed } from '../../support/api/described.js'
import { type Running, runningDirector } from '../../support/api/running.js'
import { httpServer } from '../../support/servers.js'
import { until } from '../../support/until.js'

const VIP = 'tcp [2001:db8::80]:80'

async function site(): Promise<{ readonly text: string; readonly up: string; readonly down: string }> {
  const server = await httpServer((_, response) => response.end('ok'))
  const up = `[::1]:${server.port}`
  const down = '[::1]:1'
  // Never open while the test runs.
  const hour = (new Date().getUTCHours() + 12) % 24
  const text = `
services:
  web:
    virtual: '[2001:db8::80]:80'
    fallback: '[2001:db8::f]:80'
    scheduler: wlc
    persistence: { timeout: 60s }
    checks: { kind: http, interval: 1s, rise: 1, fall: 1 }
    windows: [{ at: '0 ${hour} * * *', zone: UTC, for: 2h, drain: 10m, reason: updates }]
    reals: ['${up}', '${down}']
  mail:
    virtual: '[2001:db8::80]:25'
    checks: { kind: connect, interval: 1s }
    reals: ['[::1]:2']
`
  return { text, up, down }
}

type Row = readonly [
  path: string,
  url: string,
  status: number,
  body?: unknown,
  headers?: Record<string, string>,
]

describe('openapi: the answers of a running director', function () {
  this.timeout(60_000)
  let running: Running
  let up = ''
  let down = ''

  beforeEach(async () => {
    const made = await site()
    ;({ up, down } = made)
    running = await runningDirector(made.text)
    await until(async () => {
      const { services } = await running.daemon.status()
      const { totals } = services[0] ?? { totals: { up: 0, down: 0 } }
      return totals.up === 1 && totals.down === 1
    })
  })

  it('are as the document says, for each route and for mistakes', async () => {
    const { send, file } = running
    const seen = new Set<AnyRoute>()
    const ask = async (method: string, [path, url, status, body, headers]: Row) => {
      const route = ROUTES.find(one => one.method === method && one.path === path)
      assert.ok(route, `${method} ${path}`)
      seen.add(route)
      const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
      const answer = await send(method, url, text as string | undefined, headers)
      assert.equal(answer.status, status, `${method} ${url}: ${answer.text.slice(0, 500)}`)
      assertDescribed(route, answer)
      return JSON.parse(answer.text || 'null')
    }
    const get = (...row: Row) => ask('GET', row)
    const post = (...row: Row) => ask('POST', row)
    const target = [{ service: 'web', real: up }]
    const drain = {
      targets: target,
      effect: { kind: 'drain', ramp: 60_000 },
      reason: 'disk swap',
      until: null,
    }
    const real = encodeURIComponent(up)

    await get('/healthz', '/healthz', 200)
    await get('/readyz', '/readyz', 200)
    await get('/v1/openapi.json', '/v1/openapi.json', 200)
    await get('/v1/status', '/v1/status', 200)
    assert.equal((await get('/v1/services', '/v1/services', 200)).services.length, 2)
    assert.equal((await get('/v1/services/{service}', '/v1/services/web', 200)).reals.length, 2)
    const listing = await get('/v1/services/{service}/reals', '/v1/services/web/reals', 200)
    assert.match(listing.reals[1].strip, /^f+$/)
    await get('/v1/services/{service}/reals', '/v1/services/wbe/reals', 404)
    const one = '/v1/services/{service}/reals/{real}'
    assert.equal((await get(one, `/v1/services/web/reals/${real}`, 200)).name, up)
    const nearService = await get('/v1/services/{service}', '/v1/services/wbe', 404)
    assert.deepEqual(
      [nearService.problems[0].nearest, nearService.problems[0].code],
      ['web', 'NO_SUCH_SERVICE'],
    )
    assert.equal((await get(one, '/v1/services/web/reals/%5B::1%5D:2', 404)).problems[0].nearest, down)

    await get('/v1/directors', '/v1/directors', 200)
    await get('/v1/site/events', '/v1/site/events?limit=5', 503)
    await get('/v1/site/events', '/v1/site/events?after=5', 400)
    const overview = await get('/v1/overview', '/v1/overview', 200)
    assert.deepEqual([overview.services[0].name, overview.services[0].troubled[0].name], ['web', down])

    assert.deepEqual((await get('/v1/role', '/v1/role', 200)).cluster, null)
    assert.equal((await get('/v1/health', '/v1/health', 200)).good, true)
    assert.match((await get('/v1/health', '/v1/health?services=web', 200)).reason, /./)
    await get('/v1/health', '/v1/health?services=web,wbe', 404)
    const master = { kind: 'INSTANCE', name: 'VI_1', state: 'MASTER', priority: 100 }
    assert.equal((await post('/v1/role/notify', '/v1/role/notify', 200, master)).outcome, 'not asked')
    await post('/v1/role/notify', '/v1/role/notify', 400, { ...master, state: 'MASTERS' })

    await get('/v1/targets', '/v1/targets', 200)
    await get('/v1/why', '/v1/why?service=web', 200)
    assert.equal((await get('/v1/why', `/v1/why?service=web&real=${real}`, 200)).kind, 'real')
    assert.match((await get('/v1/why', '/v1/why', 400)).detail, /"\/service" in the query is missing/)
    await get('/v1/why', '/v1/why?service=www', 404)
    const { reals } = await get('/v1/results', '/v1/results?service=web', 200)
    const [{ checks }] = reals
    const [{ last, runs }] = checks[0].results
    assert.ok(last.phases.length > 0)
    assert.equal(runs[0].phases.length, last.phases.length)
    assert.equal((await get('/v1/results', `/v1/results?service=web&real=${real}`, 200)).reals.length, 1)
    await get('/v1/results', '/v1/results', 200)
    await get('/v1/results', '/v1/results?real=x', 400)
    await get('/v1/results', '/v1/results?service=w', 404)

    const { events } = await get('/v1/events', '/v1/events?limit=5', 200)
    assert.ok(events.length > 0)
    await get('/v1/events', '/v1/events?limit=0&leve=info', 400)
    assert.equal((await get('/v1/windows', '/v1/windows?count=3', 200)).coming.length, 3)

    await get('/v1/overrides', '/v1/overrides', 200)
    await post('/v1/overrides', '/v1/overrides', 200, drain)
    await post('/v1/overrides', '/v1/overrides', 400, { ...drain, effect: { kind: 'drain', ramp: 1 } })
    const gone = { ...drain, targets: [...target, { service: 'wob', real: null }] }
    assert.equal(
      (await post('/v1/overrides', '/v1/overrides', 404, gone)).problems[0].path,
      '/targets/1/service',
    )
    assert.equal(
      (await post('/v1/overrides', '/v1/overrides', 409, { ...drain, until: 1 })).outcome.ok,
      false,
    )
    const { overrides } = await get('/v1/overrides', '/v1/overrides?service=web', 200)
    assert.deepEqual([overrides[0].service, overrides[0].real, overrides[0].effect], ['web', up, 'drain'])
    await post('/v1/overrides/end', '/v1/overrides/end', 200, { targets: target, effects: ['drain'] })

    assert.ok((await post('/v1/recheck', '/v1/recheck', 200, { targets: target })).checks > 0)
    await post('/v1/recheck', '/v1/recheck', 404, { targets: [{ service: 'x', real: null }] })
    await post('/v1/recheck/results', '/v1/recheck/results', 200, { targets: target, after: 0 })
    await post('/v1/connections', '/v1/connections', 200, { targets: target })

    await post('/v1/windows/end', '/v1/windows/end', 200, { targets: target })
    assert.equal((await send('GET', '/metrics')).status, 200)

    const asked = { name: 'anna', role: 'operate' }
    assert.match((await post('/v1/tokens', '/v1/tokens', 200, asked)).token, /^lvsd_/)
    await post('/v1/tokens', '/v1/tokens', 409, asked)
    await post('/v1/tokens', '/v1/tokens', 400, { name: 'a b', role: 'root' })
    assert.equal((await get('/v1/tokens', '/v1/tokens', 200)).tokens[0].name, 'anna')
    await ask('DELETE', ['/v1/tokens/{token}', '/v1/tokens/anna', 200])
    await ask('DELETE', ['/v1/tokens/{token}', '/v1/tokens/anna', 404])

    const held = await get('/v1/table', '/v1/table', 200)
    assert.ok(
      held.services.some((each: { key: string; isOwned: boolean }) => each.key === VIP && each.isOwned),
    )
    assert.deepEqual((await get('/v1/drift', '/v1/drift', 200)).changes, [])
    const { findings } = await get('/v1/doctor', '/v1/doctor', 200)
    assert.ok(findings.some(({ title }: { title: string }) => /with its table in memory$/.test(title)))

    // What a file says, and a text.
    const own = await get('/v1/plan', '/v1/plan', 200)
    assert.deepEqual([own.file, own.add, own.change], [file, 0, 0])
    assert.ok((await get('/v1/plan', '/v1/plan?assume=down', 200)).changes.length > 0)
    const text = "services: { other: { virtual: '[2001:db8::81]:80', reals: ['[::1]:80'], checks: ping } }"
    const yaml = { 'content-type': 'application/yaml' }
    const plan = await post('/v1/plan', '/v1/plan?assume=up', 200, text, yaml)
    assert.deepEqual([plan.file, plan.add, plan.remove], [null, 2, 2])
    const refused = await post('/v1/plan', '/v1/plan', 422, 'services: { a: { virtul: x } }', yaml)
    assert.ok(
      refused.problems.some(
        (each: { code: string; line: number }) => each.code === 'UNKNOWN_KEY' && each.line === 1,
      ),
    )
    await post('/v1/validate', '/v1/validate', 200, { text })
    const cf = 'virtual=192.0.2.1:80\n\treal=192.0.2.2:80 gate\n\tchecktipe=ping\n'
    const found = await post('/v1/validate', '/v1/validate?format=ldirectord', 200, cf, {
      'content-type': 'text/plain',
    })
    assert.ok(
      found.problems.some((each: { line: number }) => each.line === 3),
      JSON.stringify(found),
    )
    await post('/v1/validate', '/v1/validate', 415, text, { 'content-type': 'image/png' })
    await post('/v1/validate', '/v1/validate', 413, `#${' '.repeat(4 * 1024 * 1024)}`, yaml)

    await post('/v1/reload', '/v1/reload', 200)
    writeFileSync(file, 'services: { web: { virtal: 1 } }')
    const no = await post('/v1/reload', '/v1/reload', 422)
    assert.deepEqual([no.outcome.ok, no.problems[0].in, no.problems[0].line], [false, 'configuration', 1])
    await get('/v1/plan', '/v1/plan', 422)

    const missed = ROUTES.filter(route => !seen.has(route) && route.path !== '/metrics' && !route.isPage).map(
      ({ method, path }) => `${method} ${path}`,
    )
    assert.deepEqual(missed, [])
  })

  it('let a posted configuration include no file of another folder', async () => {
    const { send } = running
    for (const include of ['/etc/passwd', '../*/passwd', '/etc/*', './sub/*/../../../../etc/passwd']) {
      const { text } = await send(
        'POST',
        '/v1/validate',
        JSON.stringify({ text: `include: ['${include}']\nservices: {}` }),
      )
      const { ok, problems } = JSON.parse(text)
      assert.equal(ok, false)
      assert.match(JSON.stringify(problems), /BAD_INCLUDE/)
      assert.doesNotMatch(text, /root:/)
    }
  })

  it('refuse a change of overrides that the client does not know', async () => {
    const { send } = running
    const give = (effect: object, headers = {}) =>
      send(
        'POST',
        '/v1/overrides',
        JSON.stringify({ targets: [{ service: 'web', real: null }], effect, reason: '', until: null }),
        headers,
      )
    const { headers } = await send('GET', '/v1/overrides')
    const known = { 'if-match': String(headers.etag) }
    assert.equal(
      (await send('GET', '/v1/overrides', undefined, { 'if-none-match': String(headers.etag) })).status,
      304,
    )
    assert.equal((await give({ kind: 'drain' }, known)).status, 200)
    const { status, text, headers: now } = await give({ kind: 'weight', weight: 3 }, known)
    const { type, current } = JSON.parse(text)
    assert.deepEqual([status, type, current.overrides.length], [412, 'urn:lvsd:problem:changed', 1])
    assert.equal((await give({ kind: 'weight', weight: 3 }, { 'if-match': `"a", ${now.etag}` })).status, 200)
    assert.equal((await give({ kind: 'weight', weight: 4 }, { 'if-match': '*' })).status, 200)
  })

  it('refuse more configurations at once than lvsd reads', async () => {
    const { send } = running
    const answers = await Promise.all(
      Array.from({ length: 12 }, () =>
        send('POST', '/v1/validate', JSON.stringify({ text: 'services: {}' })),
      ),
    )
    const refused = answers.filter(({ status }) => status === 429)
    assert.ok(refused.length > 0 && refused.length < 12)
    for (const { headers } of refused) assert.equal(headers['retry-after'], '5')
  })
})
