import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { setFlagsFromString } from 'node:v8'
import fc from 'fast-check'
import { type Search, searchRegExp, searchText } from '../../src/search/search.js'
import { flags, piecesOf, regExpOf, sources, texts } from './regexps.js'

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

function byV8(pattern: RegExp, bytes: Buffer): boolean {
  return pattern.test(bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1'))
}

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

describe('a search for a regular expression', () => {
  // V8 11 finds /((?:\u017f|(?:a|a))){2,}/i in "ba"; without its optimizations it does not.
  before(() => setFlagsFromString('--no-regexp-optimization'))
  after(() => setFlagsFromString('--regexp-optimization'))

  it('finds what V8 finds, in whatever pieces the text comes', () => {
    let followed = 0
    fc.assert(
      fc.property(sources, flags, bytes, lengths, (source, letters, text, cuts) => {
        const pattern = regExpOf(source, letters)
        if (!pattern) return
        const search = searchRegExp(source, letters)
        if (search.way !== 'timed') followed++
        assert.equal(
          inPieces(search.begin(), text, cuts),
          byV8(pattern, text),
          `${search.way} ${pattern} in ${JSON.stringify(text.toString('latin1'))}`,
        )
      }),
      { numRuns: Number(process.env.RUNS ?? 3000) },
    )
    assert(followed > 1000, `only ${followed} of them had an automaton`)
  })
})

describe('a search for plain text', () => {
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
