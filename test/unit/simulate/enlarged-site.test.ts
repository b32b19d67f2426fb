import assert from 'node:assert/strict'
import fc from 'fast-check'
import { keyOfService, type ResolvedConfig } from '../../../src/core/model.js'
import { countReals, enlarged } from '../../../src/simulate/enlarged-site.js'
import { config, named, real, service, serviceId } from '../../support/tables.js'

const SITE = config([
  service('web', { reals: [real('fd00::1'), real('fd00::2'), real('three.example')] }),
  service('mail', { id: serviceId('192.0.2.80', 25), reals: [real('192.0.2.1'), real('192.0.2.2')] }),
  service('other', { ...named('www.example'), reals: [real('fd00::1')] }),
  service('marked', { id: { kind: 'fwmark', fwmark: 1, family: 'ipv6' }, reals: [real('fd00::4')] }),
])

const idsOf = ({ services }: ResolvedConfig) => services.map(({ id }) => id && keyOfService(id))

describe('enlarged', () => {
  it('has as many real servers as asked for, each service with a name and an address of its own', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), reals => {
        const site = enlarged(SITE, reals)
        assert.equal(countReals(site.services), reals)
        const ids = idsOf(site)
        assert.ok(!ids.includes(null))
        assert.equal(new Set(ids).size, site.services.length)
        assert.equal(new Set(site.services.map(({ name }) => name)).size, site.services.length)
      }),
    )
  })

  it('leaves a site as it is, but for names, which get an address', () => {
    const site = enlarged(SITE, null)
    const addresses = (one: ResolvedConfig) =>
      one.services.map(({ reals }) => reals.map(({ address }) => address?.text ?? null))
    assert.deepEqual(addresses(site), [
      ['fd00::1', 'fd00::2', 'fdff:ffff::1'],
      ['192.0.2.1', '192.0.2.2'],
      ['fd00::1'],
      ['fd00::4'],
    ])
    assert.deepEqual(idsOf(site), [
      'tcp [2001:db8::80]:80',
      'tcp 192.0.2.80:25',
      'tcp [fdff:ffff::2]:80',
      'fwmark 1 ipv6',
    ])
  })

  it('keeps families, and that two services of a copy share a server', () => {
    const { services } = enlarged(SITE, 14)
    const [web, mail, other, marked] = services.slice(4)
    assert.deepEqual(
      [web?.name, mail?.name, other?.name, marked?.name],
      ['web~2', 'mail~2', 'other~2', 'marked~2'],
    )
    assert.deepEqual(web?.reals[0]?.address, other?.reals[0]?.address)
    assert.notDeepEqual(web?.reals[0]?.address, services[0]?.reals[0]?.address)
    assert.equal(mail?.reals[0]?.address?.family, 'ipv4')
    assert.equal(web?.reals[0]?.checks[0]?.address?.text, web?.reals[0]?.address?.text)
    assert.equal(marked?.id?.kind, 'fwmark')
  })

  it('has no servers if the site has none', () => {
    assert.equal(countReals(enlarged(config([service('web')]), 10).services), 0)
  })
})
