/** lvsd in place of ldirectord under Pacemaker, with the unmodified agent of Debian's resource-agents. */
import assert from 'node:assert/strict'
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { identify } from '../../src/ldirectord-command/processes.js'
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
  pidOf,
  type Ran,
  run,
  site,
  WEB,
} from './site/ldirectord.js'
import { tableBecomes } from './site/site.js'

const AGENT = '/usr/lib/ocf/resource.d/heartbeat/ldirectord'
/** Exit codes of the OCF resource agent API. */
const OCF = { success: 0, generic: 1, notRunning: 7 }

/** Without brackets the address is invalid: ldirectord exits with code 2, and so does lvsd when it reads the file. */
const BAD = GOOD.replace('real6=[fc00::3]:80', 'real6=fc00::3 80')

describe("lvsd under Pacemaker's agent ocf:heartbeat:ldirectord", function () {
  this.timeout(600_000)
  const here = dropInSite()

  it('starts, is monitored, reloads and stops', async () => {
    assert.equal((await agent('monitor')).code, OCF.notRunning)
    assert.equal((await agent('start')).code, OCF.success)
    await tableBecomes(BOTH)
    assert.equal((await agent('monitor')).code, OCF.success)
    assert.equal((await agent('start')).code, OCF.success)

    here.servers[0]?.kill()
    await tableBecomes({ [WEB]: { '[fc00::4]:80': 'masq 2' } })
    assert.equal((await agent('monitor')).code, OCF.success)
    here.servers[0]?.revive()
    await tableBecomes(BOTH)

    writeFileSync(FILE, site('fc00::80', ['fc00::4'], 5))
    assert.deepEqual(await ldirectord(FILE, 'reload'), { code: 0, output: '' })
    await tableBecomes({ [WEB]: { '[fc00::4]:80': 'masq 5' } })
    assert.equal((await agent('monitor')).code, OCF.success)

    const pid = pidOf(PID_FILE)
    assert.equal((await agent('stop')).code, OCF.success)
    // Pacemaker removes the addresses next, so nothing of the daemon may be left.
    assert.equal(identify(pid), null)
    assert.equal(existsSync(PID_FILE), false)
    await tableBecomes({}, 0)
    assert.equal((await agent('monitor')).code, OCF.notRunning)
    assert.equal((await agent('stop')).code, OCF.success)
  })

  it('is restarted by Pacemaker after kill -9 and takes over the existing table', async () => {
    assert.equal((await agent('start')).code, OCF.success)
    await tableBecomes(BOTH)
    process.kill(pidOf(PID_FILE), 'SIGKILL')
    await until(async () => (await daemons()).length === 0, { what: 'its end' })
    assert.equal((await agent('monitor')).code, OCF.notRunning)
    await tableBecomes(BOTH, 0)
    assert.equal((await agent('start')).code, OCF.success)
    await tableBecomes(BOTH, 0)
    assert.equal((await agent('stop')).code, OCF.success)
    await tableBecomes({}, 0)
  })

  it('keeps running with a syntax error in its file, where Pacemaker would kill ldirectord', async () => {
    assert.equal((await agent('start')).code, OCF.success)
    await tableBecomes(BOTH)
    const pid = pidOf(PID_FILE)
    writeFileSync(FILE, BAD)
    assert.equal((await agent('monitor')).code, OCF.success)
    const reload = await ldirectord(FILE, 'reload')
    assert.equal(reload.code, 2)
    assert.match(reload.output, /^Error \[\d+\] reading file \/etc\/ha\.d\/ldirectord\.cf at line 4: /m)
    assert.equal(pidOf(PID_FILE), pid)
    await tableBecomes(BOTH, 0)
    // The agent searches for the process in this way if `status` fails.
    assert.deepEqual(await daemons(), [pid])
    assert.equal((await agent('stop')).code, OCF.success)
    await tableBecomes({}, 0)
    assert.equal((await agent('start')).code, OCF.generic)
    assert.deepEqual(await daemons(), [])
  })

  it('does not depend on a name server: status stays fast, and the start is not delayed', async () => {
    const named = 'virtual=192.0.2.80:80\n\treal=web.example:80 masq\n\tchecktype=connect\n'
    writeFileSync(FILE, GOOD + named)
    rmSync('/etc/resolv.conf', { force: true })
    // No host has this address, so a query waits for its time limit.
    writeFileSync('/etc/resolv.conf', 'nameserver fc00::53\noptions timeout:30 attempts:5\n')
    onCleanup(() => installLink('/etc', 'resolv.conf', `${whatWas('/etc')}/resolv.conf`))
    const began = performance.now()
    assert.equal((await agent('start')).code, OCF.success)
    assert.ok(performance.now() - began < 30_000)
    await tableBecomes({ 'tcp 192.0.2.80:80': {}, ...BOTH })
    assert.equal((await ldirectord(FILE, 'reload')).code, 0)
    assert.equal((await agent('stop')).code, OCF.success)
  })
})

function agent(action: string): Promise<Ran> {
  return run(AGENT, action)
}
