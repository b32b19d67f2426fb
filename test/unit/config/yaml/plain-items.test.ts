import assert from 'node:assert/strict'
import fc from 'fast-check'
import { plain } from '../../../../src/config/raw.js'
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

  for (const [what, line] of Object.entries({
    'a directive': '%YAML 1.1',
    'a directive behind a byte order mark': '\ufeff%YAML 1.1',
    'a carriage return': "a: '\r'",
    'a line separator': '# \u2028',
    'a paragraph separator': '# \u2029',
  }))
    it(`leaves a text with ${what} to the library`, () => {
      assert.equal(shortened(line, '---', ...list("'one'", "'two'")), null)
    })

  it('takes words for what a directive makes of them', () => {
    const { root } = readYaml("\ufeff\ufeff%YAML 1.1\n---\na:\n  - 'b'\n  - 1:20\n", 'site.yaml')
    assert.deepEqual(root && plain(root), { a: ['b', 80] })
  })

  it('never changes what a text means, nor where its values are, nor whether it is right', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...LINES), { maxLength: 14 }), lines => {
        const text = ['k:', ...lines].map(line => `${line}\n`).join('')
        // With this separator in a comment nothing is left out.
        const [short, whole] = ['# -\n', '# \u2028\n'].map(comment => comment + text) as [string, string]
        assert.equal(runSync(shortening(whole)), null)
        assert.deepEqual(readYaml(short, 'site.yaml'), readYaml(whole, 'site.yaml'))
      }),
      {
        numRuns: Number(process.env.RUNS ?? 3000),
        examples: [
          // The library takes this for a text in two lines, but with carriage returns for an error.
          [['', '# c', "  b'", "- 'a'"]],
          // What follows the last item cannot belong to it, but to the first.
          [['  - a b', "  - 'a'", '    c']],
          [['  - a b', '  - a b # c', '    c d']],
        ],
      },
    )
  })
})

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
  ...[
    '  - |',
    '  - >-',
    'k: |2',
    'l: "',
    '  # c',
    "    # - 'a'",
    '\t',
    ' \tc',
    'k: !!pairs',
    'k: !!omap',
    'k: !!seq',
  ],
  ...[
    "- 'a' # c",
    '- "a"',
    "  - '- a'",
    "  - 'a: b'",
    '    - a b',
    '  - {',
    '  - [',
    '  -\t',
    '&a',
    '!!str',
    "  'a'",
  ],
  ...['', '# c', '    # c', '---', '...', '  ', "- 'a'", "- 'b'", '- a b', "  - 'a'", "  - 'b'", '  - a b'],
]
