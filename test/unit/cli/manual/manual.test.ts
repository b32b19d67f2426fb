import assert from 'node:assert/strict'
import { EXIT_MEANINGS } from '../../../../src/cli/command.js'
import { commandPage } from '../../../../src/cli/manual/command-page.js'
import { configurationPage, EXAMPLE } from '../../../../src/cli/manual/configuration-page.js'
import { pageOf } from '../../../../src/cli/manual/markdown.js'
import { plain, prose } from '../../../../src/cli/manual/roff.js'
import { commandNames, loadCommand } from '../../../../src/cli/registry.js'
import { referenceOf } from '../../../../src/config/docs/reference.js'
import { loadConfig } from '../../../../src/config/load.js'
import { loadChecks } from '../../../../src/kinds/find-kinds.js'

const FACTS = { version: '1.2.3', date: '2026-01-31' }

describe('man page lvsd(8)', () => {
  it('has every command with its arguments and options, and every exit code', async () => {
    const commands = await Promise.all(commandNames().map(loadCommand))
    const page = commandPage(commands, FACTS)
    for (const { name, summary, options, arguments: words } of commands) {
      const [, after = ''] = page.split(`\n.SH lvsd ${plain(name)}\n`)
      const section = after.slice(0, after.indexOf('\n.SH '))
      assert.ok(section.includes(plain(summary)), name)
      for (const long of Object.keys(options))
        assert.ok(section.includes(`\\fB${plain(`--${long}`)}\\fR`), long)
      for (const word of Object.keys(words)) assert.ok(section.includes(`.TP\n\\fI${word}\\fR\n`), word)
    }
    for (const [code, meaning] of Object.entries(EXIT_MEANINGS))
      assert.ok(page.includes(`.TP\n\\fB${code}\\fR\n${plain(meaning)}\n`))
    assert.match(page, /^\.TH LVSD 8 2026-01-31 "lvsd 1\.2\.3" "lvsd manual"$/m)
  })
})

describe('man page lvsd.yaml(5)', () => {
  it('has every key and every option of the reference', async () => {
    const { checks } = await loadChecks([])
    const reference = referenceOf(checks)
    const page = configurationPage(reference, FACTS)
    const keys = [...reference.matchAll(/^\| `([\w.-]+)` \|/gm)].map(([, key = '']) => key)
    assert.ok(keys.length > 200)
    for (const key of keys) assert.ok(page.includes(`.TP\n\\fB${plain(key)}\\fR`), key)
    assert.doesNotMatch(page, /^\||`|\]\(/m)
  })

  it('has a valid example, in lines that fit', async () => {
    const { config, problems } = await loadConfig('sample.yaml', { text: EXAMPLE })
    assert.deepEqual(problems, [])
    assert.equal(config?.services.length, 1)
    assert.ok(EXAMPLE.split('\n').every(line => line.length <= 69))
  })
})

describe('man pages: their text', () => {
  it('escapes what roff would interpret', () => {
    const rows = {
      'a-b': 'a\\-b',
      "'quoted'": '\\(aqquoted\\(aq',
      'C:\\x': 'C:\\ex',
      '.SH': '\\&.SH',
      'one\n.two': 'one\n\\&.two',
      'kernel’s': 'kernel\\[u2019]s',
    }
    for (const [text, expected] of Object.entries(rows)) assert.equal(plain(text), expected)
  })

  it('converts spans of Markdown', () => {
    assert.equal(prose('**Paths**: `-x` of [the list](a.md)'), '\\fBPaths\\fR: \\fB\\-x\\fR of the list')
    assert.equal(prose('`.cf` ends'), '\\fB.cf\\fR ends')
  })

  it('breaks long lines of code at blanks', () => {
    const words = Array.from({ length: 30 }, (_, n) => `+command${n}`)
    const shown = pageOf(`\`\`\`\nuser ${words.join(' ')}\n\`\`\`\n`)
      .split('\n')
      .slice(3, -2)
    assert.ok(shown.length > 3 && shown.every(line => line.length <= 66))
    assert.equal(shown.map(line => line.trim()).join(' '), `user ${words.join(' ')}`)
  })

  it('converts headings, lists, tables and code', () => {
    const markdown = [
      '# Title\n',
      'One\ntwo.\n',
      '## part\n\n- a\n  b\n- c\n',
      '| Key | Type | Default | About |\n| --- | --- | --- | --- |\n| `k` | a \\| b | `1` | x |\n',
      '```sh\nrun\n\n  it\n```\n',
    ].join('\n')
    assert.equal(
      pageOf(markdown).trim(),
      [
        '.PP\nOne two.',
        '.SH part',
        '.IP \\(bu 2\na b',
        '.IP \\(bu 2\nc',
        '.TP\n\\fBk\\fR (a | b, default 1)\nx',
        '.PP\n.RS 4\n.nf\nrun\n\n  it\n.fi\n.RE',
      ].join('\n'),
    )
  })
})
