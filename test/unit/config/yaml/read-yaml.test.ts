import assert from 'node:assert/strict'
import fc from 'fast-check'
import { plain, type RawMap, type RawNode } from '../../../../src/config/raw.js'
import { readYaml } from '../../../../src/config/yaml/read-yaml.js'

function treeOf(text: string): RawMap {
  const { root, problems } = readYaml(text, 'site.yaml')
  assert.deepEqual(problems, [])
  assert.ok(root)
  return root
}

function nodeAt(text: string, ...path: readonly string[]): RawNode {
  return path.reduce<RawNode>((node, key) => {
    assert.equal(node.kind, 'map')
    const entry = node.kind === 'map' ? node.entries.find(each => each.key === key) : undefined
    assert.ok(entry, key)
    return entry.value
  }, treeOf(text))
}

const codesOf = (text: string) =>
  readYaml(text, 'site.yaml').problems.map(({ code, at }) => `${at.line}:${at.column} ${code}`)

describe('read-yaml: YAML to the raw tree', () => {
  it('keeps the place of every key and value', () => {
    const root = treeOf("services:\n  web: { virtual: '[::1]:80' }\n")
    assert.deepEqual(root.entries[0]?.keyAt, { line: 1, column: 1, length: 8 })
    assert.deepEqual(nodeAt("services:\n  web: { virtual: '[::1]:80' }\n", 'services', 'web', 'virtual').at, {
      line: 2,
      column: 19,
      length: 10,
    })
  })

  it('counts columns in characters, whatever their size in memory', () => {
    assert.deepEqual(nodeAt("'😀é': ok\n", '😀é').at, { line: 1, column: 7, length: 2 })
  })

  it('marks no more than the first line of a long value', () => {
    assert.equal(nodeAt('a:\n  b: 1\n  c: 2\n', 'a').at.length, 4)
  })

  it('ignores a byte order mark, and carriage returns', () => {
    assert.deepEqual(plain(treeOf('\ufeffa: 1\r\nb: x\r\n')), { a: 1, b: 'x' })
    assert.deepEqual(nodeAt('\ufeffa: 1\n', 'a').at, { line: 1, column: 4, length: 1 })
  })

  it('takes yes, no, on and off as text, and true and false as what they are', () => {
    assert.deepEqual(plain(treeOf('a: yes\nb: off\nc: true\n')), { a: 'yes', b: 'off', c: true })
  })

  it('keeps the zeros of a number that begins with one', () => {
    assert.deepEqual(plain(treeOf('a: 0123\nb: 0\nc: 0x10\n007: x\n')), {
      a: '0123',
      b: 0,
      c: 16,
      '007': 'x',
    })
  })

  it('merges anchors, the own keys first', () => {
    const text = 'x-a: &a { b: 1, c: 2 }\nx-d: &d { c: 3, e: 4 }\nf: { <<: [*a, *d], b: 5 }\n'
    assert.deepEqual(plain(nodeAt(text, 'f')), { b: 5, c: 2, e: 4 })
    assert.equal(nodeAt(text, 'f', 'e').at.line, 2)
  })

  it('gives an alias the last anchor of that name before it', () => {
    assert.deepEqual(plain(treeOf('a: &x 1\nb: *x\nc: &x 2\nd: *x\n')), { a: 1, b: 1, c: 2, d: 2 })
  })

  it('lets a thousand aliases of one value cost nothing', () => {
    const value = '{ kind: http, request: /health }'
    const reals = Array.from({ length: 5000 }, () => '  - *check\n').join('')
    const list = nodeAt(`x-c: &check ${value}\nreals:\n${reals}`, 'reals')
    assert.equal(list.kind === 'list' && new Set(list.items).size, 1)
  })

  it('refuses aliases of aliases of aliases before they fill the memory', () => {
    const rows = 'abcdefghijkl'.split('').map((name, i, all) => {
      const of = i === 0 ? '1' : `*${all[i - 1]}`
      return `${name}: &${name} [${Array(10).fill(of).join(', ')}]\n`
    })
    const { root, problems } = readYaml(rows.join(''), 'site.yaml')
    assert.equal(root, null)
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['FILE_TOO_BIG'],
    )
  })

  it('refuses a thousand keys merged two thousand times', () => {
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}: ${i}`).join(', ')
    for (const merges of ['  <<: *a\n'.repeat(2000), `  <<: [${'*a, '.repeat(2000)}]\n`])
      assert.deepEqual(codesOf(`x-a: &a { ${keys} }\nb:\n${merges}`), ['1:1 FILE_TOO_BIG'])
  })

  it('merges mappings and nothing else', () => {
    const text = 'x-a: &a { b: 1 }\nc: { <<: [[*a], *a] }\nd: { <<: text }\ne: { <<: }\n'
    assert.deepEqual(codesOf(text), ['2:11 WRONG_TYPE', '3:10 WRONG_TYPE'])
  })

  it('refuses a file of more than 16 MiB unread', () => {
    assert.deepEqual(codesOf(`a: ${'x'.repeat(2 ** 24)}\n`), ['1:1 FILE_TOO_BIG'])
    assert.deepEqual(codesOf(`a: ${'é'.repeat(2 ** 23)}\n`), ['1:1 FILE_TOO_BIG'])
  })

  it('refuses what is nested a hundred thousand deep', () => {
    const block = Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:\n`).join('')
    const texts = [
      '['.repeat(100_000),
      '{a: '.repeat(100_000),
      '- '.repeat(100_000),
      '? '.repeat(100_000),
      'a: b: '.repeat(100_000),
      `a: "]"\n${'['.repeat(100_000)}`,
      block,
    ]
    for (const text of texts) assert.deepEqual(codesOf(text), ['1:1 TOO_DEEP'])
  })

  it('takes any number of brackets beside each other, and in quotes', () => {
    const lines = Array.from({ length: 1000 }, (_, i) => `a${i}: ['[', "{"]\nb${i}: x[{y # [\n`).join('')
    assert.deepEqual(codesOf(lines), [])
  })

  it('takes any indentation of what is not nested', () => {
    assert.deepEqual(codesOf(`a:\n${' '.repeat(300)}b: 1\n`), [])
  })

  it('reads a long file of nothing but mistakes without getting stuck', () => {
    for (const line of ['a: [\n', 'a: "\n', 'a\n', '&a ', '- - a: b: c\n', '*a: *a\n', '? ', 'a: |\n'])
      assert.ok(readYaml(line.repeat(1500), 'site.yaml').problems.length > 0, line)
  })

  it('tells several mistakes of syntax at once, one a line', () => {
    const text = 'a: @x\nb: [2001:db8::1]:80\nc: `y`\n'
    assert.deepEqual(codesOf(text), ['1:4 QUOTES_NEEDED', '2:4 QUOTES_NEEDED', '3:4 QUOTES_NEEDED'])
  })

  it('tells a tab alone, not what follows from it', () => {
    assert.deepEqual(codesOf('a:\n\tb: 1\n\tc: 2\nd: 3\n'), ['2:1 TAB_INDENT', '3:1 TAB_INDENT'])
  })

  it('says where a quote opens that is never closed', () => {
    assert.deepEqual(codesOf('a: 1\nb: "x\nc: 3\n'), ['2:4 SYNTAX'])
  })

  it('never throws, and gives a tree or a problem', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      '&a ',
      '*a',
      '"',
      "'",
      '#',
      '\t',
      '!',
      '<<',
      '|',
      '>',
      '%',
      '---',
      '80',
      '\u0000',
      'é',
    )
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }).map(pieces => pieces.join('')),
        text => {
          const { root, problems } = readYaml(text, 'site.yaml')
          assert.ok(root !== null || problems.length > 0, JSON.stringify(text))
          for (const { at } of problems) assert.ok(at.line >= 1 && at.column >= 1 && at.length >= 1)
        },
      ),
      { numRuns: 500 },
    )
  })
})
