import assert from 'node:assert/strict'
import type { ResolvedConfig, ResolvedService } from '../../../src/core/model.js'
import { servicesToWrite } from '../../../src/director/services-to-write.js'
import { config, named, real, service, serviceId, use } from '../../support/tables.js'

const A = real('fd00:1::a')
const B = real('fd00:1::b')
const HEAVIER = { ...A, attributes: { ...A.attributes, weight: 9 } }
const WEB = service('web', { reals: [A, B] })
const MAIL = service('mail', { id: serviceId('2001:db8::25', 25), reals: [real('fd00:1::c')] })
const SITE = config([WEB, MAIL])

const withWeb = (parts: Partial<ResolvedService>) => config([{ ...WEB, ...parts }, MAIL])

describe('services-to-write: what a new configuration changes in the table', () => {
  it('returns the services that have changed', () => {
    assert.deepEqual(servicesToWrite(SITE, withWeb({ reals: [HEAVIER, B] })), ['web'])
    assert.deepEqual(servicesToWrite(SITE, withWeb({ reals: [B] })), ['web'])
    assert.deepEqual(servicesToWrite(SITE, withWeb({ quiescent: true })), ['web'])
  })

  const mark = service('mark', { id: { kind: 'fwmark', fwmark: 1, family: 'ipv6' }, reals: [A] })
  const through = { ...A, checks: [{ ...use('on'), address: A.address, path: 'service' as const }] }
  const many = Array.from({ length: 501 }, (_, i) => real(`fd00:1::${(i + 1).toString(16)}`))
  const WHOLE: Readonly<Record<string, readonly [ResolvedConfig, ResolvedConfig]>> = {
    'nothing has changed': [SITE, config([WEB, MAIL])],
    'a setting has changed': [
      SITE,
      { ...withWeb({ reals: [HEAVIER, B] }), settings: { ...SITE.settings, resync: 1000 } },
    ],
    'a service is gone': [SITE, config([{ ...WEB, reals: [HEAVIER, B] }])],
    'a service comes': [config([WEB]), config([{ ...WEB, reals: [HEAVIER, B] }, MAIL])],
    'the address of a service has changed': [SITE, withWeb({ id: serviceId('2001:db8::81') })],
    'a server comes': [SITE, withWeb({ reals: [A, B, real('fd00:1::d')] })],
    'a service has a firewall mark': [config([mark]), config([{ ...mark, reals: [HEAVIER] }])],
    'a check goes through the path of its service': [withWeb({ reals: [through] }), withWeb({ reals: [A] })],
    'a name is resolved': [
      config([WEB, service('name', named('web.example'))]),
      config([{ ...WEB, reals: [HEAVIER, B] }, service('name', named('web.example'))]),
    ],
    'too much has changed for one turn': [
      withWeb({ reals: many }),
      withWeb({ reals: many, quiescent: true }),
    ],
  }
  for (const [when, [before, next]] of Object.entries(WHOLE))
    it(`returns null if ${when}`, () => {
      assert.equal(servicesToWrite(before, next), null)
    })
})
