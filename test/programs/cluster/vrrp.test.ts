/** Two directors in network namespaces, with the keepalived of deploy/cluster over IPv6; the tables are in memory. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { needsRoot } from '../../support/as-root.js'
import { programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

const VIP = '2001:db8::80'

interface Director {
  readonly name: string
  /** What lvsd has said of its role: `role.active: REASON`, `role.applied CHANGES`. */
  told(): readonly string[]
  /** Waits until it has said so many times that the table follows the role. */
  applied(times: number): Promise<void>
  readonly keepalived: ChildProcess
  /** Signals the process of keepalived that speaks VRRP. */
  signal(signal: NodeJS.Signals): void
}

function run(command: string, ...words: readonly string[]): void {
  execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] })
}

function namespaces(skip: () => void): readonly string[] {
  const names = ['1', '2'].map(n => `lvsd-${process.pid}-${n}`)
  const [first = '', second = ''] = names
  onCleanup(() => void names.map(name => spawnSync('ip', ['netns', 'del', name])))
  if (spawnSync('ip', ['netns', 'add', first]).status !== 0) {
    console.log('      left out: this machine allows no network namespaces')
    skip()
  }
  run('ip', 'netns', 'add', second)
  run('ip', '-n', first, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', second)
  for (const name of names) {
    run('ip', 'netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.eth0.accept_dad=0')
    run('ip', '-n', name, 'link', 'set', 'eth0', 'up')
  }
  return names
}

async function startDirector(name: string, priority: number, keepalived: string): Promise<Director> {
  const folder = join(temporaryFolder(), name)
  mkdirSync(folder)
  const fifo = join(folder, 'vrrp')
  const config = join(folder, 'site.yaml')
  writeFileSync(
    config,
    `settings: { socket: ${folder}/lvsd.sock, state: ${folder}/state }
cluster:
  role: { from: vrrp, address: '${VIP}', instance: VI_6, fifo: ${fifo} }
  standby: { table: empty }
services:
  web: { virtual: '[${VIP}]:80', checks: { kind: connect, interval: 60s }, reals: ['[::1]:80'] }
`,
  )
  const within = (...words: readonly string[]) => {
    const child = spawn('ip', ['netns', 'exec', name, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', text => {
        output += text
      })
    const ended = new Promise(resolve => child.once('close', resolve))
    onCleanup(async () => {
      child.kill('SIGTERM')
      await ended
    })
    return { child, output: () => output }
  }
  const lvsd = within(process.execPath, installed('main'), 'run', '--kernel', 'memory', config)
  await until(() => lvsd.output().includes('"daemon.started"'), { what: lvsd.output })
  const file = join(folder, 'keepalived.conf')
  const sample = readFileSync(join(packageRoot, 'deploy/cluster/keepalived-vrrp.conf'), 'utf8')
  writeFileSync(file, sample.replace('/run/lvsd/vrrp', fifo).replace('priority 100', `priority ${priority}`))
  const pidFile = join(folder, 'vrrp.pid')
  const pids = [`--pid=${folder}/pid`, `--vrrp_pid=${pidFile}`]
  const vrrp = within(keepalived, '-P', '-n', '-l', '-f', file, ...pids)
  await until(() => vrrp.output().includes('Entering BACKUP STATE'), { what: vrrp.output })
  const told = () =>
    lvsd
      .output()
      .split('\n')
      .filter(line => line.includes('"event":"role.') && line.endsWith('}'))
      .map(line => JSON.parse(line) as Record<string, string>)
      .map(({ event, reason, changes }) => `${event}${reason ? `: ${reason}` : ''}${changes ?? ''}`)
  return {
    name,
    told,
    applied: times =>
      until(() => told().filter(line => line.startsWith('role.applied')).length === times, {
        what: () => `${name}, ${times} times: ${told().join('; ')}; ${vrrp.output()}`,
      }),
    keepalived: vrrp.child,
    signal: signal => void process.kill(Number(readFileSync(pidFile, 'utf8')), signal),
  }
}

describe('the role: two directors with keepalived', function () {
  this.timeout(120_000)

  it('follow the virtual address: one hangs, goes on, and is stopped', async function () {
    needsRoot(() => this.skip())
    const keepalived = programOr(() => this.skip(), 'keepalived', 'keepalived')
    const [one = '', two = ''] = namespaces(() => this.skip())
    const d1 = await startDirector(one, 100, keepalived)
    await d1.applied(1)
    const d2 = await startDirector(two, 90, keepalived)
    assert.match(d1.told()[0] ?? '', /^role\.active: /)

    d1.signal('SIGSTOP')
    await d2.applied(1)
    d1.signal('SIGCONT')
    await d2.applied(2)
    // An orderly stop gives the address up at once.
    d1.signal('SIGTERM')
    await d1.applied(2)
    await d2.applied(3)
    const roles = (director: Director) => director.told().map(line => line.replace(/:.*/, ''))
    assert.deepEqual(roles(d1), ['role.active', 'role.applied1', 'role.standby', 'role.applied1'])
    assert.deepEqual(roles(d2), [
      ...['role.active', 'role.applied1'],
      ...['role.standby', 'role.applied1'],
      ...['role.active', 'role.applied1'],
    ])
    // The address and keepalived say it within a moment of each other, so either may be the reason.
    const why = /2001:db8::80 is (on eth0|not on this machine)|VRRP instance VI_6 says (MASTER|BACKUP|STOP)/
    for (const line of [...d1.told(), ...d2.told()].filter(each => !each.includes('applied')))
      assert.match(line, why)
  })
})
