import assert from 'node:assert/strict'
import { sameValue, sysctlName, sysctlParts } from '../../../src/core/sysctl.js'

describe('sysctl: names', () => {
  for (const [name, parts] of [
    ['net.ipv4.vs.conntrack', ['net', 'ipv4', 'vs', 'conntrack']],
    ['net/ipv4/vs/conntrack', ['net', 'ipv4', 'vs', 'conntrack']],
    ['net.ipv4.conf.eth0/100.rp_filter', ['net', 'ipv4', 'conf', 'eth0.100', 'rp_filter']],
    ['net/ipv4/conf/eth0.100/rp_filter', ['net', 'ipv4', 'conf', 'eth0.100', 'rp_filter']],
  ] as const)
    it(`${name} is a name`, () => {
      assert.deepEqual(sysctlParts(name), parts)
      assert.deepEqual(sysctlParts(sysctlName(parts)), parts)
    })

  for (const name of [
    '',
    'net',
    'net.',
    'net..ip_forward',
    'kernel.panic',
    'net/../kernel/panic',
    'net.//.kernel',
    'net.ipv4./etc/passwd',
    'net/ipv4/.hidden',
    '/proc/sys/net/ipv4/ip_forward',
    'network.x',
    'net.ipv4.ip forward',
    'net.ipv4.a\0b',
  ])
    it(`${JSON.stringify(name)} is none`, () => assert.equal(sysctlParts(name), null))
})

describe('sysctl: values', () => {
  it('are the same with any blanks between them', () => {
    assert.ok(sameValue('0\t2147483647\n', '0 2147483647'))
    assert.ok(!sameValue('1', '0'))
  })
})
