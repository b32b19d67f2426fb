import assert from 'node:assert/strict'
import type { Family } from '../../../src/core/address.js'
import { type Answers, choose, isAwaited, troubleOf } from '../../../src/names/choice.js'
import type { Answer } from '../../../src/names/lookup.js'
import type { LookupRequest } from '../../../src/names/lookup-requests.js'

/** `ipv6:`, then addresses, a code, or nothing for an answer that is awaited. */
function answers(ipv6: string, ipv4: string): Answers {
  const entries: [Family, Answer][] = []
  const add = (family: Family, text: string) => {
    if (text) entries.push([family, /^E[A-Z]+$/.test(text) ? { code: text } : { addresses: text.split(' ') }])
  }
  add('ipv6', ipv6)
  add('ipv4', ipv4)
  return new Map(entries)
}

const strict = { host: 'app', family: 'ipv6', other: 'never' } as const
const any = { ...strict, other: 'always' } as const
const lasting = { ...strict, other: 'at first' } as const

describe('choice: the address of a name', () => {
  const cases: [string, LookupRequest, string | null, string, string, string | null][] = [
    ['is the first', strict, null, 'fd00::1 fd00::2', '', 'fd00::1'],
    ['stays while the answer has it', strict, 'fd00::2', 'fd00::1 fd00::2', '', 'fd00::2'],
    ['is chosen anew when it is gone', strict, 'fd00::3', 'fd00::1 fd00::2', '', 'fd00::1'],
    ['stays when the server is silent', strict, 'fd00::3', 'ETIMEOUT', '', 'fd00::3'],
    ['stays when the name is gone', strict, 'fd00::3', 'ENOTFOUND', 'ENOTFOUND', 'fd00::3'],
    ['stays when only the other family is left', strict, 'fd00::3', 'ENODATA', '192.0.2.1', 'fd00::3'],
    ['is none of the other family', strict, null, 'ENODATA', '192.0.2.1', null],
    ['waits for the family that is wanted more', any, null, '', '192.0.2.1', null],
    ['is of the other family where there is none', any, null, 'ENODATA', '192.0.2.1', '192.0.2.1'],
    ['is of the other family where nobody answers', any, null, 'ETIMEOUT', '192.0.2.1', '192.0.2.1'],
    ['of the other family stays while it is there', any, '192.0.2.1', 'fd00::1', '192.0.2.1', '192.0.2.1'],
    ['of the other family stays until that is answered', any, '192.0.2.1', 'fd00::1', '', '192.0.2.1'],
    ['of the other family goes when it is gone', any, '192.0.2.1', 'fd00::1', 'ENODATA', 'fd00::1'],
    ['goes to the other family when its own has none', any, 'fd00::1', 'ENODATA', '192.0.2.1', '192.0.2.1'],
    ['stays when its own family is silent', any, 'fd00::1', 'ETIMEOUT', '192.0.2.1', 'fd00::1'],
  ]
  for (const [what, request, current, ipv6, ipv4, expected] of cases)
    it(what, () => assert.equal(choose(request, current, answers(ipv6, ipv4)), expected))
})

describe('choice: the virtual address of a name without a family', () => {
  const cases: [string, string | null, string, string, string | null][] = [
    ['is IPv6 where there is one', null, 'fd00::1', '192.0.2.1', 'fd00::1'],
    ['is IPv4 where there is no IPv6', null, 'ENODATA', '192.0.2.1', '192.0.2.1'],
    ['waits for an answer about IPv6', null, '', '192.0.2.1', null],
    ['is not decided by a silence about IPv6', null, 'ETIMEOUT', '192.0.2.1', null],
    ['stays IPv4 when IPv6 appears', '192.0.2.1', 'fd00::1', '192.0.2.1', '192.0.2.1'],
    ['stays IPv4 when only IPv6 is left', '192.0.2.1', 'fd00::1', 'ENODATA', '192.0.2.1'],
    ['stays IPv6 when only IPv4 is left', 'fd00::1', 'ENODATA', '192.0.2.1', 'fd00::1'],
    ['stays IPv6 when the name is gone', 'fd00::1', 'ENOTFOUND', 'ENOTFOUND', 'fd00::1'],
    ['stays IPv6 when the server is silent about it', 'fd00::1', 'ETIMEOUT', '192.0.2.1', 'fd00::1'],
    ['moves within IPv6', 'fd00::1', 'fd00::2', '192.0.2.1', 'fd00::2'],
    ['moves within IPv4', '192.0.2.1', 'fd00::2', '192.0.2.2', '192.0.2.2'],
  ]
  for (const [what, current, ipv6, ipv4, expected] of cases)
    it(what, () => assert.equal(choose(lasting, current, answers(ipv6, ipv4)), expected))

  it('is IPv4 if there is no answer about IPv6 for a long time', () =>
    assert.equal(choose(lasting, null, answers('ESERVFAIL', '192.0.2.1'), true), '192.0.2.1'))

  const said: [string, string, string, string | null][] = [
    ['fd00::1', 'fd00::1', '192.0.2.1', null],
    ['fd00::1', '', '192.0.2.1', null],
    [
      'fd00::1',
      'ENODATA',
      '192.0.2.1',
      'app has no IPv6 address; it has 192.0.2.1; fd00::1 stays in use; to use the other one, set family: ipv4',
    ],
    [
      '192.0.2.1',
      'fd00::1',
      'ENODATA',
      'app has no IPv4 address; it has fd00::1; 192.0.2.1 stays in use; to use the other one, set family: ipv6',
    ],
    [
      'fd00::1',
      'ENOTFOUND',
      'ENOTFOUND',
      'app does not resolve to an IPv6 address: there is no such name (ENOTFOUND); fd00::1 stays in use',
    ],
  ]
  for (const [current, ipv6, ipv4, expected] of said)
    it(`${current} with "${ipv6}" and "${ipv4}": ${expected ?? 'nothing is said'}`, () =>
      assert.equal(troubleOf(lasting, answers(ipv6, ipv4), current), expected))
})

describe('choice: the message about a name', () => {
  const cases: [LookupRequest, string, string, string | null][] = [
    [strict, 'fd00::1', '', null],
    [any, '', '192.0.2.1', null],
    [strict, '', '', 'app is being looked up'],
    [strict, '', '192.0.2.1', 'app has no IPv6 address so far; it has 192.0.2.1'],
    [strict, 'ENODATA', '', 'app is being looked up'],
    [strict, 'ENODATA', '127.0.0.1', 'app has no IPv6 address; it has 127.0.0.1'],
    [strict, 'ENOTFOUND', '127.0.0.1 127.0.0.2', 'app has no IPv6 address; it has 127.0.0.1, 127.0.0.2'],
    [
      strict,
      'ENOTFOUND',
      'ENOTFOUND',
      'app does not resolve to an IPv6 address: there is no such name (ENOTFOUND)',
    ],
    [
      strict,
      'ETIMEOUT',
      '127.0.0.1',
      'app does not resolve to an IPv6 address: the name servers do not answer (ETIMEOUT); it has 127.0.0.1',
    ],
    [any, 'ENODATA', 'ESERVFAIL', 'app does not resolve: the name server failed (ESERVFAIL)'],
    [any, 'EODD', 'ENODATA', 'app does not resolve: EODD'],
    [
      lasting,
      'ETIMEOUT',
      '192.0.2.1',
      'app does not resolve to an IPv6 address: the name servers do not answer (ETIMEOUT); it has 192.0.2.1',
    ],
  ]
  for (const [request, ipv6, ipv4, expected] of cases)
    it(`${expected ?? 'nothing'}, after "${ipv6}" and "${ipv4}"`, () => {
      assert.equal(troubleOf(request, answers(ipv6, ipv4)), expected)
      if (/looked up|so far/.test(expected ?? '')) assert.equal(isAwaited(request, answers(ipv6, ipv4)), true)
      else assert.equal(expected === null || !isAwaited(request, answers(ipv6, ipv4)), true)
    })
})
