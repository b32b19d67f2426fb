import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatOf } from '../../../src/config/format.js'
import { loadConfig } from '../../../src/config/load.js'
import { siteWith } from '../../support/config/config-of.js'
import { temporaryFolder } from '../../support/folder.js'

const SITE = siteWith('check: none', "reals: ['[2001:db8:1::11]']")
const CF = 'virtual6 = [2001:db8::80]:80\n\treal6 = [2001:db8:1::11]:80 masq\n\tservice = http\n'

async function codesOf(file: string, text?: string): Promise<readonly string[]> {
  const { config, problems } = await loadConfig(file, text === undefined ? {} : { text })
  if (problems.some(({ severity }) => severity === 'error')) assert.equal(config, null)
  return problems.map(({ at, code }) => `${at.line}:${at.column} ${code}`)
}

describe('load: loading a configuration', () => {
  it('reads YAML and ldirectord.cf from files, and keeps their text', async () => {
    const folder = temporaryFolder()
    for (const [name, text] of [
      ['site.yaml', SITE],
      ['ldirectord.cf', CF],
    ] as const) {
      const file = join(folder, name)
      await writeFile(file, text)
      const loaded = await loadConfig(file)
      assert.equal(loaded.config?.file, file)
      assert.equal(loaded.config.services[0]?.reals[0]?.host, '2001:db8:1::11')
      assert.equal(loaded.text, text)
      assert.ok(loaded.checks.has(name === 'site.yaml' ? 'none' : 'http'))
    }
  })

  it('reports a missing file, a folder, and a file that is not text', async () => {
    const folder = temporaryFolder()
    assert.deepEqual(await codesOf(join(folder, 'none.yaml')), ['1:1 FILE_UNREADABLE'])
    assert.deepEqual(await codesOf(folder), ['1:1 FILE_UNREADABLE'])
    assert.deepEqual(await codesOf('utf16.yaml', 'a\0:\0 \x001\0'), ['1:1 NOT_TEXT'])
  })

  it('does not wait for a pipe without a writer', async () => {
    const pipe = join(temporaryFolder(), 'site.yaml')
    execFileSync('mkfifo', [pipe])
    assert.deepEqual(await codesOf(pipe), ['1:1 FILE_UNREADABLE'])
  })

  it('does not wait for a device, or for an endless file of /proc', async () => {
    for (const path of ['/dev/zero', '/dev/urandom', '/dev/null', '/proc/kmsg'])
      assert.deepEqual(await codesOf(path), ['1:1 FILE_UNREADABLE'], path)
  })

  it('lists a limited number of problems and the number of the others', async () => {
    const lines = Array.from({ length: 5000 }, (_, i) => `    foo${i}: 1\n`)
    const { config, problems } = await loadConfig('site.yaml', { text: `${SITE}${lines.join('')}` })
    assert.equal(config, null)
    assert.equal(problems.length, 1001)
    const { code, severity, message } = problems.at(-1) ?? {}
    assert.deepEqual([code, severity], ['MORE_PROBLEMS', 'error'])
    assert.match(message ?? '', /^and 4000 more problems that are not listed: 4000 errors$/)
  })

  it('shortens quoted text', async () => {
    const { problems } = await loadConfig('site.yaml', {
      text: `services: { web: { virtual: '${'a'.repeat(100_000)}:x', reals: [] } }`,
    })
    assert.ok(problems.every(({ message }) => message.length < 500))
    assert.match(problems[0]?.message ?? '', /"a{100,}…" is not a/)
  })

  for (const name of ['site.yaml', 'ldirectord.cf', 'site']) {
    it(`refuses an empty ${name}`, async () => {
      for (const text of ['', '\n\n', '# all of it\n  # commented out', '\ufeff']) {
        assert.deepEqual(await codesOf(name, text), ['1:1 EMPTY'], JSON.stringify(text))
      }
    })
  }

  it('reports an unknown flag of an ldirectord.cf once', async () => {
    const text = 'virtual6=[fd00::1]:80\n\treal6=[fd00::2]:80 gate\n\tscheduler=wlc\n\tschedflags=sh-port\n'
    const codes = await codesOf('site.cf', text)
    assert.deepEqual(
      codes.filter(code => code.startsWith('4:')),
      ['4:13 SCHEDULER_FLAG'],
    )
  })

  it('recognizes YAML and ldirectord.cf by the extension, otherwise by the content', () => {
    assert.equal(formatOf('x.cf', SITE), 'ldirectord')
    assert.equal(formatOf('X.CF', ''), 'ldirectord')
    assert.equal(formatOf('x.yml', CF), 'yaml')
    assert.equal(formatOf('x.json', '{}'), 'yaml')
    for (const name of ['x', 'x.conf', '/etc/ha.d/ldirectord']) {
      assert.equal(formatOf(name, SITE), 'yaml')
      assert.equal(formatOf(name, '{ "services": {} }'), 'yaml')
      assert.equal(formatOf(name, CF), 'ldirectord')
      assert.equal(formatOf(name, '# old\nchecktimeout=3\n\nvirtual=192.0.2.1:80\n'), 'ldirectord')
    }
  })

  it('does not report the default timeouts of ldirectord', async () => {
    const { problems } = await loadConfig('x.cf', { text: CF })
    assert.ok(!problems.some(({ code }) => code === 'TIMEOUT_OVER_INTERVAL'))
  })

  it('loads the checks of a folder that is named relative to the file', async () => {
    const folder = temporaryFolder()
    await mkdir(join(folder, 'checks'), { mode: 0o755 })
    await writeFile(join(folder, 'checks', 'tea.mjs'), TEA, { mode: 0o644 })
    const file = join(folder, 'site.yaml')
    const text = `settings: { checks: [checks] }\n${siteWith('check: { kind: tea, cups: 2 }', "reals: ['[2001:db8:1::11]']")}`
    await writeFile(file, text)
    const { config, problems } = await loadConfig(file)
    assert.deepEqual(problems, [])
    assert.deepEqual(config?.services[0]?.reals[0]?.checks[0]?.options, { cups: 2 })
    assert.deepEqual(config.settings.checks, [join(folder, 'checks')])
  })

  it('reports a folder that other users may write at its position in the list', async () => {
    const folder = temporaryFolder()
    await mkdir(join(folder, 'open'))
    await chmod(join(folder, 'open'), 0o777)
    await mkdir(join(folder, 'closed'), { mode: 0o755 })
    const file = join(folder, 'site.yaml')
    await writeFile(file, `settings:\n  checks:\n    - closed\n    - open\n${SITE}`)
    assert.deepEqual(await codesOf(file), ['4:7 CHECK_FOLDER'])
  })
})

const TEA = `export const check = {
  name: 'tea',
  summary: 'asks for tea',
  options: kit => ({ cups: kit.number(1, 'Cups') }),
  async run() { return { ok: true, reason: null, detail: 'tea' } },
}
`
