/** Tests of the units in deploy/ under a running systemd, with all their restrictions. */
import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_SOCKET, fetchStatus } from '../../src/api/client.js'
import { packageRoot } from '../../src/system/version.js'
import { until } from '../support/until.js'
import { installCommand, installLdirectord } from './site/command.js'
import { FILE, GOOD, pidOf, WEB } from './site/ldirectord.js'
import { within } from './site/namespaces.js'
import { startRealServer } from './site/real-server.js'
import { buildSite, DIRECTOR, freshDirector, tableBecomes, tableIs } from './site/site.js'
import { withSystemd } from './site/systemd.js'
import { watchTable } from './site/watcher.js'

const CONFIG = '/etc/lvsd/lvsd.yaml'
/** Seconds. The lab has one processor, so a start takes several seconds. */
const WATCHDOG = 10

const deployed = (name: string) => join(packageRoot, 'deploy', name)
/** Units that run lvsd in place of ldirectord: lvsd's own, and the one of Debian's ldirectord package. */
const DROP_INS = {
  ldirectord: { file: deployed('ldirectord.service') },
  'debian-ldirectord': { file: '/lib/systemd/system/ldirectord.service' },
}

/** A check that is up if the kernel's OOM killer prefers its process to lvsd. */
const OWN_CHECK = `
import { readFileSync } from 'node:fs'
export const check = {
  name: 'mine',
  summary: 'where it runs',
  async run() {
    const ok = Number(readFileSync('/proc/self/oom_score_adj', 'utf8')) === 501 && process.getuid() !== 0
    return { ok, reason: ok ? null : 'error', detail: 'a process of its own' }
  },
}
`

/** Null while there is no file, which may go at any moment. */
function pidIfAny(file: string): number | null {
  try {
    return pidOf(file)
  } catch {
    return null
  }
}

describe('under systemd', function () {
  this.timeout(600_000)
  before(async () => {
    await buildSite(
      ['fc00::80'],
      [3, 4].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
    // Before systemd starts, because its services see only the mounts that exist then.
    installLdirectord('/opt/lvsd')
  })
  const { systemctl, property, numberHere } = withSystemd({
    lvsd: { file: deployed('lvsd.service'), service: [`WatchdogSec=${WATCHDOG}`] },
    ...DROP_INS,
  })
  const succeed = async (...args: readonly string[]) =>
    assert.deepEqual(await systemctl(...args), { code: 0, output: '' })
  beforeEach(freshDirector)
  afterEach(() => systemctl('stop', 'lvsd', ...Object.keys(DROP_INS)))

  describe('the unit lvsd', () => {
    /** A site with all types of checks: TCP, ICMP, a command and, with `own`, a user's file. */
    const site = (weight: number, own = '') => `
${own && 'settings: { checks: [/etc/lvsd/own] }'}
services:
  web:
    virtual: '[fc00::80]:80'
    check: [{ kind: http, interval: 1s }, { kind: ping }, { kind: external, checkcommand: /usr/local/bin/who-am-i }${own}]
    reals: ['[fc00::3]:80 masq ${weight}', '[fc00::4]:80 masq ${weight}']
`
    const table = (weight: number) => ({
      'tcp [fc00::80]:80': { '[fc00::3]:80': `masq ${weight}`, '[fc00::4]:80': `masq ${weight}` },
    })
    const whoAmI = '/run/who-am-i'

    beforeEach(() => {
      rmSync(whoAmI, { recursive: true, force: true })
      mkdirSync(whoAmI, { mode: 0o777 })
      writeFileSync(CONFIG, site(1), { mode: 0o644 })
      for (const name of ['r3', 'r4']) startRealServer(name)
    })
    before(() => {
      mkdirSync('/etc/lvsd/own', { recursive: true, mode: 0o755 })
      writeFileSync('/etc/lvsd/own/mine.mjs', OWN_CHECK, { mode: 0o644 })
      // The command is up if it cannot write to /etc and if the OOM killer prefers it to lvsd. It leaves a daemon
      // behind.
      installCommand(
        'who-am-i',
        [
          '#!/bin/sh',
          'touch /etc/lvsd/mine 2>/dev/null && exit 1',
          '[ "$(cat /proc/self/oom_score_adj)" = 500 ] || exit 1',
          '(setsid env -i sleep 9876 </dev/null >/dev/null 2>&1 &)',
          'exit 0',
          '',
        ].join('\n'),
      )
    })

    it('is ready after the first read of the table, checks with minimal rights, and no process of a check is left', async () => {
      writeFileSync(CONFIG, site(1, ', { kind: mine }'))
      await succeed('start', 'lvsd')
      assert.match(await property('lvsd', 'StatusText'), /^1 service, 2 real servers/)
      await tableBecomes(table(1))
      const status = readFileSync(`/proc/${await mainPid()}/status`, 'utf8')
      assert.match(status, /^Uid:\t(?!0\t)/m)
      // CAP_NET_ADMIN and CAP_NET_RAW.
      assert.match(status, /^CapEff:\t0000000000003000$/m)
      assert.match(status, /^Seccomp:\t2$/m)
      await until(() => sleepers().length === 0, { what: 'no sleeper of a check is left' })
    })

    it('sets sysctls only with the drop-in, and logs an error without it', async () => {
      const name = 'net.ipv4.vs.conntrack'
      const dropIn = '/etc/systemd/system/lvsd.service.d/sysctls.conf'
      writeFileSync(CONFIG, `${site(1)}sysctls: { ${name}: 1 }\n`)
      const stateOf = async () => (await fetchStatus(DEFAULT_SOCKET)).sysctls[0]
      await succeed('start', 'lvsd')
      assert.match(
        (await stateOf())?.trouble ?? '',
        /conntrack stays 0, not 1: .*lvsd\.service\.d\/sysctls\.conf/,
      )
      await succeed('stop', 'lvsd')
      copyFileSync(deployed('lvsd.service.d/sysctls.conf'), dropIn)
      await succeed('daemon-reload')
      await succeed('start', 'lvsd')
      const { value, former, trouble } = (await stateOf()) ?? {}
      assert.deepEqual({ value, former, trouble }, { value: '1', former: '0', trouble: null })
      await succeed('stop', 'lvsd')
      assert.equal(
        within(DIRECTOR, () => readFileSync('/proc/sys/net/ipv4/vs/conntrack', 'utf8')),
        '0\n',
      )
      rmSync(dropIn)
      await succeed('daemon-reload')
    })

    it('reloads, reports that a broken file was refused, keeps the table at a stop, and takes it over at a start', async () => {
      await succeed('start', 'lvsd')
      await tableBecomes(table(1))
      writeFileSync(CONFIG, site(2))
      await succeed('reload', 'lvsd')
      await tableBecomes(table(2))
      writeFileSync(CONFIG, site(3).replace('virtual:', 'virtuel:'))
      assert.notEqual((await systemctl('reload', 'lvsd')).code, 0)
      assert.equal(await property('lvsd', 'ActiveState'), 'active')
      assert.match(await property('lvsd', 'StatusText'), /refused/)
      tableIs(table(2))
      writeFileSync(CONFIG, site(2))
      const watcher = watchTable('director')
      await succeed('restart', 'lvsd')
      await succeed('stop', 'lvsd')
      assert.equal(await property('lvsd', 'Result'), 'success')
      assert.deepEqual(watcher.take(), [])
    })

    it('is restarted after kill -9 and after a hang, and no server is removed', async () => {
      await succeed('start', 'lvsd')
      await tableBecomes(table(1))
      const watcher = watchTable('director')
      for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
        const before = await mainPid()
        process.kill(before, signal)
        await until(async () => ![0, before].includes(await mainPid()), {
          what: `another process after ${signal}`,
        })
        await until(async () => (await property('lvsd', 'ActiveState')) === 'active', {
          what: 'ready again',
        })
      }
      assert.equal(await property('lvsd', 'NRestarts'), '2')
      assert.deepEqual(watcher.take(), [])
    })

    it('runs the last accepted configuration if its file is broken', async () => {
      writeFileSync(CONFIG, site(2))
      await succeed('start', 'lvsd')
      await tableBecomes(table(2))
      await succeed('stop', 'lvsd')
      writeFileSync(CONFIG, 'services: { web: {} }\n')
      await succeed('start', 'lvsd')
      assert.equal(await property('lvsd', 'ActiveState'), 'active')
      await tableBecomes(table(2))
      await succeed('stop', 'lvsd')
    })

    it('is not restarted in a loop with a broken file and no accepted configuration', async () => {
      for (const state of ['/var/lib/private/lvsd', '/var/lib/lvsd'])
        rmSync(state, { recursive: true, force: true })
      writeFileSync(CONFIG, 'services: { web: {} }\n')
      assert.notEqual((await systemctl('start', 'lvsd')).code, 0)
      assert.equal(await property('lvsd', 'ActiveState'), 'failed')
      assert.equal(await property('lvsd', 'NRestarts'), '0')
      await systemctl('reset-failed', 'lvsd')
    })

    /** Returns the processes that the command of the check has left behind. */
    function sleepers(): string[] {
      return readdirSync('/proc').filter(
        name => /^\d+$/.test(name) && commandLine(name).split('\0').join(' ').startsWith('sleep 9876'),
      )
    }

    function commandLine(pid: string): string {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      } catch {
        return ''
      }
    }

    async function mainPid(): Promise<number> {
      return numberHere(Number(await property('lvsd', 'MainPID')))
    }
  })

  describe('lvsd in the place of ldirectord', () => {
    /** Pid file of a command without a file argument. */
    const PID = '/run/ldirectord.ldirectord.pid'
    const heavy = GOOD.replaceAll('masq 2', 'masq 5')
    const table = (weight: number) => ({
      [WEB]: { '[fc00::3]:80': `masq ${weight}`, '[fc00::4]:80': `masq ${weight}` },
    })

    before(() => {
      rmSync('/etc/ha.d', { force: true })
      for (const folder of ['/etc/ha.d', '/var/lock/subsys']) mkdirSync(folder, { recursive: true })
    })
    beforeEach(() => {
      writeFileSync(FILE, GOOD)
      for (const name of ['r3', 'r4']) startRealServer(name)
    })

    for (const unit of Object.keys(DROP_INS))
      it(`starts, reloads, refuses a broken file and stops, as the unit ${unit}`, async () => {
        await succeed('start', unit)
        await tableBecomes(table(2))
        assert.match(readFileSync(`/proc/${numberHere(pidOf(PID))}/cmdline`, 'utf8'), /node/)
        if (unit === 'ldirectord') {
          const status = readFileSync(`/proc/${numberHere(pidOf(PID))}/status`, 'utf8')
          assert.match(status, /^Seccomp:\t2$/m)
          // The bounding set has none of CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SYS_PTRACE and CAP_SYS_ADMIN.
          const bounding = BigInt(`0x${/^CapBnd:\t(\w+)$/m.exec(status)?.[1]}`)
          assert.deepEqual(
            [16n, 17n, 19n, 21n].map(bit => (bounding >> bit) & 1n),
            [0n, 0n, 0n, 0n],
          )
        }
        writeFileSync(FILE, heavy)
        await succeed('reload', unit)
        await tableBecomes(table(5))
        writeFileSync(FILE, 'virtual\n')
        assert.notEqual((await systemctl('reload', unit)).code, 0)
        assert.equal(await property(unit, 'ActiveState'), 'active')
        tableIs(table(5))
        await succeed('stop', unit)
        // cleanstop is ldirectord's default.
        tableIs({})
        assert.equal(existsSync(PID), false)
      })

    it('is restarted after kill -9 by its own unit, and no server is removed', async () => {
      await succeed('start', 'ldirectord')
      await tableBecomes(table(2))
      const watcher = watchTable('director')
      const before = pidOf(PID)
      process.kill(numberHere(before), 'SIGKILL')
      await until(() => ![null, 0, before].includes(pidIfAny(PID)), { what: 'another process' })
      await until(async () => (await property('ldirectord', 'ActiveState')) === 'active', {
        what: 'active',
      })
      assert.deepEqual(watcher.take(), [])
    })
  })
})
