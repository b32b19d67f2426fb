/** Configurations of several files. */
import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { globPattern } from '../../../src/config/glob.js'
import { expandIncludes } from '../../../src/config/include.js'
import { loadConfig } from '../../../src/config/load.js'
import { renderProblems } from '../../../src/config/problems/render-problem.js'
import { readYaml } from '../../../src/config/yaml/read-yaml.js'
import { temporaryFolder } from '../../support/folder.js'

type Files = Readonly<Record<string, string>>

function service(name: string, number: number, rest = 'check: none'): string {
  return `services:\n  ${name}:\n    virtual: '[2001:db8::${number}]:80'\n    ${rest}\n    reals: ['[2001:db8:1::${number}]']\n`
}

/** Writes the files into a folder and loads the first of them. */
async function load(files: Files) {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const first = join(folder, Object.keys(files)[0] ?? '')
  const loaded = await loadConfig(first)
  const told = loaded.problems.map(
    ({ code, file, at }) => `${file.replace(`${folder}/`, '')}:${at.line}:${at.column} ${code}`,
  )
  return { ...loaded, folder, told, names: loaded.config?.services.map(({ name }) => name) }
}

describe('include: a configuration that includes files', () => {
  it('contains the sysctls of all files, under one spelling of each name, and each once', async () => {
    const { told, config } = await load({
      'site.yaml': `include: b.yaml\nsysctls: { net.ipv4.ip_forward: 1 }\n${service('a', 1)}`,
      'b.yaml': `sysctls: { net/ipv4/conf/eth0.7/rp_filter: 2, net.ipv4.ping_group_range: '0\t7' }\n${service('b', 2)}`,
    })
    assert.deepEqual(told, [])
    assert.deepEqual(config?.sysctls, {
      'net.ipv4.ip_forward': '1',
      'net.ipv4.conf.eth0/7.rp_filter': '2',
      'net.ipv4.ping_group_range': '0 7',
    })
    const twice = await load({
      'site.yaml': `include: b.yaml\nsysctls: { net.ipv4.ip_forward: 1 }\n${service('a', 1)}`,
      'b.yaml': 'sysctls: { net.ipv4.ip_forward: 0 }\n',
    })
    assert.deepEqual(twice.told, ['b.yaml:1:12 DUPLICATE_KEY'])
  })

  it('contains the services of all files, in the order of their names, and the settings', async () => {
    const { names, told, config, included, patterns, folder } = await load({
      'site.yaml': `include: conf.d/*.yaml\nsettings: { resync: 20s }\n${service('a', 1)}`,
      'conf.d/20-c.yaml': service('c', 3),
      'conf.d/10-b.yaml': `settings: { resolve: 30s }\n${service('b', 2)}`,
      'conf.d/.hidden.yaml': service('d', 4),
      'conf.d/note.txt': 'no configuration',
      'conf.d/30-empty.yaml': '# nothing yet\n',
    })
    assert.deepEqual(told, ['conf.d/30-empty.yaml:1:1 EMPTY_INCLUDE'])
    assert.deepEqual(names, ['a', 'b', 'c'])
    assert.equal(config?.settings.resync, 20_000)
    assert.equal(config.settings.resolve, 30_000)
    assert.deepEqual(
      included?.map(({ path }) => path),
      ['10-b', '20-c', '30-empty'].map(name => join(folder, `conf.d/${name}.yaml`)),
    )
    assert.deepEqual(patterns, [join(folder, 'conf.d/*.yaml')])
  })

  it('tells of a file without anything in it, and runs', async () => {
    for (const [text, severity, what] of [
      ['', 'warning', 'the file is empty'],
      [' \t\r\n\n', 'warning', 'the file is empty'],
      ['---\n', 'warning', 'the file is empty'],
      ['# services:\n#   b:\n', 'note', 'the file holds only comments'],
      [`#${'x'.repeat(70_000)}\n`, 'note', 'the file holds only comments'],
    ] as const) {
      const { config, problems, told, included } = await load({
        'site.yaml': `include: b*.yaml\n${service('a', 1)}`,
        'b.yaml': text,
      })
      assert.deepEqual(told, ['b.yaml:1:1 EMPTY_INCLUDE'])
      assert.equal(problems[0]?.severity, severity)
      assert.equal(problems[0].message, `${what}: it adds nothing to the configuration`)
      assert.deepEqual([config?.services.length, included?.length], [1, 1])
    }
  })

  it('counts the limit of 16 MiB in bytes', () => {
    const folder = temporaryFolder()
    for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, `${name}.yaml`), `#${'é'.repeat(2 ** 22)}`)
    const text = 'include: [a.yaml, b.yaml, c.yaml]\n'
    const { included, document } = expandIncludes(
      readYaml(text, 'site.yaml'),
      join(folder, 'site.yaml'),
      text,
    )
    assert.equal(included.length, 2)
    assert.match(document.problems[0]?.message ?? '', /all files together have more than 16 MiB$/)
  })

  it('needs no services of its own, accepts a list, and follows nested includes', async () => {
    const { names, told } = await load({
      'site.yaml': 'include: [one.yaml, more/two.yaml]\n',
      'one.yaml': service('one', 1),
      'more/two.yaml': `include: three.yaml\n${service('two', 2)}`,
      'more/three.yaml': service('three', 3),
    })
    assert.deepEqual(told, [])
    assert.deepEqual(names, ['one', 'two', 'three'])
  })

  it('applies its defaults to all files; each file can have more for its own services', async () => {
    const { config, told } = await load({
      'site.yaml': `include: b.yaml\ndefaults: { scheduler: rr, weight: 3, check: none }\n${service('a', 1, 'quiescent: true')}`,
      'b.yaml': `defaults: { scheduler: sh }\n${service('b', 2, 'quiescent: true')}`,
    })
    assert.deepEqual(told, [])
    const [a, b] = config?.services ?? []
    assert.deepEqual([a?.attributes.scheduler, b?.attributes.scheduler], ['rr', 'sh'])
    assert.deepEqual([a?.reals[0]?.attributes.weight, b?.reals[0]?.attributes.weight], [3, 3])
    assert.deepEqual(b?.reals[0]?.checks[0]?.kind, 'none')
  })

  it('reports errors with their file, and shows the line', async () => {
    const loaded = await load({
      'site.yaml': `include: b.yaml\n${service('a', 1)}`,
      'b.yaml': `x-free: 1\nextra: 2\n${service('b', 2, 'check: none\n    shceduler: rr')}`,
    })
    assert.deepEqual(loaded.told, ['b.yaml:2:1 UNKNOWN_KEY', 'b.yaml:7:5 UNKNOWN_KEY'])
    assert.match(renderProblems(loaded), /b\.yaml:7:5 UNKNOWN_KEY .*\n {4}shceduler: rr\n {4}\^{9}\n/)
  })

  it('refuses parts that count in the main file only', async () => {
    const loaded = await load({
      'site.yaml': `include: b.yaml\n${service('a', 1)}`,
      'b.yaml': `api: { listen: '[::1]:8080' }\n${service('b', 2)}cluster: { redis: { url: 'redis://[::1]' } }\n`,
    })
    assert.deepEqual(loaded.told, ['b.yaml:1:1 UNKNOWN_KEY', 'b.yaml:7:1 UNKNOWN_KEY'])
    const [{ message } = { message: '' }] = loaded.problems
    assert.equal(message, `"api" has no effect in an included file; move it to ${loaded.folder}/site.yaml`)
  })

  it('is not known to include none where it cannot be parsed', async () => {
    const { included, patterns, told } = await load({
      'site.yaml': 'include: b.yaml\nservices: [',
      'b.yaml': '',
    })
    assert.deepEqual([included, patterns, told], [undefined, undefined, ['site.yaml:2:11 SYNTAX']])
  })

  it('reports invalid YAML in an included file', async () => {
    const { told } = await load({
      'site.yaml': `include: b.yaml\n${service('a', 1)}`,
      'b.yaml': 'services:\n\tx: 1\n',
    })
    assert.deepEqual(told, ['b.yaml:2:1 TAB_INDENT'])
  })

  it('refuses names, addresses and settings that are in two files', async () => {
    const { told, problems, folder } = await load({
      'site.yaml': `include: [b.yaml, c.yaml]\nsettings: { resync: 1s }\n${service('a', 1)}`,
      'b.yaml': service('a', 2),
      'c.yaml': `settings: { resync: 2s }\n${service('c', 1)}`,
    })
    assert.deepEqual(told, [
      'b.yaml:2:3 DUPLICATE_SERVICE',
      'c.yaml:1:13 DUPLICATE_KEY',
      'c.yaml:4:14 COLLIDING_SERVICES',
    ])
    assert.deepEqual(
      problems.map(({ message }) => message.replaceAll(`${folder}/`, '')),
      [
        '"a" is the name of the service in line 4 of site.yaml, too',
        '"resync" is set twice; the first is in line 2 of site.yaml',
        '"c" is the same service as "a" in line 5 of site.yaml: tcp [2001:db8::1]:80',
      ],
    )
  })

  it('names the file of a real server that is the fallback of all, where that is in another file', async () => {
    const { told, problems } = await load({
      'site.yaml': "include: b.yaml\ndefaults: { fallback: '[2001:db8:1::2]:80' }\n",
      'b.yaml': service('b', 2),
    })
    assert.deepEqual(told, ['site.yaml:2:24 FALLBACK_IS_REAL'])
    assert.match(problems[0]?.message ?? '', /^the fallback is the real server in line 5 of .*b\.yaml, too$/)
  })

  it('refuses loops, and reads a file once if it is included twice', async () => {
    const looping = await load({
      'site.yaml': `include: b.yaml\n${service('a', 1)}`,
      'b.yaml': `include: [c.yaml]\n${service('b', 2)}`,
      'c.yaml': `include: site.yaml\n${service('c', 3)}`,
    })
    assert.deepEqual(looping.told, ['c.yaml:1:10 INCLUDE_LOOP'])
    const twice = await load({
      'site.yaml': `include: ['*.yaml', b.yaml, ./b.yaml]\n${service('a', 1)}`,
      'b.yaml': service('b', 2),
    })
    assert.deepEqual(twice.told, [])
    assert.deepEqual(twice.names, ['a', 'b'])
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'site.yaml'), `include: other.yaml\n${service('a', 1)}`)
    symlinkSync('site.yaml', join(folder, 'other.yaml'))
    const { problems } = await loadConfig(join(folder, 'site.yaml'))
    assert.deepEqual(
      problems.map(({ code }) => code),
      ['INCLUDE_LOOP'],
    )
  })

  it('refuses missing files, folders, devices and files of ldirectord', async () => {
    const { told, problems } = await load({
      'site.yaml': `include:\n  - none.yaml\n  - folder\n  - /dev/zero\n  - old.cf\n  - none*.yaml\n${service('a', 1)}`,
      'folder/x': '',
      'old.cf': 'virtual=192.0.2.1:80\n',
    })
    assert.deepEqual(
      told,
      [2, 3, 4, 5].map(line => `site.yaml:${line}:5 BAD_INCLUDE`),
    )
    const messages = problems.map(({ message }) => message).join('\n')
    assert.match(
      messages,
      /^\/.*\/none\.yaml cannot be included: there is no such file\n.*a folder, not a file\n.*a device, not a file\n.*lvsd import/,
    )
  })

  it('resolves secrets, paths and checks relative to the file that contains them', async () => {
    const { config, told, folder } = await load({
      'site.yaml': `include: sub/b.yaml\n${service('a', 1)}`,
      'sub/b.yaml': `settings: { maintenancedir: held, state: state }\n${service('b', 2, 'check: { kind: pop, login: u, passwd: { file: pw } }\n    monitorfile: log')}`,
      'sub/pw': 'sesame\n',
    })
    assert.deepEqual(told, [])
    const b = config?.services[1]
    assert.equal(b?.reals[0]?.checks[0]?.options.passwd, 'sesame')
    assert.equal(b.monitorfile, join(folder, 'sub/log'))
    assert.equal(config?.settings.maintenancedir, join(folder, 'sub/held'))
    assert.equal(config.settings.state, join(folder, 'sub/state'))
  })
})

describe('include: a pattern of names', () => {
  const CASES: readonly [pattern: string, yes: readonly string[], no: readonly string[]][] = [
    ['*.yaml', ['a.yaml', '.yaml.yaml'.slice(1), 'a.b.yaml'], ['a.yml', '.a.yaml', 'a.yaml~']],
    ['[0-9]?-*', ['10-a', '9x-'], ['x0-a', '10']],
    ['[!a]b', ['bb'], ['ab', 'b']],
    ['.*', ['.a'], ['a']],
    ['a*b*c', ['abc', 'aXbYbZc'], ['ab', 'acb']],
    [']', [']'], ['[']],
    ['[ab', ['[ab'], ['a']],
  ]
  for (const [pattern, yes, no] of CASES)
    it(`is ${pattern}`, () => {
      const matches = globPattern(pattern)
      assert.deepEqual(
        yes.filter(name => !matches(name)),
        [],
      )
      assert.deepEqual(no.filter(matches), [])
    })

  it('is not slower with many stars', () => {
    const started = performance.now()
    assert.equal(globPattern(`${'*a'.repeat(100)}b`)('a'.repeat(255)), false)
    assert.ok(performance.now() - started < 500)
  })
})
