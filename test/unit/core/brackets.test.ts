import assert from 'node:assert/strict'
import {
  bracketed,
  endpoint,
  literalAddress,
  parseAddress,
  withoutBrackets,
} from '../../../src/core/address.js'
import { hostPort } from '../../../src/core/display-names.js'
import { keyOfMember, keyOfReal } from '../../../src/core/model.js'

describe('bracketed: hosts before a port', () => {
  const HOSTS: readonly [host: string, before: string][] = [
    ['2001:db8::1', '[2001:db8::1]'],
    ['fe80::1%eth0', '[fe80::1%eth0]'],
    ['192.0.2.1', '192.0.2.1'],
    ['web1.example', 'web1.example'],
  ]
  for (const [host, before] of HOSTS)
    it(`writes ${host} as ${before}, everywhere`, () => {
      const address = parseAddress(host)
      assert.equal(bracketed(address ?? host), before)
      assert.deepEqual(literalAddress(host), address)
      assert.equal(withoutBrackets(before), host)
      assert.equal(endpoint(host, 80), `${before}:80`)
      assert.equal(hostPort({ host, port: 80 }), `${before}:80`)
      assert.equal(keyOfMember({ name: 'web' }, { host, port: 80 }), `web ${before}:80`)
      if (address) assert.equal(keyOfReal({ address, port: 80 }), `${before}:80`)
    })
})
