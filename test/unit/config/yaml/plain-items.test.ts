import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { RawDocument } from '../../../../src/config/raw.js'
import { shortening } from '../../../../src/config/yaml/plain-items.js'
import { readYaml } from '../../../../src/config/yaml/read-yaml.js'
import { runSync } from '../../../../src/util/time-slice.js'

const shortened = (...lines: readonly string[]) =>
  runSync(shortening(lines.map(line => `${line}\n`).join('')))
const list = (...items: readonly string[]) => ['reals:', ...items.map(item => `  - ${item}`)]

describe('plain-items: texts of long lists that the library need not parse', () => {
  it('leaves out all items of a stretch but the first', () => {
    const short = shortened('a: 1', ...list("'one'", '"two" # second', '10.0.0.1:80 masq 2', "''"), 'b: 2')
    assert.ok(short)
    assert.equal(short.text, "a: 1\nreals:\n  - 'one'\nb: 2\n")
    const at = short.text.indexOf("'one'")
    assert.deepEqual(
      [...short.stretches],
      [
        [
          at,
          {
            end: at + 5,
            others: [
              { value: 'two', length: 5 },
              { value: '10.0.0.1:80 masq 2', length: 18 },
              { value: '', length: 2 },
            ],
          },
        ],
      ].map(([start, stretch]) => [start, stretch]),
    )
  })

  it('converts offsets to those of the whole text', () => {
    const lines = [...list("'one'", "'two'"), 'b:', ...list("'three'", "'four'"), 'end: 1']
    const short = shortened(...lines)
    assert.ok(short)
    const whole = lines.map(line => `${line}\n`).join('')
    for (const word of ['reals', 'one', 'b:', 'three', 'end'])
      assert.equal(short.whole(short.text.indexOf(word)), whole.indexOf(word), word)
  })

  for (const [what, items] of Object.entries({
    'a number': ["'one'", '10', "'two'"],
    'a word that may be one of YAML': ["'one'", 'true # as it is', "'two'"],
    'a text with an escape': ["'one'", '"a\\n"', "'two'"],
    'a text with two quotes': ["'one'", "'it''s'", "'two'"],
    'a mapping': ["'one'", 'a: 1', "'two'"],
    'a flow mapping': ["'one'", "{ address: 'x' }", "'two'"],
    'an alias': ["'one'", '*x', "'two'"],
    'another script': ["'one'", "'é'", "'two'"],
  }))
    it(`leaves ${what} to the library`, () => assert.equal(shortened(...list(...items)), null))

  it('leaves a text with directives to the library', () => {
    assert.equal(shortened('%YAML 1.1', '---', ...list("'one'", "'two'")), null)
  })

  it('never changes what a text means, nor where its values are, nor whether it is right', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...LINES), { maxLength: 14 }), lines => {
        const text = ['k:', ...lines].map(line => `${line}\n`).join('')
        const [{ root, problems }, whole] = [readYaml(text, 'site.yaml'), readWhole(text)]
        assert.equal(problems.length > 0, whole.problems.length > 0)
        assert.deepEqual(root, whole.root)
      }),
      { numRuns: Number(process.env.RUNS ?? 3000) },
    )
  })
})

/** Nothing is left out of a text with carriage returns. */
function readWhole(text: string): RawDocument {
  return readYaml(text.replaceAll('\n', '\r\n'), 'site.yaml')
}

/** Each may be an item, or a part of something else, depending on what stands before it. */
const LINES = [
  ...[
    "- 'a'",
    "  - 'a'",
    "  - 'b'",
    "  - 'c' # d",
    "    - 'a'",
    "    - 'b'",
    "  -  'a'",
    "\t- 'a'",
    "  - 'a' ",
  ],
  ...[
    '  - "a"',
    '  - "b"',
    '  - "a',
    '  b"',
    "  - 'a",
    "  b'",
    '  - a b',
    '  - a:1',
    '  - a b # c',
    '  - 10',
  ],
  ...['    c', '    c d', '  : c', '    : c', '  - a: b', "  - 'a': b", '    d: e', '  - true', '  - [a, b]'],
  ...[
    'k:',
    'l:',
    '  m:',
    'k: |',
    'l: >-',
    'k: [',
    ']',
    'k: {',
    '}',
    "k: 'x",
    "'",
    'k: a',
    'k: &a',
    'l: *a',
    '<<: *a',
  ],
  ...[
    '? ',
    "? - 'a'",
    '  - &a',
    '  - *a',
    "  - &a 'a'",
    '  - !!str',
    'k: !!set',
    "- - 'a'",
    "  - - 'a'",
    '  -',
  ],
  ...['', '# c', '    # c', '---', '...', '  ', "- 'a'", "- 'b'", '- a b', "  - 'a'", "  - 'b'", '  - a b'],
]
