import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { setFlagsFromString } from 'node:v8'
import { createContext, Script } from 'node:vm'
import fc from 'fast-check'
import { perlPattern } from '../../../src/config/ldirectord/perl-pattern.js'
import { type Search, searchRegExp, searchText } from '../../../src/search/search.js'
import { flags, heaps, piecesOf, regExpOf, sources, texts } from '../../support/search/regexps.js'

/** Searches the bytes in pieces, each overwritten afterwards, as the engine's shared buffer is. */
function inPieces(search: Search, bytes: Buffer, lengths: readonly number[]): boolean | null {
  const scan = search.scan()
  for (const piece of piecesOf(bytes, lengths)) {
    const shared = Buffer.concat([Buffer.from('##'), piece, Buffer.from('#')])
    scan.push(shared, 2, 2 + piece.length)
    shared.fill('#')
  }
  return scan.end()
}

const room = { pattern: /x/, text: '' }
const context = createContext(room)
const script = new Script('pattern.test(text)')

/** Null where V8 itself takes too long. */
function byV8(pattern: RegExp, bytes: Buffer): boolean | null {
  const text = bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1')
  if (!/[*+{]/.test(pattern.source)) return pattern.test(text)
  Object.assign(room, { pattern, text })
  try {
    return script.runInContext(context, { timeout: 200 }) as boolean
  } catch {
    return null
  }
}

const RUNS = Number(process.env.RUNS ?? 2000)
/** As `ldirectord.cf` has them. */
const perl = fc
  .tuple(
    sources,
    fc.constantFrom('', '\\A', '$', '\\Z', '\\z', '\\Q.*\\E', '[[:alpha:]]', '\\R', '\\h+', '$)|(?:', '++'),
  )
  .map(([source, end]) => perlPattern(source + end))
const lengths = fc.array(fc.nat(5), { maxLength: 5 })
/** Whole texts, cut ones and mixed ones: UTF-8, and what is none. */
const bytes = fc.oneof(
  texts.map(text => Buffer.from(text)),
  fc.tuple(texts, fc.nat(3)).map(([text, cut]) => Buffer.from(text).subarray(0, -cut || undefined)),
  fc.tuple(texts, texts).map(([a, b]) => Buffer.concat([Buffer.from(a), Buffer.from(b, 'latin1')])),
  fc
    .array(
      fc.constantFrom(0x61, 0xc3, 0xa9, 0xe0, 0x80, 0xed, 0xf0, 0x9f, 0xbf, 0xf4, 0xe6, 0x97, 0xa5, 0xff),
      { maxLength: 8 },
    )
    .map(all => Buffer.from(all)),
)

describe('search for a regular expression', () => {
  // V8 11 finds /((?:\u017f|(?:a|a))){2,}/i in "ba"; without its optimizations it does not.
  before(() => setFlagsFromString('--no-regexp-optimization'))
  after(() => setFlagsFromString('--regexp-optimization'))

  it('finds what V8 finds, in whatever pieces the text comes', () => {
    assert(compare(sources, RUNS) > RUNS / 2)
  })

  it('finds what V8 finds for expressions of Perl that are translated', () => {
    assert(compare(perl, Math.ceil(RUNS / 3)) > RUNS / 9)
  })

  it('reads what V8 reads in a heap of signs, or leaves it to V8', () => {
    assert(compare(heaps, 5 * RUNS) > RUNS / 10)
  })

  it('is given up where its states are too expensive, and knows it', () => {
    const { way, begin } = searchRegExp('(?:a?){1000}(?:a?){1000}(?:a?){1000}a{400}', '')
    assert.equal(way, 'automaton')
    const search = begin()
    assert.equal(search.occursIn(Buffer.from(`${'a'.repeat(399)}b`)), null)
    assert.equal(search.occursIn(Buffer.from('a')), null, 'one budget for all')
    assert.equal(begin().occursIn(Buffer.from('b')), false)
  })

  it('is the same again after its states were forgotten', () => {
    const source = '(x|y)*x(x|y){14}z'
    const { way, begin } = searchRegExp(source, '')
    assert.equal(way, 'automaton')
    let seed = 1
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return seed
    }
    for (let round = 0; round < 5; round++) {
      const text = Array.from({ length: 20_000 }, () =>
        (random() >> 12) % 40 === 0 ? 'z' : (random() >> 9) % 2 ? 'x' : 'y',
      ).join('')
      const cut = text.slice(0, (round + 1) * 4000)
      const search = begin({ left: Number.POSITIVE_INFINITY })
      assert.equal(search.occursIn(Buffer.from(cut)), new RegExp(source).test(cut))
      assert.equal(search.occursIn(Buffer.from(cut.replaceAll('z', ''))), false)
    }
  })
})

/** Follows both; returns how many had an automaton. */
function compare(given: fc.Arbitrary<string>, numRuns: number): number {
  let followed = 0
  fc.assert(
    fc.property(given, flags, bytes, lengths, (source, letters, text, cuts) => {
      const pattern = regExpOf(source, letters)
      if (!pattern) return
      const search = searchRegExp(source, letters)
      if (!search.isTimed) followed++
      const expected = byV8(pattern, text)
      if (expected === null) return
      const found = inPieces(search.begin(), text, cuts)
      const where = JSON.stringify(text.toString('latin1'))
      assert.equal(found, expected, `${search.way} ${pattern} in ${where}`)
    }),
    { numRuns },
  )
  return followed
}

describe('search for plain text', () => {
  it('finds what Buffer.includes finds, in whatever pieces the text comes', () => {
    const few = fc.array(fc.constantFrom('a', 'b', 'ab', 'é'), { maxLength: 30 }).map(all => all.join(''))
    fc.assert(
      fc.property(few, few, fc.array(fc.nat(40), { maxLength: 6 }), (needle, text, cuts) => {
        const hay = Buffer.from(text.repeat(8))
        assert.equal(
          inPieces(searchText(needle).begin(), hay, cuts),
          hay.includes(needle),
          `${needle} in ${hay}`,
        )
      }),
      { numRuns: 1000 },
    )
  })
})
