/** The command `ldirectord` on a director, implemented by lvsd: its files, and the programs that call it. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identify, readRecord } from '../../../src/ldirectord-command/processes.js'
import { onCleanup } from '../../support/after-each.js'
import { until } from '../../support/until.js'
import { installLdirectord, own } from './command.js'
import { type RealServer, startRealServer } from './real-server.js'
import { type Ran, runOnDirector } from './run.js'
import { buildSite, freshDirector } from './site.js'

export const FILE = '/etc/ha.d/ldirectord.cf'
export const PID_FILE = '/var/run/ldirectord.ldirectord.cf.pid'

export const WEB = 'tcp [fc00::80]:80'
export const GOOD = site('fc00::80', ['fc00::3', 'fc00::4'])
export const BOTH = { [WEB]: { '[fc00::3]:80': 'masq 2', '[fc00::4]:80': 'masq 2' } }

/**
 * Builds a director and two servers, r3 and r4, with lvsd as /usr/sbin/ldirectord. Call it once per file, in its
 * `describe`.
 */
export function dropInSite(): { readonly servers: RealServer[] } {
  const site: { servers: RealServer[] } = { servers: [] }
  before(async () => {
    await buildSite(
      ['fc00::80', 'fc00::81'],
      [3, 4].map(n => ({ name: `r${n}`, address: `fc00::${n}` })),
    )
    installLdirectord()
    own('/etc')
    rmSync('/etc/ha.d', { force: true })
  })
  beforeEach(async () => {
    await freshDirector()
    for (const path of ['/etc/ha.d', '/run/ldirectord', '/var/lib/ldirectord', '/var/log/ldirectord.log'])
      rmSync(path, { recursive: true, force: true })
    mkdirSync('/etc/ha.d')
    writeFileSync(FILE, GOOD)
    site.servers = ['r3', 'r4'].map(name => startRealServer(name))
    onCleanup(endDaemons)
  })
  afterEach(function () {
    if (this.currentTest?.state === 'failed' && existsSync('/var/log/ldirectord.log'))
      console.log(readFileSync('/var/log/ldirectord.log', 'utf8'))
  })
  return site
}

/** Returns the configuration of a virtual whose servers are checked every second. */
export function site(virtual: string, reals: readonly string[], weight = 2): string {
  return [
    'checkinterval=1',
    `virtual6=[${virtual}]:80`,
    '\tscheduler=rr',
    ...reals.map(real => `\treal6=[${real}]:80 masq ${weight}`),
    '\tservice=http',
    '\trequest="/"',
    '',
  ].join('\n')
}

export type { Ran }

/** Runs a command on the director, with the environment of a Pacemaker agent. */
export function run(command: string, ...args: readonly string[]): Promise<Ran> {
  const agent = { OCF_ROOT: '/usr/lib/ocf', OCF_RESOURCE_INSTANCE: 'web', HA_LOGTAG: 'agent' }
  return runOnDirector(command, args, { ...process.env, ...agent })
}

export function ldirectord(...words: string[]): Promise<Ran> {
  return run('/usr/sbin/ldirectord', ...words)
}

export function pidOf(file: string): number {
  return Number(readFileSync(file, 'utf8'))
}

export function pidFiles(): string[] {
  return readdirSync('/run')
    .filter(name => /^ldirectord\..*\.pid$/.test(name))
    .sort()
}

/** Returns the process ids of daemons, found in the same way as by the agent. */
export async function daemons(): Promise<number[]> {
  const { output } = await run('pgrep', '-f', `/usr/sbin/ldirectord ${FILE} start`)
  return output.split('\n').filter(Boolean).map(Number)
}

/** Ends the daemons that have a pid file, and those that hold a lock and have not written it yet. */
async function endDaemons(): Promise<void> {
  const locks = existsSync('/run/ldirectord')
    ? readdirSync('/run/ldirectord').filter(name => name.endsWith('.lock'))
    : []
  const records = locks.flatMap(name => readRecord(join('/run/ldirectord', name)) ?? [])
  const pids = [...pidFiles().map(name => pidOf(`/run/${name}`)), ...records.map(({ pid }) => pid)]
  const alive = pids.filter(pid => pid > 0 && identify(pid))
  for (const pid of alive) process.kill(pid, 'SIGKILL')
  await until(() => alive.every(pid => !identify(pid)), { what: 'the end of the daemons' })
  for (const name of pidFiles()) rmSync(`/run/${name}`)
}
