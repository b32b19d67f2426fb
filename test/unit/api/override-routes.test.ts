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
    overrides: { give: (body, who) => note('give', body, who), end: body => note('end', body) },
  })
  const server = await openControlSocket(socketPath, control)
  onCleanup(() => server.close())
  const post = (path: string, body: unknown) =>
    new Promise<{ status: number; value: { error?: string } }>((resolve, reject) => {
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
    assert.deepEqual(await post('/overrides', GIVE), { status: 200, value: OUTCOME })
    assert.deepEqual(await post('/overrides/end', { targets: TARGETS, effects: ['drain'] }), {
      status: 200,
      value: OUTCOME,
    })
    assert.deepEqual(asked, [
      ['give', GIVE, userInfo().username],
      ['end', { targets: TARGETS, effects: ['drain'] }],
    ])
  })

  const wrong: [path: string, body: unknown, error: RegExp][] = [
    ['/overrides', '', /wrong at its top: .*expected object, received null/],
    ['/overrides', '[', /the request is not JSON/],
    ['/overrides', [], /wrong at its top: .*expected object, received array/],
    ['/overrides', {}, /wrong at targets: .*expected array, received undefined/],
    ['/overrides', { ...GIVE, targets: [] }, /wrong at targets: .*expected array to have >=1 items/],
    ['/overrides', { ...GIVE, targets: [{ service: 'web' }] }, /wrong at targets\.0\.real: /],
    ['/overrides', { ...GIVE, targets: Array(3000).fill(TARGETS[0]) }, /65536 bytes/],
    ['/overrides', { ...GIVE, effect: { kind: 'melt' } }, /wrong at effect\.kind: /],
    ['/overrides', { ...GIVE, effect: 'drain' }, /wrong at effect: .*expected object, received string/],
    ['/overrides', { ...GIVE, effect: { kind: 'weight' } }, /wrong at effect\.weight: .*received undefined/],
    ['/overrides', { ...GIVE, effect: { kind: 'weight', weight: -1 } }, /wrong at effect\.weight: .*>=0/],
    [
      '/overrides',
      { ...GIVE, effect: { kind: 'weight', weight: 2 ** 31 } },
      /effect\.weight: .*<=2147483647/,
    ],
    ['/overrides', { ...GIVE, effect: { kind: 'drain', ramp: 10 } }, /effect\.ramp: .*>=1000/],
    ['/overrides', { ...GIVE, effect: { kind: 'disable', ramp: 1000 } }, /effect: .*"ramp"/],
    ['/overrides', { ...GIVE, reason: 'x'.repeat(513) }, /wrong at reason: .*<=512 characters/],
    ['/overrides', { ...GIVE, until: 'tomorrow' }, /wrong at until: .*expected number, received string/],
    ['/overrides', { ...GIVE, until: 1e300 }, /wrong at until: .*<=253402214400000/],
    ['/overrides', { ...GIVE, who: 'root' }, /wrong at its top: .*"who"/],
    ['/overrides/end', { targets: TARGETS }, /wrong at effects: /],
    ['/overrides/end', { targets: TARGETS, effects: [] }, /wrong at effects: .*>=1 items/],
    ['/overrides/end', { targets: TARGETS, effects: ['all'] }, /wrong at effects\.0: .*"drain"/],
    ['/connections', {}, /wrong at targets: /],
  ]
  for (const [path, body, error] of wrong) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    it(`refuse ${path} ${text.slice(0, 90)}`, async () => {
      const { post, asked } = await daemon()
      const { status, value } = await post(path, body)
      assert.match(value.error ?? '', error)
      assert.ok(status === 400 || status === 413)
      assert.deepEqual(asked, [])
    })
  }
})
