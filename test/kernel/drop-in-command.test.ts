/**
 * lvsd in place of ldirectord: with Debian's init script and systemd unit, both unmodified, and from the command line.
 * Only /usr/sbin/ldirectord is replaced.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identify } from '../../src/ldirectord-command/processes.js'
import { packageRoot } from '../../src/system/version.js'
import { onCleanup } from '../support/after-each.js'
import { until } from '../support/until.js'
import { installLink, whatWas } from './site/command.js'
import {
  BOTH,
  daemons,
  dropInSite,
  FILE,
  GOOD,
  ldirectord,
  PID_FILE,
  pidFiles,
  pidOf,
  run,
  site,
  WEB,
} from './site/ldirectord.js'
import { tableBecomes } from './site/site.js'

describe('lvsd in the place of ldirectord', function () {
  this.timeout(600_000)
  dropInSite()

  it('works with the init script of Debian', async () => {
    const script = '/etc/init.d/ldirectord'
    // By default the script looks for /etc/ldirectord.cf.
    rmSync('/etc/default', { force: true })
    mkdirSync('/etc/default')
    onCleanup(() => {
      rmSync('/etc/default', { recursive: true })
      installLink('/etc', 'default', `${whatWas('/etc')}/default`)
    })
    writeFileSync('/etc/default/ldirectord', `CONFIG_FILE=${FILE}\n`)
    const init = async (command: string) => (await run(script, command)).code
    assert.equal(await init('status'), 3)
    assert.equal(await init('try-restart'), 0)
    assert.equal(await init('reload'), 1)
    assert.equal(await init('start'), 0)
    await tableBecomes(BOTH)
    const first = pidOf(PID_FILE)
    assert.equal(await init('start'), 0)
    assert.equal(await init('status'), 0)
    writeFileSync(FILE, site('fc00::80', ['fc00::3'], 4))
    assert.equal(await init('force-reload'), 0)
    await tableBecomes({ [WEB]: { '[fc00::3]:80': 'masq 4' } })
    assert.equal(pidOf(PID_FILE), first)
    assert.equal(await init('restart'), 0)
    assert.notEqual(pidOf(PID_FILE), first)
    await tableBecomes({ [WEB]: { '[fc00::3]:80': 'masq 4' } })
    assert.equal(await init('stop'), 0)
    assert.equal(await init('status'), 3)
    await tableBecomes({}, 0)
  })

  it('has a unit in deploy with the command lines of the Debian unit; systemd.test.ts runs both', () => {
    const unit = valuesIn('/lib/systemd/system/ldirectord.service')
    const ours = valuesIn(join(packageRoot, 'deploy/ldirectord.service'))
    for (const key of ['Type', 'PIDFile', 'ExecStart', 'ExecReload', 'ExecStop'])
      assert.deepEqual(ours(key), unit(key))
  })

  it('runs two files at the same time, and each file once under any of its names', async () => {
    writeFileSync('/etc/ha.d/api.cf', site('fc00::81', ['fc00::4']))
    assert.equal((await ldirectord('start')).code, 0)
    assert.equal((await ldirectord('api.cf', 'start')).code, 0)
    const all = { ...BOTH, 'tcp [fc00::81]:80': { '[fc00::4]:80': 'masq 2' } }
    await tableBecomes(all)
    // With ldirectord these commands start three daemons on two files.
    assert.equal((await ldirectord('ldirectord.cf', 'start')).code, 0)
    assert.deepEqual(pidFiles(), ['ldirectord.api.cf.pid', 'ldirectord.ldirectord.pid'])
    assert.equal((await ldirectord('ldirectord.cf', 'stop')).code, 0)
    await tableBecomes({ 'tcp [fc00::81]:80': { '[fc00::4]:80': 'masq 2' } }, 0)
    assert.equal((await ldirectord('status')).code, 3)
    assert.equal((await ldirectord('api.cf', 'status')).code, 0)
    assert.equal((await ldirectord('api.cf', 'stop')).code, 0)
    await tableBecomes({}, 0)
    assert.deepEqual(pidFiles(), [])
  })

  it('starts the files that execute names', async () => {
    writeFileSync('/etc/ha.d/api.cf', site('fc00::81', ['fc00::4']))
    writeFileSync(FILE, `execute = "api.cf"\n${GOOD}`)
    const api = { 'tcp [fc00::81]:80': { '[fc00::4]:80': 'masq 2' } }
    assert.equal((await ldirectord('start')).code, 0)
    await tableBecomes({ ...BOTH, ...api })
    await until(() => pidFiles().length === 2, { what: 'both pid files' })
    const status = await ldirectord('status')
    assert.match(status.output, /^ldirectord for \S+\/ldirectord\.cf is running/m)
    assert.match(status.output, /^ldirectord for \S+\/api\.cf is running/m)
    writeFileSync(FILE, GOOD)
    assert.equal((await ldirectord('reload')).code, 0)
    await tableBecomes(BOTH)
    writeFileSync(FILE, `execute = api.cf\n${GOOD}`)
    assert.equal((await ldirectord('reload')).code, 0)
    await until(() => pidFiles().length === 2, { what: 'both pid files' })
    assert.equal((await ldirectord('stop')).code, 0)
    await tableBecomes({}, 0)
    assert.deepEqual(pidFiles(), [])
  })

  it('replaces a running ldirectord: finds and stops its daemon, and takes over the table', async () => {
    const before = join(whatWas('/usr/sbin'), 'ldirectord')
    assert.equal((await run(before, FILE, 'start')).code, 0)
    await until(() => existsSync(PID_FILE) && pidOf(PID_FILE) > 0, { what: 'its pid file' })
    await tableBecomes(BOTH)
    const pid = pidOf(PID_FILE)
    const status = await ldirectord(FILE, 'status')
    assert.deepEqual(status, { code: 0, output: `ldirectord for ${FILE} is running with pid: ${pid}\n` })
    assert.equal((await ldirectord(FILE, 'start')).code, 0)
    assert.equal(pidOf(PID_FILE), pid)
    assert.equal((await ldirectord(FILE, 'restart')).code, 0)
    assert.equal(identify(pid), null)
    assert.deepEqual(await daemons(), [pidOf(PID_FILE)])
    await tableBecomes(BOTH)
    assert.equal((await ldirectord(FILE, 'stop')).code, 0)
  })

  it('ends with the exit codes of ldirectord after an error', async () => {
    assert.deepEqual(await ldirectord('none.cf', 'status'), {
      code: 1,
      output: 'Config file none.cf not found\n',
    })
    assert.equal((await ldirectord()).code, 255)
    assert.match((await ldirectord('-v')).output, /^Linux Director v1\.186-ha\n/)
    assert.deepEqual(pidFiles(), [])
  })
})

/** Returns the values of a key in a unit file, in order. */
function valuesIn(unit: string): (key: string) => string[] {
  const lines = readFileSync(unit, 'utf8').split('\n')
  return key => lines.flatMap(line => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []))
}
