import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Check } from '../../../src/check/check.js'
import { describeOptions } from '../../../src/check/describe-options.js'
import { optionKit } from '../../../src/check/option-kit.js'
import { markOf, z } from '../../../src/check/option-types.js'
import { loadChecks } from '../../../src/kinds/find-kinds.js'
import { onCleanup } from '../../support/after-each.js'
import { probe } from '../../support/probe.js'

const JSON_SCHEMA = { io: 'input', unrepresentable: 'any' } as const

const OWN = `export const check = {
  name: 'own',
  aliases: ['mine'],
  summary: 'a check of our own',
  options: kit => ({ word: kit.text('up', 'What to say') }),
  async run(target, options, context) {
    return { ok: true, reason: null, detail: options.word + ' ' + target.port }
  },
}
`

/** A folder of the user's with these files in it. */
async function folder(files: Readonly<Record<string, string>>, mode = 0o755): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'lvsd-checks-'))
  onCleanup(() => rm(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(path, name), text)
    await chmod(join(path, name), 0o644)
  }
  await chmod(path, mode)
  return path
}

describe('find-kinds: loading checks', () => {
  it('gives the same objects for ours each time, and the same module for a file that has not changed', async () => {
    const own = await folder({ 'own.mjs': OWN })
    const [first, second] = [await loadChecks([own]), await loadChecks([own])]
    assert.equal(first.checks.get('http'), second.checks.get('http'))
    assert.equal(first.checks.get('own')?.module, second.checks.get('own')?.module)
    await writeFile(join(own, 'own.mjs'), OWN.replace('our own', 'our very own'))
    assert.notEqual((await loadChecks([own])).checks.get('own')?.module, first.checks.get('own')?.module)
  })

  it('does not wait for entries of the folder that are not regular files', async () => {
    const own = await folder({ 'own.mjs': OWN })
    execFileSync('mkfifo', ['-m', '644', join(own, '_pipe.mjs')])
    await mkdir(join(own, '_folder.js'), { mode: 0o755 })
    assert.ok((await loadChecks([own])).checks.has('own'))
  })

  it('finds all shipped kinds, each under its name', async () => {
    const { checks, problems } = await loadChecks([])
    assert.deepEqual(problems, [])
    for (const name of [
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
      'none',
    ])
      assert.equal(checks.get(name)?.name, name)
  })

  it("takes a user's file that imports nothing, under its name and aliases", async () => {
    const { checks, problems } = await loadChecks([await folder({ 'own.mjs': OWN, 'README.md': '# ours' })])
    assert.deepEqual(problems, [])
    const check = checks.get('own')
    assert.ok(check)
    assert.equal(checks.get('mine'), check)
    assert.equal((await probe(check, 7, { word: 'hello' })).detail, 'hello 7')
  })

  it('loads .js, and TypeScript if Node supports it; otherwise reports what to do', async () => {
    const files = {
      'own.js': OWN,
      'typed.ts': OWN.replace("'own'", "'typed' as string").replace("['mine']", '[]'),
      'module.mts': OWN.replace("'own'", "'module' as string").replace("['mine']", '[]'),
    }
    const { checks, problems } = await loadChecks([await folder(files)])
    assert.ok(checks.has('own'))
    if ('typescript' in process.features && process.features.typescript) assert.deepEqual(problems, [])
    else {
      assert.equal(problems.length, 2)
      for (const problem of problems)
        assert.match(problem, /ts: it is TypeScript, which Node .* does not run .*: compile it to \.mjs$/)
    }
  })

  it("tells a phase of the file's own by its word", async () => {
    const slow = "context.phase('connect'); context.phase('think'); await new Promise(() => {})"
    const text = OWN.replace('return { ok', `${slow}; return { ok`)
    const { checks } = await loadChecks([await folder({ 'own.mjs': text })])
    const { detail, phase, phases } = await probe(checks.get('own') as Check, 7, {}, { timeout: 2000 })
    assert.deepEqual([detail, phase], ['"think" was not complete within 2000 ms', 'think'])
    assert.equal(phases[0]?.phase, 'connect')
  })

  it('skips helpers and type declarations', async () => {
    const files = { '_helper.mjs': 'export const x = 1', 'own.d.ts': '', 'own.mjs': OWN }
    const { checks, problems } = await loadChecks([await folder(files)])
    assert.deepEqual(problems, [])
    assert.ok(checks.has('own'))
  })

  const wrong: readonly [what: string, files: Readonly<Record<string, string>>, problem: RegExp][] = [
    [
      'a file not named after its check',
      { 'other.mjs': OWN },
      /other\.mjs: it defines the check "own", so the file must have that name/,
    ],
    ['no export', { 'own.mjs': 'export default 1' }, /own\.mjs: it must export an object named `check`/],
    ['no summary', { 'own.mjs': OWN.replace('summary', 'about') }, /`check\.summary` is invalid/],
    ['a name in capitals', { 'Own.mjs': OWN.replace("'own'", "'Own'") }, /`check\.name`.*lower-case/],
    [
      'neither run nor probe',
      { 'own.mjs': OWN.replace('async run', 'async go') },
      /a check needs `run` or `probe`/,
    ],
    [
      'a run that is no function',
      { 'own.mjs': OWN.replace(/async run[\s\S]*\n {2}\},/, 'run: 5,') },
      /`check\.run`.*a function/,
    ],
    [
      'options that throw',
      { 'own.mjs': OWN.replace('kit.text(', 'kit.nothing(') },
      /`options` fails: kit\.nothing is not a function/,
    ],
    [
      'options not made with the kit',
      { 'own.mjs': OWN.replace("kit.text('up', 'What to say')", "'up'") },
      /`options` fails: the option "word" must be exactly what a function of the kit returned.*not a text$/,
    ],
    [
      'options that change what the kit returned',
      { 'own.mjs': OWN.replace("'What to say')", "'What to say').optional()") },
      /`options` fails: kit\.text\(\.\.\.\)\.optional is not a function/,
    ],
    [
      'options with code as an argument',
      { 'own.mjs': OWN.replace("'What to say'", '() => 1') },
      /`options` fails: argument 2 of kit\.text must be plain data, but it is a function/,
    ],
    [
      'options that come later',
      { 'own.mjs': OWN.replace('options: kit', 'options: async kit') },
      /`options` fails: it must return an object with an option for each key, not a Promise/,
    ],
    [
      'a default that the option does not take',
      { 'own.mjs': OWN.replace("kit.text('up', 'What to say')", "kit.number('5', 'How many')") },
      /`options` fails: the option "word": the default of kit\.number is not a valid value of the option/,
    ],
    ['a syntax error', { 'own.mjs': 'export const check = {' }, /own\.mjs: it does not load: /],
    [
      'an import that is not there',
      { 'own.mjs': `import './nowhere.mjs'\n${OWN}` },
      /own\.mjs: it does not load: /,
    ],
  ]
  for (const [what, files, problem] of wrong)
    it(`refuses only ${what}`, async () => {
      const { checks, problems } = await loadChecks([
        await folder({ ...files, 'fine.mjs': OWN.replace("'own'", "'fine'").replace("'mine'", "'good'") }),
      ])
      assert.equal(problems.length, 1)
      assert.match(problems[0] as string, problem)
      assert.ok(checks.has('fine') && checks.has('http'))
    })

  it("lets a user's kind take the place of ours, whose other names stay with ours", async () => {
    const own = (name: string, alias: string) =>
      OWN.replace("'own'", `'${name}'`).replace("'mine'", `'${alias}'`)
    const path = await folder({ 'mysql.mjs': own('mysql', 'ping') })
    const { checks, problems, replaced } = await loadChecks([path])
    assert.deepEqual(problems, [])
    assert.equal(checks.get('mysql')?.origin, 'user')
    assert.equal(checks.get('ping'), checks.get('mysql'))
    assert.equal(checks.get('mariadb')?.origin, 'shipped')
    assert.equal(checks.get('mariadb')?.name, 'mariadb')
    assert.deepEqual(replaced, [
      `${path}/mysql.mjs: it replaces lvsd's kind "mysql" under the name "mysql"`,
      `${path}/mysql.mjs: it replaces lvsd's kind "ping" under the name "ping"`,
    ])
  })

  it('uses the first of two kinds with the same name', async () => {
    const [first, second] = [await folder({ 'own.mjs': OWN }), await folder({ 'own.mjs': OWN })]
    const third = await folder({ 'other.mjs': OWN.replace("'own'", "'other'") })
    const { checks, problems, replaced } = await loadChecks([first, second, third])
    assert.deepEqual(problems, [])
    assert.match(checks.get('own')?.module ?? '', new RegExp(first))
    assert.equal(checks.get('mine')?.name, 'own')
    assert.deepEqual(checks.get('other')?.aliases, [])
    assert.deepEqual(replaced, [
      `${second}/own.mjs: it is not used, because ${first}/own.mjs already uses the name "own"`,
      `${third}/other.mjs: the alias "mine" is not used, because ${first}/own.mjs already uses this name`,
    ])
  })

  it('loads a check without options', async () => {
    const { checks, problems } = await loadChecks([
      await folder({ 'own.mjs': OWN.replace(/ {2}options: .*\n/, '') }),
    ])
    assert.deepEqual(problems, [])
    assert.deepEqual(checks.get('own')?.options(optionKit), {})
  })

  it('loads CommonJS', async () => {
    const path = await folder({
      'own.cjs': OWN.replace('export const check =', 'exports.check ='),
      'hidden.cjs': `const all = { ${OWN.replace('export const check =', 'check:').replace("'own'", "'hidden'").replace("'mine'", "'x'")} }\nmodule.exports = all`,
    })
    const { checks, problems } = await loadChecks([path])
    assert.deepEqual(problems, [])
    assert.ok(checks.has('own') && checks.has('hidden'))
  })

  it('skips TypeScript if its compiled JavaScript is in the same folder', async () => {
    const { files } = await loadChecks([await folder({ 'own.ts': 'no', 'own.mts': 'no', 'own.mjs': OWN })])
    assert.deepEqual(
      files.map(({ path, problem }) => [basename(path), problem]),
      [['own.mjs', null]],
    )
  })

  it("has the core's own types, defaults, messages and descriptions for a user's options", async () => {
    const options = `kit => ({
      text: kit.text('a', 'A text'), must: kit.number(undefined, 'A number', { min: 1, max: 9 }),
      time: kit.duration('3s', 'A time'), word: kit.choice(['x', 'y'], 'y', 'A word'), status: kit.ranges('200-299', 'Some'),
      names: kit.list(['n'], 'Names'), flag: kit.flag(true, 'A flag'), like: kit.pattern('A pattern'),
      passwd: kit.secret(null, 'A password'), map: kit.map('A map'), maybe: kit.maybeText('Perhaps'),
    })`
    const here = new Function(`return ${options}`)() as Check['options']
    const { checks } = await loadChecks([
      await folder({ 'own.mjs': OWN.replace(/options: .*,\n/, `options: ${options},\n`) }),
    ])
    const check = checks.get('own') as Check
    assert.deepEqual(describeOptions(check), describeOptions({ options: here }))
    const [theirs, ours] = [check.options(optionKit), here(optionKit)]
    assert.deepEqual(Object.keys(theirs), Object.keys(ours))
    for (const [name, type] of Object.entries(theirs)) {
      assert.deepEqual(
        z.toJSONSchema(type, JSON_SCHEMA),
        z.toJSONSchema(ours[name] as z.ZodType, JSON_SCHEMA),
      )
      assert.deepEqual(markOf(type), markOf(ours[name]))
      for (const value of [undefined, null, 'x', '5', 5, 50, ['a'], { a: 'b' }, true, '300'])
        assert.deepEqual(type.safeParse(value), (ours[name] as z.ZodType).safeParse(value))
    }
  })

  it('keeps none of their code in memory', async () => {
    const { checks } = await loadChecks([await folder({ 'own.mjs': `globalThis.wasHere = true\n${OWN}` })])
    const { name, aliases, summary, module, origin, isJudgedApart } = checks.get('own') as Check
    assert.equal((globalThis as { wasHere?: true }).wasHere, undefined)
    assert.deepEqual(
      { name, aliases, summary, origin, isJudgedApart },
      {
        name: 'own',
        aliases: ['mine'],
        summary: 'a check of our own',
        origin: 'user',
        isJudgedApart: false,
      },
    )
    assert.match(module ?? '', /^file:\/\/.*\/own\.mjs\?version=[0-9a-f]{16}$/)
  })

  it('loads a new module for a changed file, and for a file with a changed helper', async () => {
    const path = await folder({ 'own.mjs': OWN, '_help.mjs': '1', 'notes.txt': '1' })
    const moduleNow = async () => (await loadChecks([path])).checks.get('own')?.module
    const before = await moduleNow()
    await writeFile(join(path, 'notes.txt'), '2')
    assert.equal(await moduleNow(), before)
    await writeFile(join(path, '_help.mjs'), '2')
    const helped = await moduleNow()
    assert.notEqual(helped, before)
    await writeFile(join(path, 'own.mjs'), `// new\n${OWN}`)
    assert.notEqual(await moduleNow(), helped)
  })

  it('refuses a folder that others may write', async () => {
    const path = await folder({ 'own.mjs': OWN }, 0o777)
    const { checks, problems } = await loadChecks([path])
    assert.equal(checks.has('own'), false)
    assert.deepEqual(problems, [
      `no check of ${path} is loaded: ${path} may be written by others (mode 0777): chmod go-w ${path}`,
    ])
  })

  it('refuses a folder with a file, even a helper, that others may write', async () => {
    const path = await folder({ 'own.mjs': OWN, '_helper.mjs': '' })
    await chmod(join(path, '_helper.mjs'), 0o664)
    const { checks, problems } = await loadChecks([path])
    assert.equal(checks.has('own'), false)
    assert.match(problems[0] as string, /_helper\.mjs may be written by others \(mode 0664\)/)
  })

  it('refuses a folder below one that others may write', async () => {
    const path = await folder({})
    const below = join(path, 'checks')
    await mkdir(below)
    await writeFile(join(below, 'own.mjs'), OWN, { mode: 0o644 })
    await chmod(path, 0o777)
    const { problems } = await loadChecks([below])
    assert.match(problems[0] as string, /may be written by others/)
  })

  it('refuses a folder with packages that others may write', async () => {
    const path = await folder({ 'own.mjs': OWN })
    await mkdir(join(path, 'node_modules/some'), { recursive: true })
    await chmod(join(path, 'node_modules/some'), 0o777)
    const { problems } = await loadChecks([path])
    assert.match(problems[0] as string, /node_modules\/some may be written by others/)
  })

  it('loads the target of a link, and checks the rights of its helpers, too', async () => {
    const there = await folder({ 'lag-2.mjs': OWN, '_helper.mjs': '' })
    const path = await folder({})
    await symlink(join(there, 'lag-2.mjs'), join(path, 'own.mjs'))
    const { checks, problems } = await loadChecks([path])
    assert.deepEqual(problems, [])
    assert.match(checks.get('own')?.module ?? '', /lag-2\.mjs\?/)
    await chmod(join(there, '_helper.mjs'), 0o666)
    assert.match((await loadChecks([path])).problems[0] as string, /_helper\.mjs may be written by others/)
  })

  it('checks the rights of the target of a link', async () => {
    const open = await folder({ 'own.mjs': OWN }, 0o777)
    const path = await folder({})
    await symlink(join(open, 'own.mjs'), join(path, 'own.mjs'))
    const { checks, problems } = await loadChecks([path])
    assert.equal(checks.has('own'), false)
    assert.match(problems[0] as string, /may be written by others/)
  })

  it('reports a missing folder, and a path that is a file', async () => {
    const path = await folder({ 'own.mjs': OWN })
    const { problems } = await loadChecks([join(path, 'nowhere'), join(path, 'own.mjs')])
    assert.deepEqual(problems, [
      `no check of ${join(path, 'nowhere')} is loaded: there is no such folder`,
      `no check of ${join(path, 'own.mjs')} is loaded: it is not a folder`,
    ])
  })
})
