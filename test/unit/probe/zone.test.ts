import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { runCheck } from '../../../src/check/run-code.js'
import { groundedBy } from '../../../src/check/zone.js'
import { parseAddress } from '../../../src/core/address.js'
import { runProbe } from '../../../src/probe/start-probe.js'
import { passed } from '../../support/tables.js'

const at = (text: string) => parseAddress(text) ?? assert.fail(text)

describe('zone: an address with a zone', () => {
  it('can be asked where its interface is up, and always without one', () => {
    const [name] = Object.keys(networkInterfaces())
    assert.equal(groundedBy(at(`fe80::1%${name}`)), null)
    assert.equal(groundedBy(at('fd00::1')), null)
  })

  for (const zone of ['nosuch0', '4000'])
    it(`gives no verdict where this machine has no interface ${zone}, in data and in code`, async () => {
      const address = at(`fe80::1%${zone}`)
      const target = {
        address,
        port: 80,
        real: { address, port: 80, weight: 1 },
        service: { name: 'web', address: null, port: 0, protocol: 'fwm' as const, fwmark: 1 },
      }
      const check = { name: 'ask', summary: '', options: () => ({}), run: async () => passed() }
      const results = [
        await runProbe({ kind: 'icmp', address, size: 16, count: 1 }, 500),
        await runCheck({ check, target, options: {} }, 500),
      ]
      for (const result of results) {
        assert.deepEqual([result.ok, result.reason], [null, 'no-verdict'])
        assert.match(result.detail, new RegExp(`no network interface ${zone}`))
      }
    })
})
