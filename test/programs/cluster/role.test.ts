/** The role of a director with the programs around it: Pacemaker's agent, keepalived's files and its notify command. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchRole } from '../../../src/api/client.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { programOr } from '../../support/checks/programs.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

const MAIN = installed('main')
const AGENT = join(packageRoot, 'deploy/pacemaker/lvsd')
const SAMPLE = join(packageRoot, 'deploy/cluster')

/** lvsd with a table in memory, and a command of its own. */
async function lvsdWith(role: (folder: string) => string) {
  const folder = temporaryFolder()
  const socket = join(folder, 'lvsd.sock')
  const config = join(folder, 'site.yaml')
  writeFileSync(
    config,
    `settings: { socket: ${socket}, state: ${folder}/state }
cluster: { role: ${role(folder)} }
services:
  web: { virtual: '[2001:db8::80]:80', checks: { kind: connect, interval: 60s }, reals: ['[::1]:80'] }
`,
  )
  const command = join(folder, 'lvsd')
  writeFileSync(command, `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`, { mode: 0o755 })
  const child: ChildProcess = spawn(command, ['run', '--kernel', 'memory', config], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise(resolve => child.once('exit', resolve))
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  onCleanup(kill)
  const roleNow = () => fetchRole(socket)
  await until(async () => (await roleNow().catch(() => null)) !== null, { what: 'lvsd answers' })
  return { folder, socket, command, kill, role: roleNow, pid: Number(child.pid) }
}

describe("the role: Pacemaker's agent", function () {
  this.timeout(120_000)
  before(function () {
    programOr(() => this.skip(), 'ocf-tester', 'resource-agents')
  })

  it('starts, promotes, demotes and stops, and tells what it finds', async () => {
    const lvsd = await lvsdWith(folder => `{ from: file, path: ${folder}/role }`)
    const file = join(lvsd.folder, 'role')
    const act = (action: string, more: Record<string, string> = {}) => {
      const { status, stderr } = spawnSync(AGENT, [action], {
        encoding: 'utf8',
        env: {
          PATH: process.env.PATH,
          OCF_ROOT: '/usr/lib/ocf',
          OCF_RESOURCE_INSTANCE: 'lvsd',
          HA_RSCTMP: lvsd.folder,
          OCF_RESKEY_command: lvsd.command,
          OCF_RESKEY_socket: lvsd.socket,
          OCF_RESKEY_role_file: file,
          OCF_RESKEY_unit: '',
          ...more,
        },
      })
      return [status, /ocf-exit-reason:(.*)/.exec(stderr)?.[1] ?? null]
    }
    assert.deepEqual(act('validate-all'), [0, null])
    assert.deepEqual(act('promote')[0], 7)
    assert.deepEqual(
      [act('start'), readFileSync(file, 'utf8'), act('monitor')],
      [[0, null], 'standby\n', [0, null]],
    )
    assert.deepEqual([act('promote'), (await lvsd.role()).role, act('monitor')[0]], [[0, null], 'active', 8])
    assert.deepEqual([act('demote'), (await lvsd.role()).role], [[0, null], 'standby'])
    assert.deepEqual([act('notify')[0], act('restart')[0]], [0, 3])
    assert.deepEqual([act('stop'), act('stop')[0], existsSync(file)], [[0, null], 0, false])
    assert.deepEqual(act('monitor')[0], 7)
    writeFileSync(file, 'standby\n')
    await lvsd.kill()
    // Recoveries of a standby that Pacemaker cannot start would keep other nodes from being promoted.
    assert.deepEqual(
      [act('monitor'), act('start')],
      [
        [0, null],
        [0, null],
      ],
    )
    assert.deepEqual(act('monitor', { OCF_RESKEY_unit: 'lvsd.service' }), [1, 'no lvsd answers'])
    assert.deepEqual([act('promote'), readFileSync(file, 'utf8')], [[1, 'no lvsd answers'], 'standby\n'])
    writeFileSync(file, 'active\n')
    assert.deepEqual(act('monitor'), [1, 'no lvsd answers'])
    assert.deepEqual([act('demote'), readFileSync(file, 'utf8')], [[0, null], 'standby\n'])
    assert.deepEqual(act('validate-all', { OCF_RESKEY_score: 'high' })[0], 6)
    assert.deepEqual(act('monitor', { OCF_RESKEY_command: '/nowhere/lvsd' })[0], 7)
  })
})

describe('the role: beside keepalived', function () {
  this.timeout(60_000)

  it('has a keepalived.conf and a configuration that both programs read', function () {
    const keepalived = programOr(() => this.skip(), 'keepalived', 'keepalived')
    const read = spawnSync(keepalived, ['-t', '-f', join(SAMPLE, 'keepalived-vrrp.conf')], {
      encoding: 'utf8',
    })
    // It complains of interfaces that this machine does not have, and of nothing else.
    const said = read.stderr.split('\n').filter(line => line !== '' && !line.includes('eth0'))
    assert.deepEqual(said, [])
    const valid = spawnSync(process.execPath, [MAIN, 'validate', join(SAMPLE, 'lvsd.yaml')], {
      encoding: 'utf8',
    })
    assert.equal(valid.status, 0, valid.stdout)
  })

  it('takes its states from lvsd role-notify, and the exit code of lvsd role tells it', async () => {
    const lvsd = await lvsdWith(() => '{ from: vrrp, instance: VI_6 }')
    const run = (...words: readonly string[]) => {
      const { status, stdout } = spawnSync(lvsd.command, words, {
        encoding: 'utf8',
        env: { ...process.env, LVSD_SOCKET: lvsd.socket },
      })
      return [status, stdout.trimEnd().split('\n')[0]]
    }
    assert.deepEqual(run('role', '--quiet'), [1, ''])
    assert.deepEqual(run('role-notify', 'INSTANCE', 'VI_6', 'MASTER', '100'), [
      0,
      'lvsd knows the state; this director is active',
    ])
    assert.deepEqual(run('role-notify', 'GROUP', 'VI_6', 'FAULT', '0'), [
      0,
      'the group VI_6 is not the one of "role" in the configuration, so it does not count; this director is active',
    ])
    assert.equal(run('role-notify', 'INSTANCE', 'VI_6', 'MASTERS', '100')[0], 2)
    assert.equal(run('role')[0], 0)
    assert.equal((await lvsd.role()).cluster?.reason, 'VRRP instance VI_6 says MASTER')
    await lvsd.kill()
    assert.equal(run('role')[0], 3)
  })
})

describe('the role: lvsd health', function () {
  this.timeout(60_000)

  it('answers in few modules as the command does, and leaves to the command what is no answer', async () => {
    const lvsd = await lvsdWith(folder => `{ from: file, path: ${folder}/role }`)
    const run = (words: readonly string[], output: 'pipe' | number = 'pipe') => {
      const { status, stdout, stderr } = spawnSync(lvsd.command, ['health', ...words], {
        encoding: 'utf8',
        stdio: ['ignore', output, 'pipe'],
        env: { ...process.env, LVSD_SOCKET: lvsd.socket },
      })
      return [status, stdout, stderr]
    }
    assert.deepEqual(run([]), [0, 'good: this director can serve\n', ''])
    assert.deepEqual(run(['--role']), [1, 'standby: this director is not the active one\n', ''])
    // Behind -- the parser reads the line.
    for (const options of [['--json'], ['--role']])
      assert.deepEqual(run([...options, 'web']), run([...options, '--', 'web']))
    assert.deepEqual(run(['web,mail']), [1, '', 'lvsd: there is no service "mail"; there are: web\n'])
    const full = openSync('/dev/full', 'w')
    assert.equal(run([], full)[0], 1)
    closeSync(full)
    process.kill(lvsd.pid, 'SIGSTOP')
    const [status, , stderr] = run([])
    process.kill(lvsd.pid, 'SIGCONT')
    assert.equal(status, 3)
    assert.match(String(stderr), /^lvsd: lvsd does not answer on .* in time/)
    await lvsd.kill()
    assert.deepEqual(run([])[0], 3)
  })
})
