import assert from 'node:assert/strict'
import type { Family } from '../../../src/core/address.js'
import type { ResolvedService } from '../../../src/core/model.js'
import { handedOn, requestsOf } from '../../../src/names/lookup-requests.js'
import { config, named, real, service, serviceId, use } from '../../support/tables.js'

const NOTHING: ReadonlyMap<string, string> = new Map()

describe('lookup-requests: names of a configuration', () => {
  it('are requested in the family of their service, also with tunnels, unless a server sets its own', () => {
    const site = config([
      service('web', {
        ...named('vip', 'ipv6'),
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
    const site = config([service('web', { ...named('vip'), reals: [real('www1')] })])
    const keys = (names: Record<string, string>) => [
      ...requestsOf(site, new Map(Object.entries(names))).keys(),
    ]
    assert.deepEqual(keys({}), ['vip', 'www1'])
    assert.deepEqual(keys({ vip: '2001:db8::80' }), ['vip', 'www1 ipv6'])
    assert.deepEqual(keys({ vip: '192.0.2.80' }), ['vip', 'www1 ipv4'])
  })

  it('of checks with their own address are requested in the family of the real server first', () => {
    const other = { ...use('connect'), host: 'other.example' }
    const site = config([
      service('web', { reals: [real('fd00::1', { checks: [other, use('connect')] })] }),
      service('old', { id: serviceId('192.0.2.80'), reals: [real('192.0.2.1', { checks: [other] })] }),
    ])
    assert.deepEqual(
      [...requestsOf(site, NOTHING).keys()],
      ['other.example ipv6 first', 'other.example ipv4 first'],
    )
  })

  it('keep their addresses when a configuration requests them differently, if the family matches', () => {
    const web = (family: Family | null, more: Partial<ResolvedService> = {}) =>
      service('web', { ...named('vip', family), ...more })
    const reals = [real('www1')]
    const known = { vip: '2001:db8::80', 'www1 ipv6': 'fd00::1', 'old ipv6': 'fd00::8' }
    const next = (names: Record<string, string>, ...services: readonly ResolvedService[]) =>
      Object.fromEntries(handedOn(new Map(Object.entries(names)), config(services)))
    assert.deepEqual(next(known, web(null, { reals })), { vip: '2001:db8::80', 'www1 ipv6': 'fd00::1' })
    assert.deepEqual(next(known, web('ipv6', { reals })), {
      'vip ipv6': '2001:db8::80',
      'www1 ipv6': 'fd00::1',
    })
    assert.deepEqual(next(known, web('ipv4', { reals })), {})
    assert.deepEqual(next({ 'vip ipv4': '192.0.2.80' }, web(null)), { vip: '192.0.2.80' })
    // The address of another service is not taken over.
    const other = service('old', named('vip', 'ipv4'))
    assert.deepEqual(next({ 'vip ipv4': '192.0.2.80' }, other, web(null)), { 'vip ipv4': '192.0.2.80' })
  })
})
