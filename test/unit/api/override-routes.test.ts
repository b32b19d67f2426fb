/** What the control socket answers to requests about overrides and connections. */
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { openControlSocket } from '../../../src/api/server.js'
import { onCleanup } from '../../support/after-each.js'
import { controlOf } from '../../support/control.js'
import { temporaryFolder } from '../../support/folder.js'

const TARGETS = [{ service: 'web', real: '[fd00::1]:80' }]
const GIVE = { targets: TARGETS, effect: { kind: 'drain' }, reason: '', until: null }
const OUTCOME = { ok: true, message: 'done', ended: 0, isKept: true, reals: [] }

async function daemon() {
  const socketPath = join(temporaryFolder(), 'lvsd.sock')
  const asked: unknown[] = []
  const note = async (...what: unknown[]) => {
    asked.push(what)
    return OUTCOME
  }
  const control = controlOf({
    overrides: {
      give: (body, who) => note('give', body, who),
      end: body => note('end', body),
      endWindows: (body, who) => note('windows', body, who),
    },
  })
  const server = await openControlSocket(socketPath, control)
  onCleanup(() => server.close())
  const post = (path: string, body: unknown) =>
    new Promise<{ status: number; value: { detail?: string } }>((resolve, reject) => {
      const sent = request({ socketPath, method: 'POST', path, agent: false }, response => {
        let text = ''
        response.on('data', chunk => {
          text += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, value: JSON.parse(text) }))
      })
      sent.on('error', reject).end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  return { post, asked }
}

describe('override-routes', () => {
  it('pass a request on, with the user of the connection from the kernel', async () => {
    const { post, asked } = await daemon()
    assert.deepEqual(await post('/v1/overrides', GIVE), { status: 200, value: OUTCOME })
    assert.deepEqual(await post('/v1/overrides/end', { targets: TARGETS, effects: ['drain'] }), {
      status: 200,
      value: OUTCOME,
    })
    assert.deepEqual(await post('/v1/windows/end', { targets: TARGETS }), { status: 200, value: OUTCOME })
    assert.deepEqual(asked, [
      ['give', GIVE, userInfo().username],
      ['end', { targets: TARGETS, effects: ['drain'] }],
      ['windows', { targets: TARGETS }, userInfo().username],
    ])
  })

  it('take an override without a reason and an end, but not without saying which servers', async () => {
    const { post, asked } = await daemon()
    assert.equal((await post('/v1/overrides', { targets: TARGETS, effect: { kind: 'drain' } })).status, 200)
    assert.deepEqual(asked, [['give', GIVE, userInfo().username]])
    const { value } = await post('/v1/overrides', { ...GIVE, targets: [{ service: 'web' }] })
    assert.match(value.detail ?? '', /real" in the body is missing/)
  })

  const wrong: [path: string, body: unknown, error: RegExp][] = [
    ['/v1/overrides', '', /^the body is missing; expected an object$/],
    ['/v1/overrides', '[', /^the body is not JSON: /],
    ['/v1/overrides', [], /^the body must be an object, not a list$/],
    ['/v1/overrides', {}, /^"\/targets" in the body is missing; expected a list \(and 1 more\)$/],
    ['/v1/overrides', { ...GIVE, targets: [] }, /"\/targets" .* has 0 items; expected at least 1$/],
    [
      '/v1/overrides',
      { ...GIVE, targets: [{ service: 'web' }] },
      /"\/targets\/0\/real" .* missing; expected text/,
    ],
    ['/v1/overrides', { ...GIVE, targets: Array(3000).fill(TARGETS[0]) }, /larger than 64 KiB/],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'drian' } },
      /"\/effect\/kind" .* "drian"; did you mean "drain"\?/,
    ],
    ['/v1/overrides', { ...GIVE, effect: 'drain' }, /"\/effect" .* must be an object, not text/],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'weight' } },
      /"\/effect\/weight" .* missing; expected a number/,
    ],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'weight', weight: -1 } },
      /weight" .* is -1; expected at least 0/,
    ],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'weight', weight: 2 ** 31 } },
      /expected at most 2147483647/,
    ],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'drain', ramp: 10 } },
      /"\/effect\/ramp" .* is 10; .* least 1000/,
    ],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'disable', ramp: 1000 } },
      /"\/effect\/ramp" .* is unknown$/,
    ],
    [
      '/v1/overrides',
      { ...GIVE, effect: { kind: 'drain', rmap: 1000 } },
      /is unknown; did you mean "ramp"\?/,
    ],
    ['/v1/overrides', { ...GIVE, reason: 'x'.repeat(513) }, /"\/reason" .* has 513 characters; .* most 512/],
    ['/v1/overrides', { ...GIVE, until: 'tomorrow' }, /"\/until" .* must be a number, not text/],
    ['/v1/overrides', { ...GIVE, until: 1e300 }, /"\/until" .* expected at most 253402214400000/],
    ['/v1/overrides', { ...GIVE, who: 'root' }, /"\/who" in the body is unknown/],
    ['/v1/overrides/end', { targets: TARGETS }, /"\/effects" in the body is missing/],
    ['/v1/overrides/end', { targets: TARGETS, effects: [] }, /"\/effects" .* expected at least 1/],
    [
      '/v1/overrides/end',
      { targets: TARGETS, effects: ['all'] },
      /"\/effects\/0" .* "all"; expected force-down/,
    ],
    ['/v1/windows/end', { targets: [] }, /"\/targets" .* expected at least 1/],
    ['/v1/connections', {}, /"\/targets" in the body is missing/],
  ]
  for (const [path, body, error] of wrong) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    it(`refuse ${path} ${text.slice(0, 90)}`, async () => {
      const { post, asked } = await daemon()
      const { status, value } = await post(path, body)
      assert.match(value.detail ?? '', error)
      assert.ok(status === 400 || status === 413)
      assert.deepEqual(asked, [])
    })
  }
})
