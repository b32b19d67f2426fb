/**
 * Two directors with Pacemaker and corosync, with the agent and the text for crmsh of deploy/cluster. Real servers answer
 * by direct routing. It runs only by its name: apt install pacemaker corosync crmsh; npm run test:kernel -- pacemaker
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/system/version.js'
import { PATIENCE, until } from '../support/until.js'
import { statusOf } from './cluster/cluster.js'
import { Machine, type Program, prepareFolders } from './cluster/machines.js'
import { fetchPage } from './site/client.js'
import { installCommand, own } from './site/command.js'
import { MAIN } from './site/lvsd.js'
import { startRealServer } from './site/real-server.js'
import { buildSite } from './site/site.js'
import { plain, readTable } from './site/table.js'

const VIP = 'fc00::80'
const FULL = { [`tcp [${VIP}]:80`]: { '[fc00::11]:80': 'route 1', '[fc00::12]:80': 'route 1' } }
/** Milliseconds for a step of Pacemaker: it starts a process for each, and a process is slow in a guest. */
const STEP = 2 * PATIENCE

const LOG = '/var/log/pacemaker/pacemaker.log'
const AGENTS = '/usr/lib/ocf/resource.d'
const FOLDERS = [
  ...['/etc/lvsd', '/etc/corosync', '/run/lvsd', '/run/crm', '/run/resource-agents'],
  ...['/var/lib/lvsd', '/var/lib/pacemaker', '/var/lib/corosync', '/var/log'],
]

const CONFIG = `
cluster:
  role: { from: file, path: /run/resource-agents/lvsd.role }
  standby: { table: empty }
services:
  web:
    virtual: '[${VIP}]:80'
    checks: { kind: connect, interval: 500ms, rise: 1 }
    reals: ['[fc00::11]:80 gate', '[fc00::12]:80 gate']
`

/** The token is long, because a guest beside other work may not run a process for seconds. */
const COROSYNC = `
system { sched_rr: no
  move_to_root_cgroup: no }
totem { version: 2
  cluster_name: lab
  transport: knet
  token: 20000
  crypto_cipher: none
  crypto_hash: none }
nodelist {
  node { name: d1
    nodeid: 1
    ring0_addr: fc00::1 }
  node { name: d2
    nodeid: 2
    ring0_addr: fc00::2 }
}
quorum { provider: corosync_votequorum
  two_node: 1
  wait_for_all: 0 }
logging { to_stderr: yes
  to_syslog: no }
`
  .replaceAll(/ \{ (\w)/g, ' {\n  $1')
  .replaceAll(/ \}$/gm, '\n}')

/** The text for crmsh in the page of the recipe. */
function crmText(): string {
  const page = readFileSync(join(packageRoot, 'deploy/cluster/README.md'), 'utf8')
  const [, text = ''] = /\n```\n(primitive lvsd .*?)```\n/s.exec(page) ?? []
  assert.ok(text.includes('2001:db8::80'), 'the page has the text for crmsh')
  return `${text.replace('2001:db8::80', VIP)}property stonith-enabled=false\n`
}

function directorOf(name: string): Machine {
  const machine = new Machine(name, { folders: FOLDERS, hasNetwork: true })
  machine.write('/etc/lvsd/lvsd.yaml', CONFIG)
  machine.write('/etc/corosync/corosync.conf', COROSYNC)
  for (const folder of ['cib', 'pengine', 'blackbox', 'cores'])
    mkdirSync(machine.path(`/var/lib/pacemaker/${folder}`), { recursive: true })
  for (const folder of ['pacemaker', 'corosync', 'crmsh']) mkdirSync(machine.path(`/var/log/${folder}`))
  const owned = ['/var/lib/pacemaker', '/var/log/pacemaker', '/run/crm'].map(folder => machine.path(folder))
  execFileSync('chown', ['-R', 'hacluster:haclient', ...owned])
  // All machines have the same /run, but each corosync locks a file there.
  machine.write('/var/lib/corosync/pid', '')
  const corosync =
    'touch /run/corosync.pid; mount --bind /var/lib/corosync/pid /run/corosync.pid; exec corosync -f'
  machine.program('lvsd', process.execPath, MAIN, 'run', '/etc/lvsd/lvsd.yaml')
  machine.program('corosync-daemon', 'sh', '-c', corosync)
  machine.program('pacemakerd', 'pacemakerd')
  return machine
}

const programOf = ({ programs }: Machine, name: string) =>
  programs.find(program => program.name === name) as Program

const hasAddress = (machine: Machine) =>
  machine.run('ip', '-6', 'address', 'show', 'dev', 'eth0').includes(VIP)

/** Waits until this director alone is active, with the address and the table, and clients are served. */
async function isActive(machine: Machine, other: Machine): Promise<void> {
  const seen = async () => [
    (await statusOf(machine))?.cluster?.role ?? 'no lvsd',
    hasAddress(machine),
    plain(readTable(machine.name)),
    hasAddress(other),
    await fetchPage(VIP, '/').then(
      ({ status }) => status,
      () => null,
    ),
  ]
  const wanted = JSON.stringify(['active', true, FULL, false, 200])
  let last = ''
  const what = () => `${machine.name} is active: ${last}`
  const isSo = async () => {
    last = JSON.stringify(await seen())
    return last === wanted
  }
  await until(isSo, { patience: STEP, what })
}

describe('two directors with Pacemaker', function () {
  this.timeout(900_000)
  // Each step goes on where the one before it has ended.
  this.retries(0)
  this.bail(true)
  let d1: Machine
  let d2: Machine

  before(async () => {
    await buildSite(
      [],
      [
        { name: 'd1', address: 'fc00::1' },
        { name: 'd2', address: 'fc00::2' },
        { name: 'r11', address: 'fc00::11', virtual: [VIP] },
        { name: 'r12', address: 'fc00::12', virtual: [VIP] },
      ],
    )
    installCommand('lvsd', `#!/bin/sh\nexec "${process.execPath}" "${MAIN}" "$@"\n`)
    mkdirSync(join(own(AGENTS), 'lvsd'))
    cpSync(join(packageRoot, 'deploy/pacemaker/lvsd'), join(AGENTS, 'lvsd/lvsd'))
    prepareFolders(FOLDERS)
    ;[d1, d2] = [directorOf('d1'), directorOf('d2')]
  })

  beforeEach(() => {
    for (const name of ['r11', 'r12']) startRealServer(name)
  })

  after(async () => {
    for (const { programs } of [d1, d2]) for (const program of programs) await program.kill(true)
  })

  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return
    for (const machine of [d1, d2])
      console.log(`--- ${machine.name} Pacemaker\n${machine.read(LOG).slice(-9000)}`)
    for (const { name, programs } of [d1, d2])
      for (const program of programs)
        console.log(`--- ${name} ${program.name}\n${program.output(true).slice(-4000)}`)
  })

  const start = async (name: string, isThere: (machine: Machine) => Promise<boolean>) => {
    for (const machine of [d1, d2]) programOf(machine, name).start()
    for (const machine of [d1, d2])
      await until(() => isThere(machine), { patience: STEP, what: `${name} of ${machine.name}` })
  }

  it('the promoted one alone is active, and has the address and the table', async () => {
    await start('lvsd', async machine => (await statusOf(machine))?.cluster?.role === 'standby')
    await start('corosync-daemon', async machine => (await machine.ask('corosync-cfgtool', '-s')) !== null)
    await start('pacemakerd', async machine =>
      ((await machine.ask('crm_node', '-p')) ?? '').includes('d1 d2'),
    )
    const isIdle = () => [d1, d2].some(machine => / -> S_IDLE /.test(machine.read(LOG)))
    await until(isIdle, { patience: STEP, what: 'a controller that has elected itself' })
    d1.write('/etc/lvsd/crm', crmText())
    d1.run('crm', '-F', 'configure', 'load', 'update', '/etc/lvsd/crm')
    // Which of the two is promoted first is for Pacemaker to choose.
    await until(() => [d1, d2].some(hasAddress), { patience: STEP, what: 'an address' })
    if (hasAddress(d2)) [d1, d2] = [d2, d1]
    await isActive(d1, d2)
    assert.deepEqual([(await statusOf(d2))?.cluster?.role, plain(readTable(d2.name))], ['standby', {}])
  })

  it('a director that is set to standby in Pacemaker hands over', async () => {
    d1.run('crm_standby', '--node', d1.name, '-v', 'on')
    await isActive(d2, d1)
    assert.deepEqual(plain(readTable(d1.name)), {})
    d1.run('crm_standby', '--node', d1.name, '-D')
    await until(async () => (await statusOf(d1))?.cluster?.role === 'standby')
  })

  it('the other director takes over from one whose lvsd has died, which is standby when it is back', async () => {
    await programOf(d2, 'lvsd').kill()
    await isActive(d1, d2)
    programOf(d2, 'lvsd').start()
    await until(async () => (await statusOf(d2))?.cluster?.role === 'standby', { patience: STEP })
    assert.deepEqual(plain(readTable(d2.name)), {})
  })
})
