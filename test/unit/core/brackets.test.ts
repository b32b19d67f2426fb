import assert from 'node:assert/strict'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
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

  it('before a port take no more memory than their characters: many tables have such keys', () => {
    const many = 50_000
    const hosts = Array.from({ length: many }, (_, i) => ['2001:db8::', i.toString(16)].join(''))
    const before = usedHeap()
    const keys = hosts.map(host => endpoint(host, 80))
    const bytesEach = (usedHeap() - before) / many
    assert.equal(keys.length, many)
    assert.ok(bytesEach < 90, `${bytesEach} bytes`)
  })
})

/** Bytes, without what is no longer used. */
function usedHeap(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}
