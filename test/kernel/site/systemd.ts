/**
 * A separate systemd on the director: process 1 of a process namespace, with only the units of a test. It starts no
 * unit by itself.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { packageRoot } from '../../../src/system/version.js'
import { BUNDLE } from '../../support/compile.js'
import { until } from '../../support/until.js'
import { installCommand, own } from './command.js'
import { within } from './namespaces.js'
import { type Ran, runOnDirector } from './run.js'
import { DIRECTOR } from './site.js'

const UNITS = '/etc/systemd/system'
const CONSOLE = '/run/systemd.log'
/** Output of the services. */
const LOG = '/run/units.log'
const HOME = '/opt/lvsd'

export interface Systemd {
  /** Runs a command beside this systemd. */
  run(command: string, ...args: readonly string[]): Promise<Ran>
  /** Runs `systemctl` for this systemd. */
  systemctl(...args: readonly string[]): Promise<Ran>
  /** Returns a property of a unit from `systemctl show`. */
  property(unit: string, name: string): Promise<string>
  /** Converts a process id of systemd's namespace to the id in this namespace; 0 if there is no such process. */
  numberHere(pid: number): number
}

export interface Unit {
  /** Path of the unit file. */
  readonly file: string
  /** Lines that are added to its section Service. */
  readonly service?: readonly string[]
}

/** Starts a systemd with these services, by name. Call it once per file, in its `describe`. */
export function withSystemd(units: Readonly<Record<string, Unit>>): Systemd {
  let unshare: ChildProcess
  let pid = 0

  before(async function () {
    // Outside a guest it would be a second systemd on the same control groups.
    if (process.env.LAB_KIND !== 'uml') this.skip()
    layOut(units)
    unshare = boot()
    await until(() => childOf(unshare) !== null, { what: 'process 1' })
    pid = childOf(unshare) ?? 0
    await until(async () => (await systemd.property('lab.target', 'ActiveState')) === 'active', {
      what: () => `systemd is up; it said:\n${readFileSync(CONSOLE, 'utf8')}`,
    })
  })
  after(() => void unshare?.kill('SIGKILL'))
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return
    for (const path of [CONSOLE, LOG]) if (existsSync(path)) console.log(readFileSync(path, 'utf8'))
  })

  const systemd: Systemd = {
    run: (...words) => runOnDirector('nsenter', ['-t', String(pid), '-p', '-m', ...words]),
    systemctl: (...args) => systemd.run('systemctl', ...args),
    property: async (unit, name) => (await systemd.systemctl('show', unit, '-P', name)).output.trim(),
    numberHere,
  }
  return systemd
}

function layOut(units: Readonly<Record<string, Unit>>): void {
  for (const folder of ['/etc', '/opt']) own(folder)
  for (const path of ['/etc/systemd', '/etc/machine-id', '/etc/lvsd', '/etc/.pwd.lock'])
    rmSync(path, { force: true })
  mkdirSync(UNITS, { recursive: true })
  mkdirSync('/etc/lvsd')
  writeFileSync('/etc/machine-id', '')
  // These targets replace those that boot a complete machine.
  for (const target of ['sysinit', 'basic', 'network-online', 'lab'])
    writeFileSync(`${UNITS}/${target}.target`, '[Unit]\nDefaultDependencies=no\n')
  for (const [name, { file, service = [] }] of Object.entries(units)) {
    copyFileSync(file, `${UNITS}/${name}.service`)
    mkdirSync(`${UNITS}/${name}.service.d`)
    const lines = ['[Service]', `StandardOutput=append:${LOG}`, 'StandardError=inherit', ...service]
    writeFileSync(`${UNITS}/${name}.service.d/lab.conf`, `${lines.join('\n')}\n`)
  }
  // Bind mounts make the clone and node readable for all users, whatever their paths are.
  mkdirSync(HOME)
  execFileSync('mount', ['--bind', packageRoot, HOME])
  writeFileSync('/opt/node', '')
  execFileSync('mount', ['--bind', process.execPath, '/opt/node'])
  installCommand('lvsd', `#!/bin/sh\nexec /opt/node ${HOME}/${BUNDLE}/src/main.cjs "$@"\n`)
}

function boot(): ChildProcess {
  mkdirSync('/sys/fs/cgroup', { recursive: true })
  execFileSync('mount', ['-t', 'cgroup2', 'none', '/sys/fs/cgroup'])
  const console = openSync(CONSOLE, 'a')
  const fresh = ['--pid', '--mount', '--fork', '--kill-child', '--mount-proc']
  // systemd creates the private folders of units (PrivateTmp=) below /tmp.
  const enter = ['sh', '-c', 'mount -t tmpfs -o mode=1777 lab /tmp && exec "$@"', 'sh']
  const systemd = ['/lib/systemd/systemd', '--unit=lab.target', '--log-target=console']
  const environment = ['-i', 'container=lab', `PATH=${process.env.PATH}`]
  return within(DIRECTOR, () =>
    spawn('unshare', [...fresh, ...enter, 'env', ...environment, ...systemd], {
      stdio: ['ignore', console, console],
    }),
  )
}

function childOf({ pid }: ChildProcess): number | null {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]) || null
}

/** Returns the process id in this namespace of the process with id `there` in the other one; 0 if there is none. */
function numberHere(there: number): number {
  const isIt = (pid: string) => {
    try {
      return new RegExp(`^NSpid:\\t\\d+\\t${there}$`, 'm').test(readFileSync(`/proc/${pid}/status`, 'utf8'))
    } catch {
      return false
    }
  }
  return Number(readdirSync('/proc').find(name => /^\d+$/.test(name) && isIt(name)) ?? 0)
}
