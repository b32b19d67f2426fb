/**
 * A systemd of the director's own: process 1 of a process namespace, with the units of a test and otherwise an empty
 * system. It starts nothing by itself.
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
import { until } from '../../support/until.js'
import { installCommand, own } from './command.js'
import { within } from './namespaces.js'
import { type Ran, runOnDirector } from './run.js'
import { DIRECTOR } from './site.js'

const UNITS = '/etc/systemd/system'
const CONSOLE = '/run/systemd.log'
/** What services print. */
const LOG = '/run/units.log'
const HOME = '/opt/lvsd'

export interface Systemd {
  /** `systemctl` of this systemd. */
  systemctl(...args: readonly string[]): Promise<Ran>
  /** A property of a unit, as `systemctl show` has it. */
  property(unit: string, name: string): Promise<string>
  /** What number a process has here that calls itself by this one; 0 where there is none. */
  numberHere(pid: number): number
}

export interface Unit {
  /** The unit file as it is installed. */
  readonly file: string
  /** Added to its section Service. */
  readonly service?: readonly string[]
}

/** Once in a file, in its `describe`: a systemd with these services, by name. */
export function withSystemd(units: Readonly<Record<string, Unit>>): Systemd {
  let unshare: ChildProcess
  let pid = 0

  before(async function () {
    // Elsewhere it would be the second systemd over the same control groups.
    if (process.env.LAB_KIND !== 'uml') this.skip()
    layOut(units)
    unshare = boot()
    await until(() => childOf(unshare) !== null, { what: 'process 1' })
    pid = childOf(unshare) ?? 0
    await until(async () => (await systemd.property('lab.target', 'ActiveState')) === 'active', {
      patience: 60_000,
      what: () => `systemd is up; it said:\n${readFileSync(CONSOLE, 'utf8')}`,
    })
  })
  after(() => void unshare?.kill('SIGKILL'))
  afterEach(function () {
    if (this.currentTest?.state !== 'failed') return
    for (const path of [CONSOLE, LOG]) if (existsSync(path)) console.log(readFileSync(path, 'utf8'))
  })

  const systemd: Systemd = {
    systemctl: (...args) => runOnDirector('nsenter', ['-t', String(pid), '-p', '-m', 'systemctl', ...args]),
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
  // In the place of what a whole machine needs as it boots.
  for (const target of ['sysinit', 'basic', 'network-online', 'lab'])
    writeFileSync(`${UNITS}/${target}.target`, '[Unit]\nDefaultDependencies=no\n')
  for (const [name, { file, service = [] }] of Object.entries(units)) {
    copyFileSync(file, `${UNITS}/${name}.service`)
    mkdirSync(`${UNITS}/${name}.service.d`)
    const lines = ['[Service]', `StandardOutput=append:${LOG}`, 'StandardError=inherit', ...service]
    writeFileSync(`${UNITS}/${name}.service.d/lab.conf`, `${lines.join('\n')}\n`)
  }
  // Where everybody may read them, wherever the clone and its node are.
  mkdirSync(HOME)
  execFileSync('mount', ['--bind', packageRoot, HOME])
  writeFileSync('/opt/node', '')
  execFileSync('mount', ['--bind', process.execPath, '/opt/node'])
  installCommand('lvsd', `#!/bin/sh\nexec /opt/node ${HOME}/build/src/main.js "$@"\n`)
}

function boot(): ChildProcess {
  mkdirSync('/sys/fs/cgroup', { recursive: true })
  execFileSync('mount', ['-t', 'cgroup2', 'none', '/sys/fs/cgroup'])
  const console = openSync(CONSOLE, 'a')
  const fresh = ['--pid', '--mount', '--fork', '--kill-child', '--mount-proc']
  // Folders that units share with others are made there.
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

/** The number here of a process that has this number there; 0 where there is none. */
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
