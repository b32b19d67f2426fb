/** `lvsd` as users run it: a process on the director, a configuration file, a log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DEFAULT_SOCKET, fetchStatus } from '../../../src/api/client.js'
import type { RealStatus, StatusDocument } from '../../../src/api/status-types.js'
import { packageRoot } from '../../../src/system/version.js'
import { onCleanup } from '../../support/after-each.js'
import { BUNDLE } from '../../support/compile.js'
import { PATIENCE, until } from '../../support/until.js'
import { DIRECTOR, within } from './namespaces.js'
import { type Ran, runOnDirector } from './run.js'

const FOLDER = '/run/site'
/** The program as it is installed. */
export const MAIN = join(packageRoot, BUNDLE, 'src/main.cjs')

export interface Line extends Readonly<Record<string, unknown>> {
  readonly level: string
  readonly msg: string
}

export interface Lvsd {
  readonly pid: number
  /** Its log so far. */
  readonly lines: readonly Line[]
  /** Waits for a log line that is not older than the last call. */
  hears(text: string | RegExp, within?: number): Promise<Line>
  /** Returns the lines whose message contains the text. */
  said(text: string): Line[]
  status(): Promise<StatusDocument>
  real(service: string, address: string): Promise<RealStatus>
  signal(signal: NodeJS.Signals): void
  /** Sends SIGTERM and waits for the end. Resolves to the exit code. */
  stop(): Promise<number | null>
  /** Sends SIGKILL and waits for the end. */
  kill(): Promise<void>
}

/** Writes a configuration under another name and renames it, as editors do. Returns its path. */
export function writeConfig(text: string | Uint8Array, name = 'site.yaml'): string {
  mkdirSync(FOLDER, { recursive: true })
  const path = join(FOLDER, name)
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
  return path
}

/** Removes the files that earlier runs of lvsd left on the director's disk. */
export function forgetEverything(): void {
  for (const path of ['/run/lvsd', '/var/lib/lvsd', FOLDER]) rmSync(path, { recursive: true, force: true })
}

/** Output of all lvsd processes of the test, printed if the test fails. */
const said: string[] = []

afterEach(function () {
  if (this.currentTest?.state === 'failed') console.log(said.join('\n'))
  said.length = 0
})

/** Starts the daemon without waiting for it (see `startLvsd`). It is killed after the test. */
export function spawnLvsd(config: string, namespace = DIRECTOR): Lvsd {
  const child = within(namespace, () =>
    spawn(process.execPath, [MAIN, 'run', config], { stdio: ['ignore', 'pipe', 'pipe'] }),
  )
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const { lines, errors } = collect(child)
  onCleanup(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return control(child, ended, lines, errors)
}

/** Starts the daemon and waits until it runs. */
export async function startLvsd(config: string, namespace = DIRECTOR): Promise<Lvsd> {
  const lvsd = spawnLvsd(config, namespace)
  await lvsd.hears('lvsd runs')
  return lvsd
}

function collect(child: ChildProcess): { lines: Line[]; errors: string[] } {
  const lines: Line[] = []
  const errors: string[] = []
  if (child.stdout)
    createInterface(child.stdout).on('line', line => {
      said.push(line)
      lines.push(JSON.parse(line) as Line)
    })
  if (child.stderr)
    createInterface(child.stderr).on('line', line => {
      said.push(line)
      errors.push(line)
    })
  return { lines, errors }
}

function control(
  child: ChildProcess,
  ended: Promise<[number | null, NodeJS.Signals | null]>,
  lines: readonly Line[],
  errors: readonly string[],
): Lvsd {
  let heard = 0
  return {
    pid: child.pid as number,
    lines,
    async hears(text, patience = PATIENCE) {
      let found: Line | undefined
      const matches = ({ msg }: Line) => (typeof text === 'string' ? msg.includes(text) : text.test(msg))
      await until(
        () => {
          if (child.exitCode !== null) throw new Error(`lvsd has ended: ${errors.join('\n')}`)
          const at = lines.findIndex((line, i) => i >= heard && matches(line))
          if (at < 0) return false
          found = lines[at]
          heard = at + 1
          return true
        },
        { patience, what: () => `lvsd says ${text}; it said:\n${lines.map(line => line.msg).join('\n')}` },
      )
      return found as Line
    },
    said: text => lines.filter(({ msg }) => msg.includes(text)),
    status: () => fetchStatus(DEFAULT_SOCKET),
    async real(service, address) {
      const { services } = await fetchStatus(DEFAULT_SOCKET)
      const reals = services.find(({ name }) => name === service)?.reals ?? []
      const real = reals.find(({ host, port }) => host === address || `[${host}]:${port}` === address)
      if (!real) throw new Error(`no ${address} in ${service}`)
      return real
    },
    signal: signal => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM')
      return (await ended)[0]
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Runs another command of lvsd on the director to its end: `lvsdCommand('reload')`. */
export function lvsdCommand(...args: readonly string[]): Promise<Ran> {
  return runOnDirector(process.execPath, [MAIN, ...args])
}
