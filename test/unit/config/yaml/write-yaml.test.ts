/** Raw trees as YAML, with remarks. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parse } from 'yaml'
import type { RawMap, RawNode } from '../../../../src/config/raw.js'
import { readYaml } from '../../../../src/config/yaml/read-yaml.js'
import { writeYaml, type YamlComment } from '../../../../src/config/yaml/write-yaml.js'
import { type Plain, plainOf, treeOf } from '../../../support/config/trees.js'

const NOWHERE = { line: 1, column: 1, length: 1 }

const word = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    'yes',
    'off',
    'null',
    '~',
    '1',
    '1.5',
    '0x10',
    '[::1]:80',
    "it's",
    'a: b',
    '# c',
    '- d',
    '{',
    '&a',
    '*a',
    '!t',
    '',
    ' ',
    'a\nb',
    '\u2028',
    '010',
    '0o10',
    '1_000',
    '1:30',
    '1e3',
    '.inf',
    '2001-01-01',
    'y',
    'NO',
    'On',
    '=',
  ),
)
const key = word.filter(text => text !== '__proto__' && text !== '<<')
const { tree } = fc.letrec<{ tree: Plain }>(tie => ({
  tree: fc.oneof(
    { maxDepth: 4, depthSize: 'small' },
    word,
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 }),
    fc.boolean(),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(key, tie('tree'), { maxKeys: 4, noNullPrototype: true }),
  ),
}))

/** A map of texts whose values come from the lines given. */
function lines(values: Readonly<Record<string, number>>): RawMap {
  const entries = Object.entries(values).map(([name, line]) => {
    const at = { line, column: 1, length: 1 }
    return { key: name, keyAt: at, value: { kind: 'scalar', value: 'x', at } as const }
  })
  return { kind: 'map', entries, at: NOWHERE }
}

/** The tree with each value and key in a line of its own, as if it had been read from a text. */
function numbered(node: RawNode, next: { line: number }): RawNode {
  const at = { line: next.line++, column: 1, length: 1 }
  if (node.kind === 'scalar') return { ...node, at }
  if (node.kind === 'list') return { ...node, at, items: node.items.map(item => numbered(item, next)) }
  const entries = node.entries.map(({ key: name, value }) => ({
    key: name,
    keyAt: { ...at, line: next.line },
    value: numbered(value, next),
  }))
  return { ...node, at, entries }
}

const remarks = fc.array(
  fc.record({
    line: fc.nat(20),
    section: fc.constantFrom([0, 5], [5, 10], [10, 30], [0, 30]) as fc.Arbitrary<[number, number]>,
    text: fc.oneof(word, fc.constantFrom('\nb: c', 'a\r\nb: c', '\u0085b: c', '\u2028b: c', '---\n- x')),
    where: fc.constantFrom('behind' as const, 'before' as const),
  }),
  { maxLength: 6 },
)

describe('write-yaml: a raw tree as YAML', () => {
  it('reads as the same tree', () => {
    fc.assert(
      fc.property(fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4, noNullPrototype: true }), value => {
        const yaml = writeYaml(treeOf(value))
        const { root, problems } = readYaml(yaml, 'x.yaml')
        assert.deepEqual(problems, [], yaml)
        assert.deepEqual(root && plainOf(root), value, yaml)
      }),
      { numRuns: 200 },
    )
  })

  it('is the same for readers of YAML 1.1, to whom yes, 010 and 1:30 are no text', () => {
    fc.assert(
      fc.property(fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4, noNullPrototype: true }), value => {
        const yaml = writeYaml(treeOf(value))
        assert.deepEqual(parse(yaml, { version: '1.1' }), value, yaml)
      }),
      { numRuns: 200 },
    )
  })

  it('has remarks that never become content', () => {
    fc.assert(
      fc.property(
        fc.dictionary(key, tree, { minKeys: 1, maxKeys: 4, noNullPrototype: true }),
        remarks,
        (value, those) => {
          const yaml = writeYaml(numbered(treeOf(value), { line: 1 }) as RawMap, those)
          const { root, problems } = readYaml(yaml, 'x.yaml')
          assert.deepEqual(problems, [], yaml)
          assert.deepEqual(root && plainOf(root), value, yaml)
          const told = those.map(({ text }) => /\w+/.exec(text)?.[0] ?? '')
          assert.ok(
            told.every(text => yaml.includes(text)),
            yaml,
          )
        },
      ),
      { numRuns: 300 },
    )
  })

  const REMARKS: readonly [
    phrase: string,
    remark: Omit<YamlComment, 'section'> & { section?: YamlComment['section'] },
    expected: string,
  ][] = [
    ['before its line', { line: 3, text: ' note', where: 'before' }, 'a: x\n# note\nb: x\nc: x\n'],
    ['behind its line', { line: 3, text: ' note', where: 'behind' }, 'a: x\nb: x # note\nc: x\n'],
    [
      'before the next line where its own left no trace',
      { line: 4, text: 'note', where: 'behind' },
      'a: x\nb: x\n# note\nc: x\n',
    ],
    [
      'at the end where nothing follows',
      { line: 9, text: 'note', where: 'before' },
      'a: x\nb: x\nc: x\n# note\n',
    ],
    [
      'on one line whatever it holds',
      { line: 1, text: 'a\rb\tc', where: 'before' },
      '# a b    c\na: x\nb: x\nc: x\n',
    ],
  ]
  for (const [phrase, remark, expected] of REMARKS)
    it(`has a remark ${phrase}`, () => {
      const yaml = writeYaml(lines({ a: 1, b: 3, c: 5 }), [{ section: [1, 10], ...remark }])
      assert.equal(yaml.replace(/\n\n/g, '\n'), expected)
    })

  it('breaks a long remark between words', () => {
    const yaml = writeYaml(lines({ a: 1 }), [
      { line: 1, section: [1, 2], text: 'word '.repeat(60), where: 'before' },
    ])
    assert.ok(yaml.split('\n').every(line => line.length <= 110))
  })
})
