import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadChecks } from '../src/load-checks.js'
import { later } from './helpers/after-each.js'
import { probe } from './helpers/probe.js'

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
  later(() => rm(path, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(path, name), text)
    await chmod(join(path, name), 0o644)
  }
  await chmod(path, mode)
  return path
}

describe('loading checks', () => {
  it('finds all of ours, each under its name', async () => {
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
    const { checks, problems } = await loadChecks([await folder({ 'own.js': OWN, 'README.md': '# ours' })])
    assert.deepEqual(problems, [])
    const check = checks.get('own')
    assert.ok(check)
    assert.equal(checks.get('mine'), check)
    assert.equal((await probe(check, 7, { word: 'hello' })).detail, 'hello 7')
  })

  it('takes .mjs, and TypeScript where the runtime does', async () => {
    const files = {
      'own.mjs': OWN,
      'typed.ts': OWN.replace("'own'", "'typed' as string").replace("['mine']", '[]'),
    }
    const { checks, problems } = await loadChecks([await folder(files)])
    assert.deepEqual(problems, [])
    assert.ok(checks.has('own') && checks.has('typed'))
  })

  it('passes over helpers and type declarations', async () => {
    const files = { '_helper.js': 'export const x = 1', 'own.d.ts': '', 'own.js': OWN }
    const { checks, problems } = await loadChecks([await folder(files)])
    assert.deepEqual(problems, [])
    assert.ok(checks.has('own'))
  })

  const wrong: readonly [what: string, files: Readonly<Record<string, string>>, problem: RegExp][] = [
    [
      'a file not named after its check',
      { 'other.js': OWN },
      /other\.js: it holds the check "own" and must be named after it/,
    ],
    [
      'a name of ours',
      { 'http.js': OWN.replace("'own'", "'http'") },
      /http\.js: the name "http" is taken by .*http\.[jt]s/,
    ],
    [
      'an alias that is a name of ours',
      { 'own.js': OWN.replace("'mine'", "'ping'") },
      /the name "ping" is taken by/,
    ],
    ['no export', { 'own.js': 'export default 1' }, /own\.js: it must export an object named `check`/],
    [
      'no summary',
      { 'own.js': OWN.replace('summary', 'about') },
      /`check\.summary` is not as a check needs it/,
    ],
    ['a name in capitals', { 'Own.js': OWN.replace("'own'", "'Own'") }, /`check\.name`.*lower-case/],
    [
      'neither run nor probe',
      { 'own.js': OWN.replace('async run', 'async go') },
      /a check needs `run` or `probe`/,
    ],
    [
      'a run that is no function',
      { 'own.js': OWN.replace(/async run[\s\S]*\n {2}\},/, 'run: 5,') },
      /`check\.run`.*a function/,
    ],
    [
      'options that throw',
      { 'own.js': OWN.replace('kit.text(', 'kit.nothing(') },
      /`options` fails: kit\.nothing is not a function/,
    ],
    [
      'options not made with the kit',
      { 'own.js': OWN.replace("kit.text('up', 'What to say')", "'up'") },
      /`options` must return an object/,
    ],
    ['a syntax error', { 'own.js': 'export const check = {' }, /own\.js does not load: /],
    ['an import that is not there', { 'own.js': `import './nowhere.js'\n${OWN}` }, /own\.js does not load: /],
  ]
  for (const [what, files, problem] of wrong)
    it(`refuses ${what}, and only that`, async () => {
      const { checks, problems } = await loadChecks([
        await folder({ ...files, 'fine.js': OWN.replace("'own'", "'fine'").replace("'mine'", "'good'") }),
      ])
      assert.equal(problems.length, 1)
      assert.match(problems[0] as string, problem)
      assert.ok(checks.has('fine') && checks.has('http'))
    })

  it('refuses a folder that others may write', async () => {
    const path = await folder({ 'own.js': OWN }, 0o777)
    const { checks, problems } = await loadChecks([path])
    assert.equal(checks.has('own'), false)
    assert.deepEqual(problems, [
      `no check of ${path} is loaded: ${path} may be written by others (mode 0777): chmod go-w ${path}`,
    ])
  })

  it('refuses a folder with a file, even a helper, that others may write', async () => {
    const path = await folder({ 'own.js': OWN, '_helper.js': '' })
    await chmod(join(path, '_helper.js'), 0o664)
    const { checks, problems } = await loadChecks([path])
    assert.equal(checks.has('own'), false)
    assert.match(problems[0] as string, /_helper\.js may be written by others \(mode 0664\)/)
  })

  it('refuses a folder below one that others may write', async () => {
    const path = await folder({})
    const below = join(path, 'checks')
    await mkdir(below)
    await writeFile(join(below, 'own.js'), OWN, { mode: 0o644 })
    await chmod(path, 0o777)
    const { problems } = await loadChecks([below])
    assert.match(problems[0] as string, /may be written by others/)
  })

  it('follows a link to where it leads before it trusts it', async () => {
    const open = await folder({ 'own.js': OWN }, 0o777)
    const path = await folder({})
    await symlink(join(open, 'own.js'), join(path, 'own.js'))
    const { checks, problems } = await loadChecks([path])
    assert.equal(checks.has('own'), false)
    assert.match(problems[0] as string, /may be written by others/)
  })

  it('tells of a folder that is not there, and of one that is a file', async () => {
    const path = await folder({ 'own.js': OWN })
    const { problems } = await loadChecks([join(path, 'nowhere'), join(path, 'own.js')])
    assert.deepEqual(problems, [
      `no check of ${join(path, 'nowhere')} is loaded: there is no such folder`,
      `no check of ${join(path, 'own.js')} is loaded: it is not a folder`,
    ])
  })
})
