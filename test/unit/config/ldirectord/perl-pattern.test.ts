/** Perl's patterns in JavaScript's words. */
import assert from 'node:assert/strict'
import { perlPattern } from '../../../../src/config/ldirectord/perl-pattern.js'
import { readPattern } from '../../../../src/search/perl-flags.js'

/** A Perl pattern, what it matches and what it does not. */
const PATTERNS: readonly [source: string, matches: readonly string[], others: readonly string[]][] = [
  ['Test Page', ['a Test Page'], ['test page']],
  ['(?i)test page', ['a Test Page'], ['tests page']],
  ['^OK$', ['OK', 'OK\n'], ['OK\n\n', 'xOK', 'OK\nx']],
  ['a\\$b', ['a$b'], ['a']],
  ['[$]', ['$'], ['a']],
  ['\\AOK\\z', ['OK'], ['OK\n', 'x\nOK']],
  ['OK\\Z', ['OK', 'OK\n'], ['OKx']],
  ['[[:digit:]]+x', ['12x'], ['ax']],
  ['[^[:space:][:punct:]]', ['a'], [' -']],
  ['a\\hb', ['a b', 'a\tb'], ['a\nb']],
  ['\\x{e9}', ['é'], ['e']],
  ['\\Qa.b\\E.', ['a.bc'], ['axbc']],
  ['\\Qa.b', ['a.b'], ['axb']],
  ['a++b', ['aab'], ['b']],
  ['(?>a|ab)c', ['ac'], ['b']],
  ['(?P<name>x)y', ['xy'], ['x']],
  ['a(?#a remark)b', ['ab'], ['a']],
  ['[]x]', [']', 'x'], ['y']],
  ['[^]x]', ['y'], [']x']],
  ['x{2}', ['xx'], ['x']],
  ['a{', ['a{'], ['a']],
]

describe('perl-pattern', () => {
  for (const [source, matches, others] of PATTERNS)
    it(`matches the same: ${source}`, () => {
      const pattern = readPattern(perlPattern(source))
      const regexp = new RegExp(pattern.source, pattern.flags)
      for (const text of matches) assert.match(text, regexp)
      for (const text of others) assert.doesNotMatch(text, regexp)
    })

  it('stays as it is where both languages agree', () => {
    for (const source of ['Test\\s+Page', 'OK web[0-9]+', '192\\.0\\.2\\.1', '(a|b)*?c', 'a\\.b\\"c', '^up'])
      assert.equal(perlPattern(source), source)
  })

  it('keeps the end of a line where it is matched line by line', () => {
    assert.equal(perlPattern('OK$', { multiline: true }), 'OK$')
  })
})
