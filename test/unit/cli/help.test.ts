import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { EXIT, EXIT_MEANINGS } from '../../../src/cli/command.js'
import { commandHelp, generalHelp } from '../../../src/cli/help.js'
import { parseLine } from '../../../src/cli/parse.js'
import { commandNames, loadCommand, summaries, summaryIn } from '../../../src/cli/registry.js'

describe('help: the commands', () => {
  it('are those of the issue and no helper files', () => {
    assert.deepEqual(commandNames(), [
      'alert',
      'checks',
      'completion',
      'demo',
      'disable',
      'doctor',
      'drain',
      'enable',
      'events',
      'force',
      'health',
      'import',
      'plan',
      'probe',
      'recheck',
      'reload',
      'replay',
      'role',
      'role-notify',
      'run',
      'simulate',
      'status',
      'token',
      'top',
      'undrain',
      'validate',
      'weight',
      'why',
      'windows',
    ])
  })

  for (const name of commandNames())
    describe(name, () => {
      it('is named after its file and says what it does in one line', async () => {
        const command = await loadCommand(name)
        assert.equal(command.name, name)
        assert.match(command.summary, /^[^\n]{10,90}$/)
      })

      it('has no columns in its details, whose lines are joined', async () => {
        assert.doesNotMatch((await loadCommand(name)).details ?? '', /^ +\S+ {2,}\S/m)
      })

      it('explains every argument and option, and shows examples that parse', async () => {
        const command = await loadCommand(name)
        const help = commandHelp(command)
        for (const [word, { about }] of Object.entries(command.arguments)) {
          assert.ok(help.includes(word))
          assert.ok(about.length > 3)
        }
        for (const option of Object.keys(command.options)) assert.ok(help.includes(`--${option}`), option)
        for (const meaning of Object.values(EXIT_MEANINGS))
          assert.ok(help.replaceAll(/\s+/g, ' ').includes(meaning))
        assert.ok(command.examples.length > 0)
        for (const [line] of command.examples) parseLine(command, wordsOf(line, name))
      })

      it('has help texts of at most 100 columns, but for examples', async () => {
        for (const line of commandHelp(await loadCommand(name)).split('\n'))
          assert.ok(line.length <= 100 || /^ {2}lvsd /.test(line), `${line.length}: ${line}`)
      })
    })

  it('are all in the general help, with every exit code', async () => {
    const help = generalHelp(await Promise.all(commandNames().map(loadCommand)))
    for (const name of commandNames()) assert.match(help, new RegExp(`^  ${name} `, 'm'))
    for (const [code, meaning] of Object.entries(EXIT_MEANINGS))
      assert.ok(help.includes(`${code}  ${meaning}`))
    assert.equal(Object.keys(EXIT_MEANINGS).length, Object.keys(EXIT).length)
  })

  it('have summaries that are read without their import', async () => {
    const commands = await Promise.all(commandNames().map(loadCommand))
    assert.deepEqual(
      await summaries(),
      commands.map(({ name, summary }) => ({ name, summary })),
    )
    for (const name of commandNames())
      assert.notEqual(summaryIn(readFileSync(`src/cli/commands/${name}.ts`, 'utf8')), null, name)
  })

  it('joins the lines of a paragraph, but not those of a list', async () => {
    const details = 'one\ntwo\n\n- three\n- four\nfive'
    const help = commandHelp({ ...(await loadCommand('plan')), details })
    assert.ok(help.includes('\n\none two\n\n- three\n- four five\n\n'), help)
  })

  it('joins the lines of an item of a list without their indentation', async () => {
    const own = commandHelp(await loadCommand('top'))
    assert.match(own, /do not pass the\s+director, so OUT is 0\./)
    assert.doesNotMatch(own, /\S {2,}director/)
  })

  it('fits into a terminal of 80 columns, but for command lines as they are typed', async () => {
    for (const name of commandNames()) {
      const { examples, ...rest } = await loadCommand(name)
      const typed = examples.map(([line]) => `  ${line}`)
      for (const line of commandHelp({ ...rest, examples }, 80).split('\n'))
        assert.ok(line.length <= 80 || typed.includes(line), line)
    }
  })
})

/** The words of an example after `lvsd NAME`, up to a pipe or a redirection. */
function wordsOf(line: string, name: string): string[] {
  const [lvsd, command, ...words] = (line.split(/\s+[|>]/)[0] ?? '').match(/'[^']*'|\S+/g) ?? []
  assert.deepEqual([lvsd, command], ['lvsd', name], line)
  return words.map(word => word.replace(/^'(.*)'$/, '$1'))
}
