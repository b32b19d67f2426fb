import assert from 'node:assert/strict'
import { bashScript } from '../../../src/cli/completion/bash.js'
import { fishScript } from '../../../src/cli/completion/fish.js'
import { questionOf } from '../../../src/cli/completion/question.js'
import { completionTable } from '../../../src/cli/completion/table.js'
import { type WordSource, wordsFor } from '../../../src/cli/completion/words.js'
import { zshScript } from '../../../src/cli/completion/zsh.js'
import { parseLine } from '../../../src/cli/parse.js'
import { commandNames, loadCommand } from '../../../src/cli/registry.js'

const SITE = [
  { service: 'web', reals: ['[fd00::3]:80', '10.0.0.3:80'] },
  { service: 'web/old', reals: ['[fd00::4]:80'] },
]

describe('completion: the names of a daemon', () => {
  const rows: [source: WordSource, begun: string, service: string | null, expected: readonly string[]][] = [
    ['target', '', null, ['all', 'web', 'web/', 'web/old', 'web/old/']],
    ['target', 'web/', null, ['web/old', 'web/old/', 'web/[fd00::3]:80', 'web/10.0.0.3:80']],
    ['target', 'web/f', null, ['web/fd00::3']],
    ['target', 'web/[', null, ['web/[fd00::3]:80']],
    ['target', 'web/old/', null, ['web/old/[fd00::4]:80']],
    ['target', 'x', null, []],
    ['service', 'w', null, ['web', 'web/old']],
    ['real', '', 'web/old', ['[fd00::4]:80']],
    ['real', 'fd', null, ['fd00::3', 'fd00::4']],
  ]
  for (const [source, begun, service, expected] of rows)
    it(`are for ${source} "${begun}"${service ? ` of ${service}` : ''}: ${expected.join(', ') || 'none'}`, () => {
      assert.deepEqual(wordsFor(source, begun, SITE, service), expected)
    })
})

describe('completion: the question of a script', () => {
  it('is read from the words that the scripts give', () => {
    const words = ['completion', 'words', '--words', 'real', '--begun=[fd', '--service=web', '--socket=/s']
    assert.deepEqual(questionOf(words), { source: 'real', begun: '[fd', service: 'web', socket: '/s' })
    assert.deepEqual(questionOf(words.slice(0, 4)), {
      source: 'real',
      begun: '',
      service: null,
      socket: undefined,
    })
  })

  it('is left to the parser in any other form', () => {
    const rows = [
      'completion bash',
      'completion words',
      'completion words --help',
      'completion words --words all',
      'completion words --words target web',
      'completion words --words target --begun=',
      'completion words --words target --begun=a --begun=b',
      'completion words --words target --other=a',
      'status --words target',
    ]
    for (const row of rows) assert.equal(questionOf(row.split(' ')), null, row)
  })
})

describe('completion: the scripts', () => {
  it('are those of the shells that a person may ask for', async () => {
    const command = await loadCommand('completion')
    assert.throws(() => parseLine(command, []), /needs SHELL: bash, zsh or fish\n/)
  })

  it('have every command with its options and choices', async () => {
    const rows = completionTable(await Promise.all(commandNames().map(loadCommand)))
    for (const script of [bashScript(rows), zshScript(rows), fishScript(rows)])
      for (const { name, flags } of rows) {
        assert.ok(script.includes(name), name)
        for (const { long } of flags) assert.ok(script.includes(long.slice(2)), long)
      }
    const drain = rows.find(({ name }) => name === 'drain')
    assert.deepEqual(drain?.arguments, [{ source: 'target', choices: [] }])
    const force = rows.find(({ name }) => name === 'force')
    assert.deepEqual(force?.arguments[1], { source: 'choices', choices: ['up', 'down'] })
    const status = rows.find(({ name }) => name === 'status')
    assert.equal(status?.flags.find(({ long }) => long === '--watch')?.value, null)
  })
})
