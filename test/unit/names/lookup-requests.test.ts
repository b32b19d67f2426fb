import assert from 'node:assert/strict'
import type { Service } from '../../../src/core/model.js'
import { handedOn, requestsOf, withNames } from '../../../src/names/lookup-requests.js'
import { config, real, service, serviceId, use } from '../../support/tables.js'

const NAMED: Partial<Service> = {
  host: 'vip',
  id: null,
  unresolved: { protocol: 'tcp', port: 80, family: 'ipv6' },
}
const CHECK = use('connect')
const NOTHING: ReadonlyMap<string, string> = new Map()

describe('lookup-requests: names of a configuration', () => {
  it('are asked for in the family of their service, tunnels too, unless a server says otherwise', () => {
    const site = config([
      service('web', {
        ...NAMED,
        reals: [
          real('www1'),
          real('www2', { forwarding: 'ipip' }),
          { ...real('www3', { forwarding: 'ipip' }), family: 'ipv4' },
          real('fd00::1'),
        ],
      }),
      service('other', { reals: [real('www1')], fallback: real('sorry') }),
      service('old', { id: serviceId('192.0.2.80'), reals: [real('www1')] }),
    ])
    const requests = [...requestsOf(site, NOTHING)]
    assert.deepEqual(
      requests.map(([key, { services }]) => [key, services.join()]),
      [
        ['vip ipv6', 'web'],
        ['www1 ipv6', 'web,other'],
        ['www2 ipv6', 'web'],
        ['www3 ipv4', 'web'],
        ['sorry ipv6', 'other'],
        ['www1 ipv4', 'old'],
      ],
    )
  })

  it('follow the family of a virtual service that may have either', () => {
    const unresolved = { protocol: 'tcp', port: 80, family: null } as const
    const site = config([service('web', { host: 'vip', id: null, unresolved, reals: [real('www1')] })])
    const keys = (names: Record<string, string>) => [
      ...requestsOf(site, new Map(Object.entries(names))).keys(),
    ]
    assert.deepEqual(keys({}), ['vip', 'www1'])
    assert.deepEqual(keys({ vip: '2001:db8::80' }), ['vip', 'www1 ipv6'])
    assert.deepEqual(keys({ vip: '192.0.2.80' }), ['vip', 'www1 ipv4'])
    const names = new Map([
      ['vip', '192.0.2.80'],
      ['www1 ipv4', '192.0.2.1'],
      ['www1', 'fd00::1'],
    ])
    assert.equal(withNames(site, names).config.services[0]?.reals[0]?.address?.text, '192.0.2.1')
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

  it('of checks that go elsewhere are asked for in the family of the server first', () => {
    const use = { ...CHECK, host: 'other.example' }
    const site = config([
      service('web', { reals: [{ ...real('fd00::1'), checks: [use, CHECK] }] }),
      service('old', { id: serviceId('192.0.2.80'), reals: [{ ...real('192.0.2.1'), checks: [use] }] }),
    ])
    const key = 'other.example ipv4 first'
    assert.deepEqual([...requestsOf(site, NOTHING).keys()], ['other.example ipv6 first', key])
    const addressOf = (names: ReadonlyMap<string, string>) =>
      withNames(site, names).config.services.map(({ reals }) => reals[0]?.checks[0]?.address?.text ?? null)
    assert.deepEqual(addressOf(NOTHING), [null, null])
    const names = new Map([
      ['other.example ipv6 first', 'fd00::9'],
      [key, '192.0.2.9'],
    ])
    assert.deepEqual(addressOf(names), ['fd00::9', '192.0.2.9'])
  })

  it('keep their addresses when a configuration wants them in another way, where the family fits', () => {
    const named = (family: 'ipv6' | 'ipv4' | null, more: Partial<Service> = {}) =>
      service('web', { host: 'vip', id: null, unresolved: { protocol: 'tcp', port: 80, family }, ...more })
    const reals = [real('www1')]
    const known = { vip: '2001:db8::80', 'www1 ipv6': 'fd00::1', 'old ipv6': 'fd00::8' }
    const next = (names: Record<string, string>, ...services: readonly Service[]) =>
      Object.fromEntries(handedOn(new Map(Object.entries(names)), config(services)))
    assert.deepEqual(next(known, named(null, { reals })), { vip: '2001:db8::80', 'www1 ipv6': 'fd00::1' })
    assert.deepEqual(next(known, named('ipv6', { reals })), {
      'vip ipv6': '2001:db8::80',
      'www1 ipv6': 'fd00::1',
    })
    assert.deepEqual(next(known, named('ipv4', { reals })), {})
    assert.deepEqual(next({ 'vip ipv4': '192.0.2.80' }, named(null)), { vip: '192.0.2.80' })
    // The address of another service is not taken over.
    const other = service('old', {
      host: 'vip',
      id: null,
      unresolved: { protocol: 'tcp', port: 80, family: 'ipv4' },
    })
    assert.deepEqual(next({ 'vip ipv4': '192.0.2.80' }, other, named(null)), { 'vip ipv4': '192.0.2.80' })
  })

  it('leave a configuration of literals as it is', () => {
    const site = config([service('web', { reals: [real('fd00::1')] })])
    assert.equal(withNames(site, NOTHING).config, site)
  })
})
