import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join, relative } from 'node:path'
import fc from 'fast-check'
import { AcceptedConfiguration, type AcceptedParts, isRunnable } from '../../../src/accepted/accepted.js'
import { acceptedPath } from '../../../src/accepted/accepted-path.js'
import { readAccepted, writeAccepted } from '../../../src/accepted/store.js'
import { type Loaded, loadConfig } from '../../../src/config/load.js'
import { loadConfigApart } from '../../../src/config/load-apart.js'
import { loadChanged } from '../../../src/config/load-changed.js'
import { withPaths } from '../../../src/director/compose.js'
import { build } from '../../../src/system/build-id.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { NOBODY, needsRoot } from '../../support/as-root.js'
import { edit, edited, site } from '../../support/config/edited-sites.js'
import { LDIRECTORD_CF } from '../../support/config/edited-virtuals.js'
import { temporaryFile, temporaryFolder } from '../../support/folder.js'

const WEB = `services:
  web:
    virtual: '[2001:db8::1]:80'
    check: http
    reals: ['[2001:db8:1::11]:80', '[2001:db8:1::12]:80 masq 2', '[2001:db8:1::13]:80']
`

/** One file, and the state folder of its directors. */
function place(name: string, text: string) {
  const [file, state] = [join(temporaryFolder(), name), temporaryFolder()]
  writeFileSync(file, text)
  const director = (parts: Partial<AcceptedParts> = {}) => {
    const paths = { socket: undefined, state }
    return new AcceptedConfiguration(
      { file, state, env: {} },
      { isTrial: true, tell: assert.fail, paths, ...parts },
    )
  }
  /** Reads the file, and keeps it as a director that runs it. */
  const keep = async (keeper = director()) => {
    const loaded = withPaths(await loadConfig(file), { state })
    assert.ok(isRunnable(loaded), JSON.stringify(loaded.problems))
    await keeper.keep(loaded)
    return loaded
  }
  return { file, state, director, keep, path: acceptedPath(state, file) }
}

/** A director of this file and state folder. */
function at(file: string, state: string) {
  const paths = { socket: undefined, state }
  return new AcceptedConfiguration({ file, state, env: {} }, { isTrial: true, tell: assert.fail, paths })
}

/** What a start has of its configuration. */
function compared({ config, checks, problems, text, included, patterns, hiding, reuse }: Loaded) {
  return { config, checks, problems, text, included, patterns, hidden: hiding?.hidden ?? [], reuse }
}

describe('same text: a start takes up the configuration that was accepted', () => {
  it('is what reading the file gives', async () => {
    const { director, keep } = place('lvsd.yaml', WEB)
    const read = await keep()
    const taken = await director().ofSameText()
    assert.ok(taken)
    assert.deepEqual(compared(taken), compared(read))
    const [first, second, third] = taken.config.services[0]?.reals ?? []
    assert.ok(Object.isFrozen(first) && Object.isFrozen(first?.checks[0]?.options))
    assert.equal(first?.checks, second?.checks)
    assert.equal(first?.attributes, third?.attributes)
  })

  it('lets a reload read what has changed only', async () => {
    const { file, director, keep } = place(
      'lvsd.yaml',
      `${WEB}${WEB.replace(/^services:/, '')
        .replace('web', 'more')
        .replace('::1]', '::2]')}`,
    )
    await keep()
    const taken = await director().ofSameText()
    assert.ok(taken)
    const text = taken.text.replace('masq 2', 'masq 3')
    const changed = await loadChanged(file, text, taken)
    assert.ok(changed)
    assert.equal(changed.config?.services[0]?.reals[1]?.attributes.weight, 3)
    assert.equal(changed.config?.services[1], taken.config.services[1])
    assert.notEqual(changed.config?.services[0], taken.config.services[0])
  })

  for (const [name, language] of Object.entries({ 'site.yaml': undefined, 'site.cf': LDIRECTORD_CF }))
    it(`is what reading ${name} gives, or nothing, whatever is in it`, async function () {
      this.timeout(120_000)
      const password = temporaryFile('password', 'secret\n')
      let taken = 0
      await fc.assert(
        fc.asyncProperty(site, fc.array(edit, { maxLength: 3 }), async (first, edits) => {
          const { text } = edited(first, edits, password, language)
          const { file, state, director } = place(name, text)
          const loaded = withPaths(await loadConfig(file), { state })
          if (!isRunnable(loaded)) return
          await director().keep(loaded)
          const same = await director().ofSameText()
          if (!same) return assert.notEqual(loaded.reuse?.isWhole, true)
          taken++
          assert.deepEqual(compared(same), compared(loaded))
        }),
        { numRuns: 60 },
      )
      // A third as a rule.
      assert.ok(taken >= 3, `${taken} of 60`)
    })

  it('is what reading each recipe gives, or nothing', async () => {
    const folder = join(packageRoot, 'config/recipes')
    const taken: string[] = []
    for (const name of readdirSync(folder).filter(name => name.endsWith('.yaml'))) {
      const { file, state, director } = place(name, readFileSync(join(folder, name), 'utf8'))
      const read = withPaths(await loadConfig(file), { state })
      if (!isRunnable(read)) continue
      await director().keep(read)
      const same = await director().ofSameText()
      assert.equal(same !== null, read.reuse?.isWhole === true, name)
      if (!same) continue
      taken.push(name)
      assert.deepEqual(compared(same), compared(read), name)
    }
    assert.ok(taken.includes('direct-routing.yaml'), `${taken}`)
  })

  it('has what a thread has read, and what a reload has read in part', async () => {
    const { file, state, director } = place('lvsd.yaml', WEB)
    const apart = withPaths(await loadConfigApart(file), { state })
    assert.ok(isRunnable(apart))
    await director().keep(apart)
    assert.ok(await director().ofSameText())
    const text = `${WEB}  mail: { virtual: '[2001:db8::2]:25', check: smtp, reals: ['[2001:db8:1::21]:25'] }\n`
    const part = await loadChanged(file, text, apart)
    assert.ok(part && isRunnable(part))
    writeFileSync(file, text)
    await director().keep(withPaths(part, { state }))
    const taken = await director().ofSameText()
    const whole = withPaths(await loadConfig(file), { state })
    assert.deepEqual(taken?.config, whole.config)
  })

  /** What is done between the two starts, after which the file has to be read. */
  const others: [name: string, change: (at: ReturnType<typeof place>) => void | Promise<void>][] = [
    ['another text', ({ file }) => writeFileSync(file, WEB.replace('masq 2', 'masq 3'))],
    ['a comment more', ({ file }) => writeFileSync(file, `${WEB}# more\n`)],
    ['no text', ({ file }) => writeFileSync(file, '')],
    [
      'a damaged value',
      ({ path }) => writeFileSync(path, readFileSync(path, 'utf8').replace(/("weight":)2/, '$13')),
    ],
    ['half of what was stored', ({ path }) => writeFileSync(path, readFileSync(path, 'utf8').slice(0, -400))],
    [
      'another build',
      ({ path }) => writeFileSync(path, readFileSync(path, 'utf8').replace(/"build":"/, '$&older ')),
    ],
  ]
  for (const [name, change] of others)
    it(`is nothing after ${name}`, async () => {
      const at = place('lvsd.yaml', WEB)
      await at.keep()
      const before = readFileSync(at.path, 'utf8') + readFileSync(at.file, 'utf8')
      await change(at)
      assert.notEqual(readFileSync(at.path, 'utf8') + readFileSync(at.file, 'utf8'), before)
      assert.equal(await at.director().ofSameText(), null)
    })

  it('is nothing where the command line gives other paths, or the program reads always', async () => {
    const { state, director, keep } = place('lvsd.yaml', WEB)
    await keep()
    assert.equal(await director({ paths: { state, socket: '/run/other.sock' } }).ofSameText(), null)
    const always = new AcceptedConfiguration(
      { file: 'x', state, env: {} },
      { isTrial: true, tell: assert.fail },
    )
    assert.equal(await always.ofSameText(), null)
  })

  it('has the name that this start gives the file, also where another folder was the working directory', async () => {
    const text = LDIRECTORD_TEXT.replace('checktimeout=3', 'checktimeout=3\nlogfile="/var/log/l.log"')
    const { file, state, director, keep } = place('site.cf', text)
    assert.notDeepEqual((await keep()).problems, [])
    const name = relative(process.cwd(), file)
    const { problems, config } = (await at(name, state).ofSameText()) ?? assert.fail()
    assert.equal(config.file, name)
    assert.deepEqual(problems, (await loadConfig(name)).problems)
    writeFileSync(file, '')
    const chosen = await director().choose(await loadConfig(file))
    assert.equal(chosen?.loaded.config.file, file)
    assert.equal((await at(name, state).choose(await loadConfig(name)))?.loaded.config.file, name)
  })

  it('is nothing where others can write to what is stored, which is then stored again', async () => {
    const { path, director, keep } = place('lvsd.yaml', WEB)
    await keep()
    chmodSync(path, 0o620)
    assert.equal(await director().ofSameText(), null)
    await keep()
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.ok(await director().ofSameText())
  })

  it('is nothing where another user owns what is stored, which is then stored again', async function () {
    needsRoot(() => this.skip())
    const { path, director, keep } = place('lvsd.yaml', WEB)
    await keep()
    chownSync(path, NOBODY, NOBODY)
    assert.equal(await director().ofSameText(), null)
    await keep()
    assert.equal(statSync(path).uid, 0)
    assert.ok(await director().ofSameText())
  })

  it('is nothing for a file that a shell passes, whose paths are relative to the working directory', async () => {
    const { file, state } = place('site.yaml', WEB)
    const fd = openSync(file, 'r')
    onCleanup(() => closeSync(fd))
    const passed = `/proc/${process.pid}/fd/${fd}`
    const loaded = withPaths(await loadConfig(passed), { state })
    assert.ok(isRunnable(loaded) && loaded.reuse?.isWhole)
    await at(passed, state).keep(loaded)
    assert.equal(await at(passed, state).ofSameText(), null)
  })

  const clusters = [
    'role: { from: file, path: /run/lvsd/role }',
    "role: { from: vrrp, address: '2001:db8::80', interface: eth0 }",
    'role: { from: vrrp, instance: VI_1 }',
    "redis: { url: 'redis://[2001:db8::1]:6379' }, observers: 2",
    "connectivity: { gateways: ['2001:db8::1'], groups: [{ ping: ['2001:db8::2'] }] }",
    'sync: { interface: eth0 }',
  ]
  for (const cluster of clusters)
    it(`is what reading a cluster gives: ${cluster}`, async () => {
      const { director, keep } = place('lvsd.yaml', `cluster: { ${cluster} }\n${WEB}`)
      const read = await keep()
      const taken = await director().ofSameText()
      assert.ok(taken)
      assert.deepEqual(compared(taken), compared(read))
    })

  it('is nothing on a machine of another name, where the file takes values from it', async () => {
    const { file, path, director, keep } = place('site.cf', LDIRECTORD_TEXT)
    await keep()
    assert.ok(await director().ofSameText())
    const stored = await readAccepted(path, { file, build: build(), tell: assert.fail })
    assert.ok(stored?.fromText)
    assert.equal(stored.fromText.hostname, hostname())
    await writeAccepted(path, {
      ...stored,
      fromText: { ...stored.fromText, hostname: 'elsewhere' },
      build: build(),
    })
    assert.equal(await director().ofSameText(), null)
  })

  const looks: [name: string, text: string][] = [
    ['names of this machine', WEB.replace("'[2001:db8:1::11]:80'", "'localhost:80'")],
    ['a port by its name', WEB.replace('[2001:db8::1]:80', '[2001:db8::1]:http')],
    ['a command', WEB.replace('check: http', 'check: { kind: external, checkcommand: /bin/true }')],
    ['a window', WEB.replace('check: http', "check: http\n    windows: [{ at: '0 3 * * *', for: 1h }]")],
    ['a group of this machine', `settings: { socket-group: root }\n${WEB}`],
    ['an interface of this machine', `cluster: { connectivity: { interfaces: [lo] } }\n${WEB}`],
    ['a folder of checks', `settings: { checks: [.] }\n${WEB}`],
    [
      'a secret in a file',
      WEB.replace('check: http', 'check: { kind: http, login: a, passwd: { file: ./passwd } }'),
    ],
    [
      'a secret in a variable',
      WEB.replace('check: http', 'check: { kind: http, login: a, passwd: { env: HOME } }'),
    ],
    ['other files', `include: more.yaml\n${WEB}`],
  ]
  for (const [name, text] of looks)
    it(`is nothing where the file depends on ${name}`, async () => {
      const { file, state, director } = place('lvsd.yaml', text)
      writeFileSync(join(file, '../passwd'), 'b')
      writeFileSync(join(file, '../more.yaml'), 'settings: { log-level: debug }\n')
      const loaded = withPaths(await loadConfig(file), { state })
      assert.ok(isRunnable(loaded), JSON.stringify(loaded.problems))
      await director().keep(loaded)
      assert.equal(await director().ofSameText(), null)
    })
})

const LDIRECTORD_TEXT = `checktimeout=3
virtual6=[2001:db8::1]:80
	real6=[2001:db8:1::11]:80 gate
	service=http
	request="index.html"
	receive="OK"
	scheduler=rr
	protocol=tcp
	checktype=negotiate
`
