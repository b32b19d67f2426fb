/** The daemons that are measured, each started and stopped in the same way on the same site. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { openSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUNDLE } from '../support/compile.js'
import { sleep } from './benchmark.js'
import { fakeIpvs } from './compile-tools.js'
import { family } from './processes.js'
import { keepalivedConfig, ldirectordConfig, lvsdConfig, type Site } from './sites.js'
import { TURNS } from './turn-watch.js'

export interface Daemon {
  readonly name: string
  /** Null where it is installed; else a sentence. */
  missing(): string | null
  start(site: Site, folder: string): Running
}

export interface Running {
  readonly pid: number
  /** Where it writes what it has to say. */
  readonly log: string
  /** Puts another configuration in the place of the first; `reload` makes the daemon read it. */
  write(site: Site): void
  reload(): void
  /** SIGTERM; SIGKILL for what is still there after ten seconds. */
  stop(): Promise<void>
}

interface Recipe {
  readonly name: string
  readonly program: string
  readonly file: string
  readonly config: (site: Site) => string
  readonly words: (file: string, folder: string) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const lvsdRecipe = (kernel: 'netlink' | 'memory') => ({
  name: 'lvsd',
  program: process.execPath,
  file: 'lvsd.yaml',
  config: lvsdConfig,
  words: (file: string, folder: string) => [
    join(process.cwd(), BUNDLE, 'src/main.cjs'),
    ...['run', file, '--kernel', kernel, '--socket', lvsdSocket(folder), '--state', folder],
  ],
})

export const lvsd = daemonOf(lvsdRecipe('netlink'))
export const lvsdInMemory = daemonOf(lvsdRecipe('memory'))

/** With the memory table; tells each turn of its main loop in the file `turnsFile`. */
export function watchedLvsd(format: 'yaml' | 'ldirectord'): Daemon {
  const recipe = lvsdRecipe('memory')
  const isYaml = format === 'yaml'
  return {
    name: recipe.name,
    missing: () => null,
    start: (site, folder) =>
      start(
        {
          ...recipe,
          file: isYaml ? 'lvsd.yaml' : 'ldirectord.cf',
          config: isYaml ? lvsdConfig : ldirectordConfig,
          words: (file, folder) => ['--import', TURN_WATCH, ...recipe.words(file, folder)],
          env: { [TURNS]: turnsFile(folder) },
        },
        site,
        folder,
      ),
  }
}

const TURN_WATCH = join(import.meta.dirname, 'turn-watch.js')

export function turnsFile(folder: string): string {
  return join(folder, 'turns')
}

/** Removes what lvsd has accepted in this folder, so that its next start reads the configuration. */
export function forgetAccepted(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith('accepted-')) rmSync(join(folder, name))
}

export function lvsdSocket(folder: string): string {
  return join(folder, 'lvsd.sock')
}

/** The checker alone, in the foreground, its log on standard error. */
const keepalivedRecipe: Recipe = {
  name: 'keepalived',
  program: 'keepalived',
  file: 'keepalived.conf',
  config: keepalivedConfig,
  words: (file, folder) => [
    ...['--dont-fork', '--log-console', '--check', '--use-file', file],
    ...['--pid', join(folder, 'keepalived.pid'), '--checkers_pid', join(folder, 'checkers.pid')],
  ],
}

export const keepalived = daemonOf(keepalivedRecipe)
/** With a table that takes all and holds nothing, so that its checks run where the kernel has no IPVS. */
export const keepalivedWithoutTable = daemonOf({ ...keepalivedRecipe, env: { LD_PRELOAD: fakeIpvs } })

export const ldirectord = daemonOf({
  name: 'ldirectord',
  program: 'ldirectord',
  file: 'ldirectord.cf',
  config: site => `supervised=yes\n${ldirectordConfig(site)}`,
  words: file => [file, 'start'],
})

function daemonOf(recipe: Recipe): Daemon {
  return {
    name: recipe.name,
    missing: () => (isInstalled(recipe.program) ? null : `${recipe.name} is not installed: apt install it`),
    start: (site, folder) => start(recipe, site, folder),
  }
}

function isInstalled(program: string): boolean {
  return spawnSync('sh', ['-c', 'command -v -- "$0"', program], { env: withSbin() }).status === 0
}

function withSbin() {
  return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` }
}

function start(recipe: Recipe, site: Site, folder: string): Running {
  const { name, program, file: name_, config, words, env = {} } = recipe
  const file = join(folder, name_)
  const log = join(folder, `${name}.log`)
  const write = (other: Site) => writeFileSync(file, config(other))
  write(site)
  const output = openSync(log, 'w')
  const child = spawn(program, words(file, folder), {
    stdio: ['ignore', output, output],
    env: { ...withSbin(), ...env },
    cwd: folder,
  })
  const pid = child.pid ?? 0
  return { pid, log, write, reload: () => child.kill('SIGHUP'), stop: () => stop(child, pid) }
}

async function stop(child: ChildProcess, pid: number): Promise<void> {
  const everyone = family(pid).map(each => each.pid)
  const gone = child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve()
  child.kill('SIGTERM')
  await Promise.race([gone, sleep(10_000)])
  for (const each of everyone) kill(each)
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has gone on its own.
  }
}

/** The last lines of a log, for the error that a benchmark throws. */
export function tail(log: string): string {
  return readFileSync(log, 'utf8').trim().split('\n').slice(-8).join('\n')
}
