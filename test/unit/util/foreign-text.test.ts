import assert from 'node:assert/strict'
import fc from 'fast-check'
import { harmless } from '../../../src/util/foreign-text.js'

describe('foreign-text', () => {
  it('keeps harmless text unchanged', () => {
    for (const text of ['', '200 OK, 12 bytes', 'Grüße, 世界 😀', 'é'.repeat(512)])
      assert.equal(harmless(text), text)
  })

  it('removes characters that control a terminal, change the direction or are invisible', () => {
    const cases: [string, string][] = [
      ['a\x1b[2Jb\x07', 'a·[2Jb·'],
      ['one\r\n  two\n', 'one two'],
      ['x\u009b31my', 'x·31my'],
      ['\u202egnp\u2028exe\u2066', '·gnp·exe·'],
      ['a\u200bb\ufeff\ud800', 'a·b··'],
      ['a\tb\0', 'a·b·'],
    ]
    for (const [text, expected] of cases) assert.equal(harmless(text), expected)
  })

  it('is cut between characters', () => {
    assert.equal(harmless('x'.repeat(60_000)), `${'x'.repeat(511)}…`)
    assert.equal(harmless(`${'x'.repeat(510)}😀yz`), `${'x'.repeat(510)}…`)
    assert.equal(harmless(' '.repeat(60_000)), '…')
  })

  it('never exceeds the limit and never contains a control character, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 1500 }), text => {
        const line = harmless(text)
        assert(line.length <= 512)
        assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      }),
      { numRuns: 300 },
    )
  })
})
