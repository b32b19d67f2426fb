import assert from 'node:assert/strict'
import { resolveNow } from '../../../src/cli/load-or-exit.js'
import { memberRequest } from '../../../src/names/lookup-requests.js'
import { testContext } from '../../support/context.js'
import { dnsServer } from '../../support/dns-server.js'
import { resolverWith } from '../../support/names/stage.js'
import { config, real, service } from '../../support/tables.js'

describe('load-or-exit: the names of a command', () => {
  it('are waited for a few seconds at most, and those that answer are used', async () => {
    const dead = Array.from({ length: 6 }, (_, i) => `dead${i}.example`)
    const silent = dead.flatMap(host => [[`${host} AAAA`, 'silence'] as const])
    const { port } = await dnsServer({ ...Object.fromEntries(silent), 'good.example AAAA': ['fd00::1'] })
    const { resolver } = resolverWith(
      { resolvConf: 'nameserver ::1\noptions timeout:30 attempts:5' },
      { port },
    )
    const { context, err } = testContext()
    const web = service('web', { reals: [...dead, 'good.example', 'fd00::2'].map(host => real(host)) })
    const began = performance.now()
    const { config: resolved, troubleOf } = await resolveNow(config([web]), new Map(), context, resolver)
    assert.ok(performance.now() - began < 5000)
    const addresses = resolved.services[0]?.reals.map(({ address }) => address?.text ?? null)
    assert.deepEqual(addresses, [...dead.map(() => null), 'fd00::1', 'fd00::2'])
    assert.match(err(), /lvsd: dead0.example is being looked up \(web\)/)
    const request = memberRequest(real('dead1.example'), 'ipv6')
    assert.equal(request && troubleOf(request), 'dead1.example is being looked up')
  })

  it('are reported with the family that was requested', async () => {
    const { resolver } = resolverWith({ hosts: '127.0.0.1 here', nsswitch: 'hosts: files' })
    const { context, err } = testContext()
    await resolveNow(config([service('web', { reals: [real('here')] })]), new Map(), context, resolver)
    assert.equal(err(), 'lvsd: here has no IPv6 address; it has 127.0.0.1 (web)\n')
  })
})
