import assert from 'node:assert/strict'
import type { CheckUse, Service } from '../src/model.js'
import { namesOf, resolveNames, withNames } from '../src/resolve.js'
import { config, real, service } from './helpers/tables.js'

const NAMED: Partial<Service> = {
  host: 'vip',
  id: null,
  unresolved: { protocol: 'tcp', port: 80, family: 'ipv6' },
}

const CHECK: CheckUse = {
  kind: 'connect',
  options: {},
  policy: { interval: 1000, timeout: 500, rise: 1, fall: 1, fastinter: 1000 },
  port: null,
  address: null,
}

describe('names', () => {
  it('are asked for in the family of their service, and in any through a tunnel', () => {
    const site = config([
      service('web', {
        ...NAMED,
        reals: [real('www1'), real('www2', { forwarding: 'ipip' }), real('fd00::1')],
      }),
      service('other', { reals: [real('www1')], fallback: real('sorry') }),
    ])
    assert.deepEqual([...namesOf(site).keys()], ['vip ipv6', 'www1 ipv6', 'www2', 'sorry ipv6'])
  })

  it('fill in what is known and leave the rest', () => {
    const site = config([
      service('web', { ...NAMED, reals: [real('www1'), real('www2')], fallback: real('sorry') }),
    ])
    const names = new Map([
      ['vip ipv6', '2001:db8::80'],
      ['www1 ipv6', 'fd00::1'],
    ])
    const [web] = withNames(site, names).config.services
    assert.deepEqual(
      [
        web?.id?.kind === 'address' && web.id.address.text,
        web?.reals.map(r => r.address?.text ?? null),
        web?.fallback?.address,
      ],
      ['2001:db8::80', ['fd00::1', null], null],
    )
  })

  it('of checks that go to another server are asked for in any family, and filled in', () => {
    const use = { ...CHECK, host: 'other.example' }
    const site = config([service('web', { reals: [{ ...real('fd00::1'), checks: [use, CHECK] }] })])
    assert.deepEqual([...namesOf(site).keys()], ['other.example'])
    const addressOf = (names: ReadonlyMap<string, string>) =>
      withNames(site, names).config.services[0]?.reals[0]?.checks.map(({ address }) => address?.text ?? null)
    assert.deepEqual(addressOf(new Map()), [null, null])
    assert.deepEqual(addressOf(new Map([['other.example', 'fd00::9']])), ['fd00::9', null])
  })

  it('leave a configuration of literals as it is', () => {
    const site = config([service('web', { reals: [real('fd00::1')] })])
    assert.equal(withNames(site, new Map()).config, site)
  })

  it('resolve, and keep the last good address where they do not', async () => {
    const wishes = new Map([
      ['localhost', { host: 'localhost', family: null }],
      ['gone.invalid ipv6', { host: 'gone.invalid', family: 'ipv6' as const }],
      ['never.invalid ipv6', { host: 'never.invalid', family: 'ipv6' as const }],
    ])
    const { names, failures } = await resolveNames(wishes, new Map([['gone.invalid ipv6', 'fd00::9']]))
    assert.match(names.get('localhost') ?? '', /^(::1|127\.0\.0\.1)$/)
    assert.equal(names.get('gone.invalid ipv6'), 'fd00::9')
    assert.equal(names.has('never.invalid ipv6'), false)
    assert.equal(failures.length, 2)
    assert.match(failures[0] ?? '', /^gone\.invalid does not resolve \(E/)
  })
})
