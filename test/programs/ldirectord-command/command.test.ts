/** The command with a table in memory and all its files in a folder of the test's own. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fetchStatus } from '../../../src/api/client.js'
import { ACTIONS } from '../../../src/ldirectord-command/actions.js'
import type { Command } from '../../../src/ldirectord-command/args.js'
import { type Env, findInstance, nameOf, socketOf } from '../../../src/ldirectord-command/paths.js'
import { findOrphan, isAlive, readRecord } from '../../../src/ldirectord-command/processes.js'
import { onCleanup } from '../../support/after-each.js'
import { installed } from '../../support/compile.js'
import { temporaryFolder } from '../../support/folder.js'
import { until } from '../../support/until.js'

const SELF = [process.execPath, installed('ldirectord-command/main')]

const GOOD = `checkinterval=1
virtual=192.0.2.80:80
	real=127.0.0.1:9 masq 3
	checktype=on
`
const BAD = GOOD.replace('masq', 'mask')

/** A machine on which ldirectord has accepted its file and was killed. */
async function crashed(): Promise<ReturnType<typeof machine>> {
  const place = machine()
  const { root, run, pidOf } = place
  write(root, 'web.cf', GOOD)
  assert.equal((await run('start', 'web.cf')).exit, 0)
  const pid = pidOf('web.cf')
  const folder = join(root, 'var/lib/ldirectord')
  const kept = () => existsSync(folder) && readdirSync(folder).some(name => /^accepted-.*json$/.test(name))
  for (let i = 0; i < 200 && !kept(); i++) await new Promise(resolve => setTimeout(resolve, 20))
  process.kill(pid, 'SIGKILL')
  await gone(pid)
  return place
}

describe('command ldirectord', function () {
  this.timeout(60_000)

  it('starts once, accepts any name of its file, and stops', async () => {
    const { root, run, pidOf } = machine()
    write(root, 'ldirectord.cf', GOOD)
    const file = join(root, 'etc/ha.d/ldirectord.cf')
    assert.deepEqual(await run('status'), { exit: 3, out: `ldirectord is stopped for ${file}`, err: '' })
    assert.deepEqual(await run('stop'), { exit: 0, out: '', err: '' })
    assert.deepEqual(await run('try-restart'), { exit: 0, out: '', err: '' })
    assert.equal((await run('reload')).exit, 1)
    assert.deepEqual(await run('start'), { exit: 0, out: '', err: '' })

    const pid = pidOf('ldirectord')
    const running = { exit: 0, out: '', err: `ldirectord for ${file} is running with pid: ${pid}` }
    assert.deepEqual(await run('status'), running)
    // ldirectord has one daemon for each of these names, on the same file and the same table.
    symlinkSync(file, join(root, 'etc/other.cf'))
    for (const name of ['ldirectord.cf', file]) assert.deepEqual(await run('status', name), running)
    const byLink = await run('status', join(root, 'etc/other.cf'))
    assert.equal(byLink.err, running.err.replace(file, join(root, 'etc/other.cf')))
    assert.deepEqual(await run('start', 'ldirectord.cf'), { exit: 0, out: '', err: '' })
    assert.deepEqual(pidFiles(root), ['ldirectord.ldirectord.pid'])

    assert.equal(readFileSync(`/proc/${pid}/comm`, 'utf8'), 'ldirectord\n')
    assert.match(readFileSync(`/proc/${pid}/cmdline`, 'utf8'), /ldirectord-command\/main\.js\0start\0$/)
    assert.equal(sessionOf(pid), pid)

    const log = () => readFileSync(join(root, 'var/log/ldirectord.log'), 'utf8')
    await until(() => log().includes('Added real server'))
    assert.deepEqual(await run('stop', 'ldirectord.cf'), { exit: 0, out: '', err: '' })
    await gone(pid)
    assert.deepEqual(pidFiles(root), [])
    assert.equal((await run('status')).exit, 3)
    const date = '\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}'
    assert.match(log(), new RegExp(`^\\[${date}\\|ldirectord\\|${pid}\\] Started lvsd .* as daemon$`, 'm'))
    const sentences = [
      'Added virtual server: 192.0.2.80:80',
      'Added real server: 127.0.0.1:9 (192.0.2.80:80) (Weight set to 3)',
      'Purged real server (stop): 127.0.0.1:9 (192.0.2.80:80)',
      'Purged virtual server (stop): 192.0.2.80:80',
      'Linux Director Daemon terminated on signal: TERM',
    ]
    const said = log()
      .split('\n')
      .map(line => line.replace(/^\[.*?\] /, ''))
    assert.deepEqual(
      said.filter(text => sentences.includes(text)),
      sentences,
    )
  })

  it('can control a daemon with a broken or missing file', async () => {
    const { root, run, pidOf } = machine()
    write(root, 'web.cf', GOOD)
    assert.equal((await run('start', 'web.cf')).exit, 0)
    const pid = pidOf('web.cf')
    write(root, 'web.cf', BAD)
    assert.equal((await run('status', 'web.cf')).exit, 0)
    const error = /^Error \[\d+\] reading file \S+\/web\.cf at line 3: .*mask/m
    for (const command of ['reload', 'restart'] as const) {
      const { exit, err } = await run(command, 'web.cf')
      assert.equal(exit, 2, command)
      assert.match(err, error)
    }
    // The way in which scripts have always tested a file.
    assert.equal((await run('status', 'web.cf', { debug: true })).exit, 2)
    write(root, 'web.cf', `logfile="${root}/web.log"\nexecute=other.cf\n${BAD}`)
    const { err: told } = await run('reload', 'web.cf')
    assert.doesNotMatch(told, /logfile|execute/)
    write(root, 'web.cf', BAD)
    assert.deepEqual(pidFiles(root), ['ldirectord.web.cf.pid'])
    assert.equal(pidOf('web.cf'), pid)
    assert.equal((await run('stop', 'web.cf')).exit, 0)
    await gone(pid)
    const refused = await run('start', 'web.cf')
    assert.equal(refused.exit, 2)
    assert.match(refused.err, error)
    assert.deepEqual(pidFiles(root), [])
  })

  it('runs the last accepted configuration after a crash if its file is broken, but not after a stop', async () => {
    const { root, run, env } = await crashed()
    write(root, 'web.cf', BAD)
    const { exit, err } = await run('start', 'web.cf')
    assert.equal(exit, 0)
    assert.match(err, /^Error \[\d+\] reading file \S+\/web\.cf at line 3: .*mask/m)
    assert.match(err, /web\.cf can not be used; the configuration accepted at \S+ runs until it is repaired/)
    const instance = findInstance('web.cf', env) ?? assert.fail()
    const status = await fetchStatus(socketOf(instance, env))
    assert.deepEqual([status.services[0]?.reals.length, status.lastReload?.ok], [1, false])
    assert.equal((await run('stop', 'web.cf')).exit, 0)
    assert.equal((await run('start', 'web.cf')).exit, 2)
  })

  it('runs the last accepted configuration after a crash if its file is missing, but not after a stop', async () => {
    const { root, run, process: command } = await crashed()
    rmSync(join(root, 'etc/ha.d/web.cf'))
    const again = await ended(command('web.cf', 'start'))
    assert.equal(again.exit, 0, again.err)
    assert.match(
      again.err,
      /no such file[\s\S]*web\.cf can not be used; the configuration accepted at \S+ runs/,
    )
    assert.equal((await run('status', 'web.cf')).exit, 0)
    assert.equal((await run('stop', 'web.cf')).exit, 0)
    const refused = await ended(command('web.cf', 'start'))
    assert.deepEqual([refused.exit, refused.err], [1, 'Config file web.cf not found\n'])
  })

  it('finds the daemon if the name now leads to another file', async () => {
    const { root, run, pidOf } = machine()
    write(root, 'conf/web.cf', GOOD)
    assert.equal((await run('start', 'web.cf')).exit, 0)
    const pid = pidOf('web.cf')
    write(root, 'web.cf', GOOD.replace('masq 3', 'masq 5'))
    assert.equal((await run('status', 'web.cf')).exit, 0)
    assert.equal((await run('start', 'web.cf')).exit, 0)
    assert.equal(pidOf('web.cf'), pid)
    assert.equal((await run('restart', 'web.cf')).exit, 0)
    assert.notEqual(pidOf('web.cf'), pid)
    const [record] = locks(root).filter(isAlive)
    assert.equal(record?.path, join(root, 'etc/ha.d/web.cf'))
    assert.equal((await run('stop', join(root, 'etc/ha.d/conf/web.cf'))).exit, 0)
    assert.deepEqual(pidFiles(root), [])
  })

  it('reloads a file with any number of changes, and reports the end of the reload', async () => {
    const { root, run, env } = machine()
    write(root, 'web.cf', `${GOOD}\treal=127.0.0.2:9 masq 1\n\treal=127.0.0.3:9 masq 1\n`)
    await run('start', 'web.cf')
    const socket = socketOf(findInstance('web.cf', env) as never, env)
    const reals = async () => (await fetchStatus(socket)).services.flatMap(service => service.reals).length
    assert.equal(await reals(), 3)
    write(root, 'web.cf', `${GOOD}\nlogfile="${root}/var/log/web.log"\n`)
    assert.deepEqual(await run('reload', 'web.cf'), { exit: 0, out: '', err: '' })
    assert.equal(await reals(), 1)
    renameSync(join(root, 'etc/ha.d/web.cf'), join(root, 'web.cf'))
    assert.equal((await run('stop', 'web.cf')).exit, 0)
    assert.match(readFileSync(join(root, 'var/log/web.log'), 'utf8'), /\|web\.cf\|\d+\] .*terminated/)
  })

  it('does not confuse its daemon with a process that has its pid now, or a file with its name', async () => {
    const { root, run, pidOf } = machine()
    const sleeper = spawn('sh', ['-c', 'sleep 60; : ldirectord'], { stdio: 'ignore' })
    onCleanup(() => sleeper.kill('SIGKILL'))
    write(root, 'web.cf', GOOD)
    const pidFile = join(root, 'var/run/ldirectord.web.cf.pid')
    writeFileSync(pidFile, `${sleeper.pid}\n`)
    const file = join(root, 'etc/ha.d/web.cf')
    const stale = `ldirectord stale pid file ${pidFile} for ${file}`
    assert.deepEqual(await run('status', 'web.cf'), {
      exit: 1,
      out: `ldirectord is stopped for ${file}`,
      err: stale,
    })
    assert.equal((await run('stop', 'web.cf')).exit, 0)
    assert.equal(sleeper.signalCode, null)
    assert.equal((await run('start', 'web.cf')).exit, 0)
    assert.notEqual(pidOf('web.cf'), sleeper.pid)

    write(root, 'conf/x/web.cf', GOOD)
    const namesake = join(root, 'etc/ha.d/conf/x/web.cf')
    assert.equal((await run('status', namesake)).exit, 3)
    const refused = await run('start', namesake)
    assert.equal(refused.exit, 1)
    assert.match(
      refused.err,
      /^Can not open .*web\.cf\.pid: it belongs to pid \d+, which runs .*ha\.d\/web\.cf\./,
    )
    await run('stop', namesake)
    assert.equal((await run('status', 'web.cf')).exit, 0)

    process.kill(pidOf('web.cf'), 'SIGKILL')
    await gone(pidOf('web.cf'))
    assert.equal((await run('status', 'web.cf')).exit, 1)
  })

  it('stays in the foreground with -d, with its messages on standard error', async () => {
    const { root, run, process: start } = machine()
    write(root, 'web.cf', GOOD)
    const child = start('-d', 'web.cf', 'start')
    let said = ''
    child.stderr?.setEncoding('utf8').on('data', text => {
      said += text
    })
    await until(() => said.includes('Started lvsd'))
    assert.deepEqual(pidFiles(root), [])
    assert.equal((await run('status', 'web.cf')).exit, 0)
    assert.equal((await run('stop', 'web.cf')).exit, 0)
    assert.equal(child.exitCode ?? (await once(child, 'exit'))[0], 0)
    assert.match(said, /^Started lvsd \S+ with pid: \d+$/m)
    assert.equal(existsSync(join(root, 'var/log/ldirectord.log')), false)
  })

  it('stays in the foreground with supervised=yes, with dated messages on standard output', async () => {
    const { root, process: start } = machine()
    write(root, 'web.cf', `supervised=yes\n${GOOD}`)
    const child = start('web.cf', 'start')
    let said = ''
    child.stdout?.setEncoding('utf8').on('data', text => {
      said += text
    })
    await until(() => said.includes('Started lvsd'))
    assert.deepEqual(pidFiles(root), [])
    child.kill('SIGTERM')
    assert.equal((await once(child, 'exit'))[0], 0)
    assert.match(said, /^\[\w{3} \w{3} .{2} .{8} \d{4}\] Started lvsd/m)
  })

  it('prints its usage for wrong arguments', async () => {
    const { process: start } = machine()
    const child = start('-x', 'start')
    const said: string[] = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', text => said.push(String(text)))
    assert.equal((await once(child, 'close'))[0], 255)
    assert.match(said.join(''), /Unknown option: x/)
    assert.match(said.join(''), /^Usage:\n {4}ldirectord \[-d\|--debug\]/m)
  })
})

async function ended(child: ChildProcess): Promise<{ exit: number; err: string }> {
  let err = ''
  child.stderr?.on('data', text => {
    err += text
  })
  return { exit: (await once(child, 'close'))[0], err }
}

/** A folder that stands for the root of a machine; what is started in it ends with the test. */
function machine() {
  const root = temporaryFolder()
  const env: Env = { ...process.env, LVSD_LDIRECTORD_ROOT: root, LVSD_LDIRECTORD_KERNEL: 'memory' }
  for (const folder of ['etc/ha.d', 'var/run', 'var/log']) mkdirSync(join(root, folder), { recursive: true })
  onCleanup(() => endAll(root))
  return {
    root,
    env,
    /** The command, in this process; only daemons are others. */
    async run(command: Command, config: string | null = null, { debug = false } = {}) {
      const instance = findInstance(config, env) ?? findOrphan(nameOf(config), env)
      assert.ok(instance)
      const out: string[] = []
      const err: string[] = []
      const exit = await ACTIONS[command]({
        instance,
        config,
        debug,
        env,
        self: SELF,
        print: text => void out.push(text),
        warn: text => void err.push(text),
      })
      return { exit, out: out.join('\n'), err: err.join('\n') }
    },
    /** The command as a process. */
    process(...words: string[]) {
      const [interpreter = '', ...script] = SELF
      const child = spawn(interpreter, [...script, ...words], { env: env as NodeJS.ProcessEnv })
      onCleanup(() => child.kill('SIGKILL'))
      return child
    },
    pidOf: (name: string) => Number(readFileSync(join(root, `var/run/ldirectord.${name}.pid`), 'utf8')),
  }
}

function locks(root: string) {
  const folder = join(root, 'run/ldirectord')
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter(name => name.endsWith('.lock'))
  return files.flatMap(name => readRecord(join(folder, name)) ?? [])
}

function endAll(root: string): void {
  for (const record of locks(root)) if (isAlive(record)) process.kill(record.pid, 'SIGKILL')
}

function write(root: string, name: string, text: string): void {
  const path = join(root, 'etc/ha.d', name)
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, text)
}

function pidFiles(root: string): string[] {
  return readdirSync(join(root, 'var/run')).sort()
}

function sessionOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])
}

function gone(pid: number): Promise<void> {
  return until(() => !existsSync(`/proc/${pid}`))
}
