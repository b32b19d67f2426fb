import assert from 'node:assert/strict'
import type { Judge, Match, ProbeSpec } from '../../../src/check/probe-spec.js'
import { isBounded } from '../../../src/probe/bounded.js'
import { address } from '../../support/tables.js'

function tcp(judge: Judge): ProbeSpec {
  return {
    kind: 'tcp',
    address: address('::1'),
    port: 1,
    send: new Uint8Array(),
    end: false,
    reset: false,
    judge,
  }
}

function matching(match: Match): ProbeSpec {
  return tcp({ kind: 'match', match, limit: 16_777_216 })
}

describe('isBounded', () => {
  it('keeps probes without a match, with plain text and with harmless expressions', () => {
    assert(isBounded({ kind: 'icmp', address: address('::1'), size: 56, count: 3 }))
    assert(isBounded(tcp({ kind: 'connected' })))
    assert(isBounded(tcp({ kind: 'any' })))
    assert(isBounded(tcp({ kind: 'http', method: 'GET', status: [[200, 299]], match: null, limit: 1 })))
    assert(isBounded(matching({ kind: 'text', text: '(a+)+$' })))
    for (const source of [
      'It works',
      '<html>(.|\\s)*OK',
      '(a|a)*b',
      '(a?){30}a{30}',
      '^\\s*\\d{3} .*ready',
      'OK(?=\\n?$)',
    ])
      assert(isBounded(matching({ kind: 'regexp', source, flags: 'i' })), source)
  })

  it('sends away those whose expression may take long', () => {
    for (const source of ['(a+)\\1', '(?!x+y)a', '(x|y)*x(x|y){12}', '(?:a{1,1000}){1000}', '(?<n>a)\\k<n>'])
      assert(!isBounded(matching({ kind: 'regexp', source, flags: '' })), source)
  })
})
