import assert from 'node:assert/strict'
import type { Config } from '../../../src/core/model.js'
import { jobsOf } from '../../../src/health/jobs.js'
import { resolveConfig } from '../../../src/names/resolve-config.js'
import { config, named, real, service, serviceId, use } from '../../support/tables.js'

const NOTHING: ReadonlyMap<string, string> = new Map()

describe('resolve-config: a configuration with addresses', () => {
  it('has an address for each name that is known, and null for the others', () => {
    const site = config([
      service('web', {
        ...named('vip', 'ipv6'),
        reals: [real('www1'), real('www2')],
        fallback: real('sorry'),
      }),
    ])
    const names = new Map([
      ['vip ipv6', '2001:db8::80'],
      ['www1 ipv6', 'fd00::1'],
    ])
    const [web] = resolveConfig(site, names).config.services
    assert.deepEqual(
      [
        web?.id?.kind === 'address' && web.id.address.text,
        web?.reals.map(r => r.address?.text ?? null),
        web?.fallback?.address,
      ],
      ['2001:db8::80', ['fd00::1', null], null],
    )
  })

  it('is required by its type: a configuration without addresses does not compile', () => {
    const read: Config = config([])
    // @ts-expect-error It has no addresses.
    const jobs = jobsOf(read, new Map())
    assert.equal(jobs.jobs.size, 0)
  })

  it('resolves servers in the family of the resolved virtual service', () => {
    const site = config([service('web', { ...named('vip'), reals: [real('www1')] })])
    const names = new Map([
      ['vip', '192.0.2.80'],
      ['www1 ipv4', '192.0.2.1'],
      ['www1', 'fd00::1'],
    ])
    assert.equal(resolveConfig(site, names).config.services[0]?.reals[0]?.address?.text, '192.0.2.1')
  })

  it('sends checks to their real server, or to the address of their own name', () => {
    const other = { ...use('connect'), host: 'other.example' }
    const literal = { ...use('connect'), host: 'fd00::8' }
    const site = config([
      service('web', { reals: [real('fd00::1', { checks: [other, literal, use('connect')] })] }),
      service('old', {
        id: serviceId('192.0.2.80'),
        reals: [real('192.0.2.1', { checks: [other, use('connect')] })],
      }),
    ])
    const addressesOf = (names: ReadonlyMap<string, string>) =>
      resolveConfig(site, names).config.services.map(({ reals }) =>
        reals[0]?.checks.map(({ address }) => address?.text ?? null),
      )
    assert.deepEqual(addressesOf(NOTHING), [
      [null, 'fd00::8', 'fd00::1'],
      [null, '192.0.2.1'],
    ])
    const names = new Map([
      ['other.example ipv6 first', 'fd00::9'],
      ['other.example ipv4 first', '192.0.2.9'],
    ])
    assert.deepEqual(addressesOf(names), [
      ['fd00::9', 'fd00::8', 'fd00::1'],
      ['192.0.2.9', '192.0.2.1'],
    ])
  })

  it('omits and reports a service that resolves to the address of another service', () => {
    const site = config([
      service('first', named('a', 'ipv6')),
      service('second', named('b', 'ipv6')),
      service('third', { id: serviceId('2001:db8::81') }),
    ])
    const idsAt = (a: string, b: string) => {
      const names = new Map([
        ['a ipv6', a],
        ['b ipv6', b],
      ])
      const { config: resolved, clashes } = resolveConfig(site, names)
      return [resolved.services.map(({ id }) => id !== null), clashes]
    }
    assert.deepEqual(idsAt('2001:db8::1', '2001:db8::2'), [[true, true, true], []])
    assert.deepEqual(idsAt('2001:db8::1', '2001:db8::1'), [
      [true, false, true],
      ['"second" is left out: b resolves to tcp [2001:db8::1]:80, which is "first"'],
    ])
    assert.deepEqual(idsAt('2001:db8::81', '2001:db8::2'), [
      [false, true, true],
      ['"first" is left out: a resolves to tcp [2001:db8::81]:80, which is "third"'],
    ])
  })
})
