import assert from 'node:assert/strict'
import { defineCheck, type Target } from '../../../src/check/check.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { z } from '../../../src/check/option-types.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { expectationOf } from '../../../src/probe/expectation.js'
import { address } from '../../support/tables.js'

const TARGET = {
  address: address('fd00::1'),
  port: 80,
  real: { address: address('fd00::1'), port: 80, weight: 1 },
  service: { name: 'web', address: address('fd00::80'), port: 80, protocol: 'tcp', fwmark: null },
} satisfies Target

describe('expectation: what a check expects', () => {
  const rows: [kind: string, options: object, expected: string][] = [
    ['http', {}, 'status 200-299'],
    ['http', { status: '200,304', receive: 'ok' }, 'status 200, 304, with /ok/ in the body'],
    ['https', { text: 'ok' }, 'status 200-299, with "ok" in the body, over TLS'],
    ['connect', {}, 'a connection'],
    ['simpletcp', { receive: 'PONG' }, '/PONG/m in the first 65536 bytes of the answer'],
    ['mysql', { login: 'eve', passwd: 'hidden' }, 'a login as eve'],
    ['pgsql', { request: 'SELECT 1' }, 'at least one row'],
    ['dns', { request: 'example.com' }, '1 A record or more'],
    ['external', {}, 'exit code 0'],
    ['redis', { role: 'primary' }, 'PONG, the role primary'],
    ['grpc', {}, 'SERVING for the whole server'],
    ['ldap', {}, 'an anonymous bind, and the root entry'],
  ]
  for (const [kind, options, expected] of rows)
    it(`is said for ${kind} ${JSON.stringify(options)}`, async () => {
      const { checks } = await loadChecks()
      const check = checks.get(kind)
      assert.ok(check)
      const parsed = z.object(check.options(optionKit)).parse(options)
      assert.equal(expectationOf(check, TARGET, parsed), expected)
    })

  it('is the summary where the check says nothing, or is of a user', async () => {
    const check = defineCheck({
      name: 'own',
      summary: 'asks something',
      options: () => ({}),
      expects: () => {
        throw new Error('called')
      },
    })
    assert.equal(expectationOf(check, TARGET, {}), 'asks something')
    assert.equal(expectationOf({ ...check, origin: 'user' }, TARGET, {}), 'asks something')
  })

  it('is told by every kind without an error', async () => {
    const { checks } = await loadChecks()
    for (const check of checks.values()) {
      const needed = { request: 'example.com' }
      const shape = z.object(check.options(optionKit)).safeParse(needed)
      if (shape.success) assert.ok(expectationOf(check, TARGET, shape.data).length > 3, check.name)
    }
  })
})
