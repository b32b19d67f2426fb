import assert from 'node:assert/strict'
import { check } from '../../../checks/ping.js'
import { parseOptions } from '../../support/checks/options.js'
import { targetOf } from '../../support/probe.js'

describe('ping', () => {
  it('asks the target itself, of either family and with its zone', () => {
    for (const host of ['::1', '127.0.0.1', 'fe80::1%lo']) {
      const { address } = targetOf({ host, port: 0 })
      const asked = check.probe?.(targetOf({ host, port: 0 }), parseOptions(check, {}))
      assert.deepEqual(asked, { kind: 'icmp', address, size: 56, count: 3 })
    }
  })

  it('refuses sizes and counts that cannot be sent', () => {
    for (const wrong of [{ size: 15 }, { size: 70_000 }, { count: 0 }, { count: 21 }])
      assert.throws(() => parseOptions(check, wrong))
  })
})
