/** External effects on a director: changes of the table by other programs, clock jumps, a stopped process. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { pause, until } from '../support/until.js'
import { installCommand } from './site/command.js'
import { type Lvsd, startLvsd, writeConfig } from './site/lvsd.js'
import { type RealServer, startRealServer } from './site/real-server.js'
import { buildSite, freshDirector, ipvsadm, tableBecomes, tableIs } from './site/site.js'
import { watchTable } from './site/watcher.js'

const RESYNC = 1000
/** Milliseconds for reading the table and applying changes on a busy machine. */
const SLACK = 1000
const WEB = 'tcp [fc00::80]:80'
const OTHER = 'tcp [fc00::81]:80'
const OURS = { [WEB]: { '[fc00::11]:80': 'masq 5', '[fc00::12]:80': 'masq 6', '[fc00::13]:80': 'masq 7' } }

const config = (fall = 2, time = '1s') => `
settings: { resync: 1s, log-level: debug }
defaults: { check: { kind: http, interval: ${time}, timeout: ${time}, fall: ${fall} }, scheduler: rr }
services:
  web:
    virtual: '[fc00::80]:80'
    reals: ['[fc00::11]:80 masq 5', '[fc00::12]:80 masq 6', '[fc00::13]:80 masq 7']
`

describe('a running director', () => {
  let lvsd: Lvsd
  let servers: RealServer[]

  before(async () => {
    await buildSite(
      ['fc00::80', 'fc00::81'],
      [11, 12, 13].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
  })

  beforeEach(async () => {
    await freshDirector()
    servers = [11, 12, 13].map(n => startRealServer(`r${n}`))
    lvsd = await startLvsd(writeConfig(config()))
    await tableBecomes(OURS)
    await until(() => lvsd.said('add-real').length === 3, { what: 'the log of the start' })
  })

  const hands: Record<string, { commands: string[][]; drift: RegExp }> = {
    'a server deleted': {
      commands: [['-d', '-t', '[fc00::80]:80', '-r', '[fc00::12]:80']],
      drift: /drift: the real server was deleted by another program/,
    },
    'a weight changed': {
      commands: [['-e', '-t', '[fc00::80]:80', '-r', '[fc00::12]:80', '-m', '-w', '99']],
      drift: /drift: the real server was changed by another program/,
    },
    'the forwarding changed': {
      commands: [['-e', '-t', '[fc00::80]:80', '-r', '[fc00::12]:80', '-g', '-w', '6']],
      drift: /drift: the real server was changed by another program/,
    },
    'a server added': {
      commands: [['-a', '-t', '[fc00::80]:80', '-r', '[fc00::99]:80', '-m', '-w', '9']],
      drift: /drift: the real server was added by another program/,
    },
    'the scheduler changed': {
      commands: [['-E', '-t', '[fc00::80]:80', '-s', 'wlc', '-p', '60']],
      drift: /drift: the virtual service was changed by another program/,
    },
    'the service deleted': {
      commands: [['-D', '-t', '[fc00::80]:80']],
      drift: /drift: the virtual service was deleted by another program/,
    },
    'everything flushed': {
      commands: [['-C']],
      drift: /drift: the virtual service was deleted by another program/,
    },
  }

  it('reverts manual changes of its table within the resync interval', async () => {
    const asItWas = await ipvsadm('-Sn')
    let told = 0
    for (const [what, { commands, drift }] of Object.entries(hands)) {
      for (const command of commands) await ipvsadm(...command)
      const began = performance.now()
      const { level, service } = await lvsd.hears(drift, RESYNC + SLACK)
      assert.equal(service, 'web', what)
      // From the third read in a row with changes, lvsd has logged the dispute and logs each change at level debug.
      if (++told < 3) assert.equal(level, 'warn', what)
      else assert.match(level, /^(warn|debug)$/, what)
      await tableBecomes(OURS, SLACK)
      const healed = performance.now() - began
      assert.deepEqual((await ipvsadm('-Sn')).split('\n').sort(), asItWas.split('\n').sort(), what)
      console.log(`      ${what}: healed after ${Math.round(healed)} ms`)
    }
    const { reconcile } = await lvsd.status()
    assert.ok(reconcile.driftRepaired >= Object.keys(hands).length)
    // After the correction there are no further changes.
    const watcher = watchTable('director')
    await pause(2 * RESYNC)
    assert.deepEqual(watcher.take(), [])
  })

  it('never changes a service of another program', async () => {
    await ipvsadm('-A', '-t', '[fc00::81]:80', '-s', 'sed')
    await ipvsadm('-a', '-t', '[fc00::81]:80', '-r', '[fc00::12]:8080', '-m', '-w', '3')
    await ipvsadm('-A', '-f', '7', '-6')
    const table = { ...OURS, [OTHER]: { '[fc00::12]:8080': 'masq 3' }, 'fwmark 7': {} }
    tableIs(table)
    const watcher = watchTable('director')
    await pause(2 * RESYNC)

    lvsd.signal('SIGHUP')
    await lvsd.hears('reload: ')
    await lvsd.kill()
    lvsd = await startLvsd(writeConfig(config()))
    await pause(2 * RESYNC)
    await lvsd.stop()
    lvsd = await startLvsd(writeConfig(config()))
    await pause(RESYNC)
    assert.deepEqual(watcher.take(), [])
    servers[0]?.kill()
    await tableBecomes({ ...table, [WEB]: { '[fc00::12]:80': 'masq 6', '[fc00::13]:80': 'masq 7' } })
    assert.deepEqual(watcher.take(), [`- ${WEB} [fc00::11]:80 masq 5`])
  })

  it('is not affected by a clock change of one hour forward and back', async function () {
    // Only a guest has a separate clock. In namespaces the test would change the machine's clock.
    if (!readFileSync('/proc/cpuinfo', 'latin1').includes('User Mode Linux')) return this.skip()
    const watcher = watchTable('director')
    const before = await lvsd.status()
    const lines = lvsd.lines.length
    for (const jump of [3600, -3600, -3600, 3600]) {
      setClock(jump)
      const requests = servers.map(server => server.requests)
      const at = lvsd.lines.length
      await pause(2500)
      assert.deepEqual(watcher.take(), [])
      for (const [i, server] of servers.entries()) {
        const asked = server.requests - (requests[i] ?? 0)
        assert.ok(asked >= 1 && asked <= 4, `${server.namespace} was checked ${asked} times in 2.5 s`)
      }
      assert.ok(lvsd.lines.length > at, 'checks are logged')
    }
    const { reconcile, services } = await lvsd.status()
    assert.equal(reconcile.changesApplied, before.reconcile.changesApplied)
    assert.notEqual(reconcile.lastResync, before.reconcile.lastResync)
    assert.deepEqual(
      new Set(services.flatMap(({ reals }) => reals.map(({ state }) => state))),
      new Set(['up']),
    )
    assert.deepEqual(
      lvsd.lines.slice(lines).filter(({ msg }) => msg !== 'check'),
      [],
    )
    // After the jumps the table is still corrected on time.
    await ipvsadm('-C')
    await tableBecomes(OURS, RESYNC + SLACK)
  })

  it('removes no healthy server after a stop of 2 s (SIGSTOP, SIGCONT)', async () => {
    // Some answers arrive while lvsd is stopped, and are read when it continues, at once or in several steps.
    const slow = installCommand('slow-check', '#!/bin/bash\nsleep 0.3\n')
    writeConfig(`${config(1, '1500ms')}  slow:
    virtual: '[fc00::81]:80'
    check: { kind: external, checkcommand: ${slow}, interval: 1500ms, timeout: 1500ms, fall: 1 }
    reals: ['[fc00::13]:80 masq 7']
`)
    lvsd.signal('SIGHUP')
    servers[1]?.behave('slow')
    await tableBecomes({ ...OURS, [OTHER]: { '[fc00::13]:80': 'masq 7' } })
    await until(() => lvsd.said('add-real').length === 4, { what: 'the log of the reload' })
    const watcher = watchTable('director')
    const lines = lvsd.lines.length
    for (let round = 0; round < 3; round++) {
      // Each round stops lvsd at a different moment between two checks.
      await pause(1000 + round * 370)
      lvsd.signal('SIGSTOP')
      await pause(2000)
      lvsd.signal('SIGCONT')
    }
    await pause(2500)
    assert.deepEqual(watcher.take(), [])
    const news = lvsd.lines.slice(lines).filter(({ level }) => level !== 'debug')
    assert.deepEqual(news, [])
    const { schedule } = await lvsd.status()
    assert.ok(schedule.stalls >= 2 && schedule.stalledFor >= 3500, `it noticed: ${schedule.stalls}`)
    // lvsd still detects a failed server afterwards.
    servers[1]?.kill()
    const left = { '[fc00::11]:80': 'masq 5', '[fc00::13]:80': 'masq 7' }
    await tableBecomes({ [WEB]: left, [OTHER]: { '[fc00::13]:80': 'masq 7' } }, 6000)
  })
})

function setClock(seconds: number): void {
  const now = Math.floor(Date.now() / 1000) + seconds
  execFileSync('date', ['-s', `@${now}`])
}
