import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Refusal } from '../../../src/api/problem-document.js'
import { TooManyWaiters } from '../../../src/history/event-memory.js'
import { packageRoot } from '../../../src/system/version.js'
import { testApp } from '../../support/app.js'

const GIVE = {
  targets: [{ service: 'web', real: null }],
  effect: { kind: 'drain' },
  reason: '',
  until: null,
}

describe('app: the API', () => {
  it('loads nothing of fastify for JSON Schema, which takes longer than the rest of it', async () => {
    await testApp()
    const loaded = Object.keys(createRequire(import.meta.url).cache)
    assert.ok(loaded.some(path => path.includes('/node_modules/fastify/')))
    assert.deepEqual(
      loaded.filter(path => /\/node_modules\/@fastify\/(ajv|fast-json-stringify)-compiler\//.test(path)),
      [],
    )
  })

  it('answers JSON that nobody may keep', async () => {
    const { ask } = await testApp()
    const { status, headers, value } = await ask('GET', '/v1/windows')
    assert.deepEqual(
      [status, headers['content-type'], headers['cache-control'], value.schema],
      [200, 'application/json; charset=utf-8', 'no-store', 1],
    )
    assert.equal((await ask('HEAD', '/v1/windows')).text, '')
  })

  it('answers all mistakes of a body at once, each with its pointer', async () => {
    const { ask } = await testApp()
    const body = { targets: [{ service: 1, reel: 'x' }], effect: { kind: 'drian' }, reason: '' }
    const { status, headers, value } = await ask('POST', '/v1/overrides', body)
    assert.match(String(headers['content-type']), /^application\/problem\+json;/)
    assert.deepEqual([status, value.status, value.type], [400, 400, 'urn:lvsd:problem:invalid-request'])
    assert.equal(value.detail, '"/targets/0/service" in the body must be text, not a number (and 3 more)')
    assert.deepEqual(
      value.problems?.map(({ path, code, nearest }) => [path, code, nearest]),
      [
        ['/targets/0/service', 'WRONG_TYPE', undefined],
        ['/targets/0/real', 'MISSING', undefined],
        ['/targets/0/reel', 'UNKNOWN_KEY', 'real'],
        ['/effect/kind', 'UNKNOWN_WORD', 'drain'],
      ],
    )
  })

  it('computes an answer once for all who ask for the same at the same time', async () => {
    const asked: (string | null)[] = []
    const results = async (_service: string | null, real: string | null) => {
      asked.push(real)
      await new Promise(resolve => setImmediate(resolve))
      return { reals: [] }
    }
    const { ask } = await testApp({ results })
    const path = '/v1/results?service=web&real='
    const answers = await Promise.all(
      ['a', 'b', 'a', 'a', 'b'].map(real => ask('GET', `${path}${encodeURIComponent(real)}`)),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 200, 200, 200, 200],
    )
    assert.deepEqual(asked.sort(), ['a', 'b'])
    assert.equal((await ask('GET', '/v1/results?reel=a')).status, 400)
    await ask('POST', '/v1/overrides', GIVE)
    await ask('GET', `${path}a`)
    assert.deepEqual(asked.sort(), ['a', 'a', 'b'])
  })

  const nowhere: [string, string, number, RegExp, unknown][] = [
    ['GET', '/status', 404, /there is no path \/status; did you mean \/v1\/status\?/, undefined],
    ['GET', '/v1/evnts?a=1', 404, /there is no path \/v1\/evnts; did you mean \/v1\/events\?/, undefined],
    ['GET', '/nothing', 404, /\/v1\/openapi.json has all paths/, undefined],
    ['DELETE', '/v1/status', 405, /\/v1\/status has GET, HEAD, not DELETE/, 'GET, HEAD'],
    ['GET', '/v1/reload', 405, /\/v1\/reload has POST, not GET/, 'POST'],
    ['GET', '/v1/%zz', 400, /the path is not valid/, undefined],
    ['GET', `/v1/${'x'.repeat(5000)}`, 404, /^.{200,300}$/, undefined],
  ]
  for (const [method, url, expected, detail, allow] of nowhere)
    it(`answers ${method} ${url.slice(0, 40)} with ${expected}`, async () => {
      const { ask } = await testApp()
      const { status, headers, value } = await ask(method, url)
      assert.deepEqual([status, value.status, headers.allow], [expected, expected, allow])
      assert.match(value.detail, detail)
    })

  it('takes JSON alone, as it says', async () => {
    const { ask } = await testApp()
    const { status, value } = await ask('POST', '/v1/overrides', 'a=b', {
      'content-type': 'application/x-www-form-urlencoded',
    })
    assert.equal(status, 415)
    assert.match(value.detail, /is application\/x-www-form-urlencoded; expected application\/json/)
    assert.equal((await ask('POST', '/v1/overrides', GIVE)).status, 200)
  })

  it('refuses what is no JSON, no UTF-8, or too large', async () => {
    const { ask, app } = await testApp()
    assert.match((await ask('POST', '/v1/reload', '{')).value.detail, /the body is not JSON: /)
    const bytes = await app.inject({ method: 'POST', url: '/v1/reload', payload: Buffer.from([0xff, 0xfe]) })
    assert.match(bytes.text, /the body is not text in UTF-8/)
    const large = await ask('POST', '/v1/reload', 'x'.repeat(70_000))
    assert.deepEqual([large.status, large.value.detail], [413, 'the body is larger than 64 KiB'])
  })

  it('reads few large bodies at once, and long JSON never', async () => {
    const { ask } = await testApp()
    const text = JSON.stringify({ text: 'x'.repeat(2 ** 20) })
    const json = await ask('POST', '/v1/validate', text)
    assert.deepEqual([json.status, json.value.type], [413, 'urn:lvsd:problem:too-large'])
    const yaml = { 'content-type': 'application/yaml' }
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask('POST', '/v1/validate', '#'.repeat(2 ** 20), yaml)),
    )
    assert.deepEqual([...new Set(answers.map(({ status }) => status))].sort(), [200, 429])
    assert.equal((await ask('POST', '/v1/validate', '#'.repeat(2 ** 20), yaml)).status, 200)
    assert.equal((await ask('POST', '/v1/validate', '#', yaml)).status, 200)
  })

  it('shows the mistake that README.md shows', async () => {
    const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
    const shown = /```json\n(\{ "type": "urn:lvsd[\s\S]*?)```/.exec(readme)?.[1] ?? ''
    const { ask } = await testApp()
    const { value } = await ask('POST', '/v1/overrides', { ...GIVE, effect: { kind: 'drian' } })
    assert.deepEqual(JSON.parse(shown), value)
  })

  it('lets a caller with the role read only read', async () => {
    let given = 0
    const outcome = { ok: true, message: '', ended: 0, isKept: true, reals: [] }
    const give = async () => {
      given++
      return outcome
    }
    const { ask } = await testApp(
      {
        overrides: {
          list: () => ({ overrides: [] }),
          give,
          end: async () => outcome,
          endWindows: async () => outcome,
        },
      },
      { role: 'read' },
    )
    assert.equal((await ask('GET', '/v1/status')).status, 200)
    const { status, value } = await ask('POST', '/v1/overrides', GIVE)
    assert.deepEqual([status, value.type, given], [403, 'urn:lvsd:problem:forbidden', 0])
  })

  it('asks nobody who asks for what is open', async () => {
    const authenticate = () => {
      throw new Refusal('unauthenticated', 'give a token', { headers: { 'www-authenticate': 'Bearer' } })
    }
    const otherwise = {
      authenticate,
      answering: <T>(_: unknown, work: () => Promise<T>) => work(),
      sending: () => {},
    }
    const { ask } = await testApp({}, { otherwise })
    for (const path of ['/healthz', '/readyz', '/v1/openapi.json'])
      assert.equal((await ask('GET', path)).status, 200, path)
    const { status, headers, value } = await ask('GET', '/v1/status')
    assert.deepEqual([status, headers['www-authenticate'], value.detail], [401, 'Bearer', 'give a token'])
  })

  it('says when to try again', async () => {
    const wait = async () => {
      throw new TooManyWaiters('too many clients wait for events')
    }
    const { ask } = await testApp({ events: { wait }, isReady: () => false })
    for (const path of ['/v1/events', '/readyz']) {
      const { status, headers } = await ask('GET', path)
      assert.deepEqual([status, headers['retry-after']], [503, '1'])
    }
  })

  it('answers what was refused with its outcome and all problems', async () => {
    const outcome = {
      ok: false,
      at: '2026-11-28T12:00:00.000Z',
      message: '1 error',
      problems: [
        {
          severity: 'error' as const,
          code: 'UNKNOWN_KEY',
          message: 'no',
          file: '/etc/lvsd.yaml',
          at: { line: 3, column: 5, length: 2 },
        },
      ],
    }
    const { ask } = await testApp({ reload: async () => outcome })
    const { status, value } = await ask('POST', '/v1/reload')
    assert.deepEqual([status, value.detail, value.outcome], [422, '1 error', outcome])
    assert.deepEqual(value.problems, [
      {
        in: 'configuration',
        path: '/etc/lvsd.yaml',
        line: 3,
        column: 5,
        message: 'no',
        severity: 'error',
        code: 'UNKNOWN_KEY',
      },
    ])
  })

  it('logs a fault of its own, and goes on', async () => {
    const lines: unknown[] = []
    const log = { error: (...line: unknown[]) => lines.push(line.slice(0, 1)) }
    const windows = () => {
      throw new Error('a bug')
    }
    const { ask } = await testApp({ windows }, { log })
    const { status, value } = await ask('GET', '/v1/windows')
    assert.deepEqual([status, value.detail], [500, 'a bug'])
    assert.deepEqual(lines, [['api.failed']])
    assert.equal((await ask('GET', '/v1/status')).status, 200)
  })
})
