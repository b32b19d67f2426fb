import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandError, EXIT } from '../../../../src/cli/command.js'
import { command, renderKinds } from '../../../../src/cli/commands/checks.js'
import { testContext } from '../../../support/context.js'
import { temporaryFolder } from '../../../support/folder.js'

const OPTIONS = { folder: undefined, config: undefined, brief: false, json: false }

describe('lvsd checks', () => {
  it('lists every kind with its options', async () => {
    const { exit, out } = await checks({})
    assert.equal(exit, EXIT.ok)
    for (const kind of [
      'http',
      'https',
      'connect',
      'ping',
      'external',
      'dns',
      'simpletcp',
      'udp',
      'on',
      'off',
    ])
      assert.match(out, new RegExp(`^${kind}  \\S`, 'm'))
    assert.match(out, /^ {2}request {2,}text {2,}"\/" {2,}\S/m)
  })

  it('lists one kind, and names the nearest where there is none', async () => {
    assert.match((await checks({}, 'http')).out, /^http {2}/)
    assert.doesNotMatch((await checks({}, 'http')).out, /^https {2}/m)
    await assert.rejects(checks({}, 'htpps'), (error: CommandError) => {
      assert.match(error.message, /did you mean "https"/)
      return error.exit === EXIT.usage
    })
  })

  it('prints names, options and defaults as JSON', async () => {
    const { checks: kinds } = JSON.parse((await checks({ json: true }, 'https')).out)
    assert.equal(kinds[0].name, 'https')
    assert.equal(kinds[0].defaultPort, 443)
    assert.ok(kinds[0].options.some((option: { name: string }) => option.name === 'virtualhost'))
  })

  it("shows whether a user's check loads", async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'mine.mjs'), MINE)
    const { exit, out } = await checks({ folder }, 'mine')
    assert.equal(exit, EXIT.ok)
    assert.match(
      out,
      /^mine {2}asks my own question {2}\(also meins; default port 4711\)\n {2}word {2}text {2}required {2}A word\.$/m,
    )
    writeFileSync(join(folder, 'broken.mjs'), 'export const check = 3')
    const broken = await checks({ folder })
    assert.equal(broken.exit, EXIT.problem)
    assert.match(broken.err, /broken\.mjs: it must export an object named `check`/)
  })

  it("shows first the outcome of each file of the user's folder", async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'mine.mjs'), MINE)
    writeFileSync(join(folder, 'npmy.mjs'), `import 'axios-of-nobody'\n${MINE}`)
    writeFileSync(
      join(folder, 'prints.mjs'),
      `console.log('hi')\n${MINE.replace("'mine'", "'prints'").replace("'meins'", '')}`,
    )
    const { out } = await checks({ folder, brief: true })
    const [first, ...lines] = out.split('\n')
    assert.equal(first, folder)
    assert.match(lines[0] ?? '', /^ {2}mine\.mjs +ok$/)
    assert.match(lines[1] ?? '', /^ {2}npmy\.mjs +it does not load: Cannot find package 'axios-of-nobody'/)
    assert.match(lines[2] ?? '', /^ {2}prints\.mjs +ok, but it printed 3 bytes while it was loaded.*"hi"$/)
    assert.match(lines[4] ?? '', /^mine /)
    const { files } = JSON.parse((await checks({ folder, json: true })).out)
    assert.deepEqual(
      files.map(({ kind }: { kind: string | null }) => kind),
      ['mine', null, 'prints'],
    )
  })

  it("shows why a user's kind is not loaded, and where else to look", async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'green.mjs'), 'export const check = {')
    const isProblem = (pattern: RegExp, code: number) => (error: CommandError) => {
      assert.match(error.message, pattern)
      return error.exit === code
    }
    await assert.rejects(
      checks({ folder }, 'green'),
      isProblem(/^there is no check "green": .*green\.mjs: it does not load: Unexpected end/, EXIT.problem),
    )
    chmodSync(folder, 0o777)
    await assert.rejects(checks({ folder }, 'green'), isProblem(/may be written by others/, EXIT.problem))
    assert.match(
      (await checks({ folder, brief: true })).out,
      /^\/.*\n {2}no check of .* is loaded: .* may be written/,
    )
    await assert.rejects(
      checks({}, 'green'),
      isProblem(/; for a check of your own give --folder DIR or --config CONFIG$/, EXIT.usage),
    )
  })

  it('refuses a path that is not a folder', async () => {
    await assert.rejects(checks({ folder: '/none' }), (error: CommandError) => error.exit === EXIT.usage)
  })

  it('is one line for each kind when brief', () => {
    const kind = { name: 'a', aliases: [], summary: 'does it', defaultPort: null, options: [] }
    assert.equal(
      renderKinds([kind, { ...kind, name: 'longer' }], { colour: false, brief: true }),
      'a       does it\nlonger  does it',
    )
  })
})

const MINE = `export const check = {
  name: 'mine',
  aliases: ['meins'],
  summary: 'asks my own question',
  defaultPort: 4711,
  options: kit => ({ word: kit.text(undefined, 'A word.') }),
  run: async () => ({ ok: true, reason: null, detail: 'yes' }),
}
`

async function checks(options: Partial<Record<keyof typeof OPTIONS, unknown>>, KIND?: string) {
  const { context, out, err } = testContext()
  const all = { ...OPTIONS, ...options } as typeof OPTIONS
  const exit = await command.run({ ...context, options: all, arguments: { KIND } })
  return { exit, out: out(), err: err() }
}
