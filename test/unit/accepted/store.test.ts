import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AcceptedConfiguration, type Runnable, StopMark } from '../../../src/accepted/accepted.js'
import { acceptedPath, DEFAULT_STATE } from '../../../src/accepted/accepted-path.js'
import { stateFolders, writePointer } from '../../../src/accepted/places.js'
import { type Accepted, readAccepted, writeAccepted } from '../../../src/accepted/store.js'
import { loadConfig } from '../../../src/config/load.js'
import { settingsFields } from '../../../src/config/schema/schema.js'
import { temporaryFolder } from '../../support/folder.js'
import { config, real, service } from '../../support/tables.js'
import { THINGS } from '../../support/things.js'

const FILE = '/etc/lvsd/lvsd.yaml'
const SITE = { ...config([service('web', { reals: [real('fd00:1::a')] })]), file: FILE }

function accepted(change: Partial<Accepted> = {}): Accepted & { build: string } {
  return {
    file: FILE,
    at: '2026-11-28T03:00:00.000Z',
    text: 'services: {}',
    config: SITE,
    fromText: null,
    build: 'a',
    ...change,
  }
}

function reading(path: string, build = 'a') {
  const told: string[] = []
  const read = (file = FILE) => readAccepted(path, { file, build, tell: problem => told.push(problem) })
  return { told, read }
}

describe('store: the last accepted configuration', () => {
  it('is restored unchanged, and readable only by its owner', async () => {
    const folder = temporaryFolder()
    const path = acceptedPath(folder, FILE)
    await writeAccepted(path, accepted())
    const { build: _, ...expected } = accepted()
    assert.deepEqual(await reading(path).read(), expected)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(folder).length, 1)
  })

  it('is only the text for another build of lvsd', async () => {
    const path = acceptedPath(temporaryFolder(), FILE)
    await writeAccepted(path, accepted())
    assert.deepEqual((await reading(path, 'b').read())?.config, null)
  })

  it('removes the rights of other users from its file', async () => {
    const path = acceptedPath(temporaryFolder(), FILE)
    writeFileSync(`${path}.new`, 'half a', { mode: 0o644 })
    await writeAccepted(path, accepted())
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('is not written again without a change', async () => {
    const path = acceptedPath(temporaryFolder(), FILE)
    await writeAccepted(path, accepted())
    const before = readFileSync(path, 'utf8')
    await writeAccepted(path, accepted({ at: '2027-01-01T00:00:00.000Z' }))
    assert.equal(readFileSync(path, 'utf8'), before)
    await writeAccepted(path, accepted({ text: 'other' }))
    assert.notEqual(readFileSync(path, 'utf8'), before)
  })

  it('is null if there is no file, and an error if the file is damaged or has another owner', async () => {
    const path = acceptedPath(temporaryFolder(), FILE)
    const none = reading(path)
    assert.deepEqual([await none.read(), none.told], [null, []])
    for (const text of [
      '',
      '{"form":1',
      '[]',
      'null',
      '{"form":2}',
      '{"form":1,"file":"/etc/other","text":""}',
    ]) {
      writeFileSync(path, text)
      const { read, told } = reading(path)
      assert.deepEqual([await read(), told.length], [null, 1], text)
      assert.match(told[0] ?? '', /cannot be used/)
    }
  })

  for (const [thing, put] of THINGS)
    it(`replaces ${thing} in its place, which gives no configuration`, async () => {
      const path = acceptedPath(temporaryFolder(), FILE)
      put(path)
      const { read, told } = reading(path)
      assert.equal(await read(), null)
      assert.match(told.join(), /cannot be used: it (is|has) /)
      await writeAccepted(path, accepted())
      assert.equal((await read())?.text, accepted().text)
    })

  it('has a separate file for each configuration file', () => {
    assert.notEqual(acceptedPath('/s', '/a/site.yaml'), acceptedPath('/s', '/b/site.yaml'))
    assert.match(acceptedPath('/s', '/a/../b/ä ö.cf'), /^\/s\/accepted-[\w.-]+\.json$/)
  })
})

describe('store: the state folder of a file that can no longer be read', () => {
  const place = (home: string, file = FILE) => ({ file, state: null, env: { STATE_DIRECTORY: home } })

  it('is the one of the command line, if given', async () => {
    assert.deepEqual(await stateFolders({ file: FILE, state: '/x', env: {} }, 'state: /y'), ['/x'])
  })

  for (const text of [
    'settings: { state: /y',
    'settings:\n  state: "/y"\n broken',
    '{"settings":{"state":"/y",',
  ])
    it(`is found in ${JSON.stringify(text)}`, async () => {
      assert.deepEqual(await stateFolders(place('/none'), text), ['/none', '/y'])
    })

  it('is known from an earlier run if the file is missing', async () => {
    const home = temporaryFolder()
    await writePointer(place(home), '/y')
    assert.deepEqual(await stateFolders(place(home), ''), ['/y', home])
    assert.deepEqual(await stateFolders(place(home, '/etc/lvsd/other.yaml'), ''), [home])
  })

  it('is that of the last accepted configuration, whatever the text says, and the usual one where that was there', async () => {
    const home = temporaryFolder()
    await writePointer(place(home), '/y')
    assert.deepEqual(await stateFolders(place(home), 'state: /z'), ['/y', home, '/z'])
    await writePointer(place(home), home)
    assert.deepEqual(await stateFolders(place(home), 'state: /z'), [home, '/z'])
    assert.deepEqual(readdirSync(home), [])
    await writePointer(place(home), home)
  })

  it('is otherwise the default of the configuration', async () => {
    assert.equal(settingsFields.state.parse(undefined), DEFAULT_STATE)
    assert.deepEqual(await stateFolders({ file: FILE, state: null, env: {} }, ''), [DEFAULT_STATE])
  })
})

describe('store: a start', () => {
  const GOOD = `services:\n  web:\n    virtual: '[2001:db8::80]:80'\n    check: 'on'\n    reals: ['[fd00::1]:80']\n`

  async function stage(text = GOOD) {
    const state = temporaryFolder()
    const file = join(state, 'site.yaml')
    writeFileSync(file, text)
    const told: string[] = []
    const store = new AcceptedConfiguration(
      { file, state, env: {} },
      { isTrial: true, tell: problem => told.push(problem) },
    )
    const placed = async () => {
      const loaded = await loadConfig(file)
      if (!loaded.config) return loaded
      return { ...loaded, config: { ...loaded.config, settings: { ...loaded.config.settings, state } } }
    }
    return { state, file, store, placed, told }
  }

  it('uses its file if the file is valid', async () => {
    const { store, placed } = await stage()
    const loaded = await placed()
    assert.deepEqual(await store.choose(loaded), { loaded, kept: null })
  })

  it('fails if the file is broken and no configuration was accepted', async () => {
    const { store, placed, told } = await stage('services: [')
    assert.deepEqual([await store.choose(await placed()), told], [null, []])
  })

  it('uses the accepted configuration, and reports the problems of the file', async () => {
    const { store, placed, file } = await stage()
    const first = (await placed()) as Runnable
    await store.keep(first)
    for (const text of ['services: [', '', GOOD.replace('reals', 'raels')]) {
      writeFileSync(file, text)
      const broken = await placed()
      const chosen = await store.choose(broken)
      assert.deepEqual(chosen?.loaded.config, first.config, text)
      assert.equal(chosen?.loaded.text, GOOD)
      assert.deepEqual(chosen?.kept?.problems, broken.problems)
    }
  })

  it('uses the accepted configuration if a password, certificate or user check cannot be read', async () => {
    const { store, placed, state, file } = await stage()
    const secret = join(state, 'secret')
    writeFileSync(secret, 'hunter2\n')
    writeFileSync(file, GOOD.replace(`check: 'on'`, `check: { kind: redis, passwd: { file: ${secret} } }`))
    const first = (await placed()) as Runnable
    await store.keep(first)
    writeFileSync(secret, '')
    const chosen = await store.choose(await placed())
    assert.equal(chosen?.loaded.config.services[0]?.reals[0]?.checks[0]?.options.passwd, 'hunter2')
    assert.match(chosen?.kept?.problems[0]?.message ?? '', /is empty/)
  })

  it('gives no verdict for a check that does not load', async () => {
    const { store, placed, file } = await stage()
    const first = (await placed()) as Runnable
    const [web] = first.config.services
    const [server] = web?.reals ?? []
    assert.ok(web && server)
    const own = { ...server, checks: server.checks.map(use => ({ ...use, kind: 'my-own' })) }
    await store.keep({ ...first, config: { ...first.config, services: [{ ...web, reals: [own] }] } })
    writeFileSync(file, 'services: [')
    const check = (await store.choose(await placed()))?.loaded.checks.get('my-own')
    const answer = await check?.run?.({} as never, {}, {} as never)
    assert.deepEqual([answer?.ok, answer?.reason], [null, 'no-verdict'])
  })
})

describe('store: the mark of a stop', () => {
  it('is valid only for this boot, and is removed at the start', async () => {
    const folder = temporaryFolder()
    const mark = new StopMark(folder, FILE)
    assert.equal(await mark.isSet(), false)
    await mark.set()
    assert.equal(await mark.isSet(), true)
    const [name = ''] = readdirSync(folder)
    writeFileSync(join(folder, name), 'another boot\n')
    assert.equal(await mark.isSet(), false)
    await mark.clear()
    await mark.clear()
    assert.deepEqual(readdirSync(folder), [])
  })
})

describe('store: a configuration that JSON does not preserve', () => {
  it('is stored as its text alone', async () => {
    const path = acceptedPath(temporaryFolder(), FILE)
    const odd = config([service('web', { reals: [real('fd00:1::a', { weight: Number.NaN })] })])
    await writeAccepted(path, accepted({ config: odd }))
    const found = await reading(path).read()
    assert.deepEqual([found?.config, found?.text], [null, 'services: {}'])
  })
})
