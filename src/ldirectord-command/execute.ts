/** Implements `execute = NAME`: further ldirectord configurations, which receive the commands of this one too. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import type { Log } from '../system/log.js'
import { runCommand } from '../system/processes.js'
import { whyUntrusted } from '../system/trusted-path.js'
import type { Command } from './args.js'
import type { Env } from './paths.js'

/** Time limit for a command of another instance, in milliseconds. Daemons that it has started continue. */
const PATIENCE = 90_000
const GRACE = 2000

/** Runs one command of another instance. Returns true if it succeeded. */
export type ChainedCommand = (name: string, command: Command) => Promise<boolean>

/** Command line of this program: interpreter, its options, script. */
export type Self = readonly string[]

/** Returns a command line that uses the shell, which removes the quotes from the name, as in ldirectord. */
function commandLine(self: Self, name: string, command: Command): string[] {
  return ['-c', `"$@" ${name} ${command}`, 'sh', ...self]
}

/** For the daemon: returns a function that runs commands asynchronously, and logs failures. */
export function chainedCommands(self: Self, log: Log, environment: Env): ChainedCommand {
  const env = defined(environment)
  return async (name, command) => {
    const about = { execute: name, command }
    const untrusted = whyNotThis(self)
    if (untrusted !== null) {
      log.error('execute.not-run', { ...about, error: untrusted }, 'execute: not possible')
      return false
    }
    try {
      const argv = commandLine(self, name, command)
      const signal = AbortSignal.timeout(PATIENCE)
      const { code, output } = await runCommand({
        file: '/bin/sh',
        argv,
        env,
        signal,
        grace: GRACE,
        sort: 'director',
      })
      if (code === 0) log.info('execute.done', about, 'execute: done')
      else log.warn('execute.failed', { ...about, code, output: output.slice(0, 500) }, 'execute: failed')
      return code === 0
    } catch (error) {
      log.error('execute.not-run', { ...about, error: (error as Error).message }, 'execute: not possible')
      return false
    }
  }
}

/** Returns a reason if this program must not be run again, because another user could have changed it. Else null. */
function whyNotThis(self: Self): string | null {
  const [interpreter = ''] = self
  try {
    return whyUntrusted(interpreter) ?? whyUntrusted(resolve(self.at(-1) ?? ''))
  } catch (error) {
    return (error as Error).message
  }
}

function defined(env: Env): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  )
}

interface Asker {
  readonly env: Env
  readonly warn: (text: string) => void
}

/** For the command: runs the other commands synchronously. Their output appears on this terminal. */
export function followNow(
  self: Self,
  names: readonly string[],
  command: Command,
  { env, warn }: Asker,
): void {
  const untrusted = names.length > 0 ? whyNotThis(self) : null
  if (untrusted !== null) warn(`execute is not possible: ${untrusted}`)
  for (const name of untrusted === null ? names : [])
    spawnSync('/bin/sh', commandLine(self, name, command), { stdio: 'inherit', env: defined(env) })
}

/** Runs one command for all names, one after another. */
export async function followAll(
  names: readonly string[],
  command: Command,
  follow: ChainedCommand,
): Promise<void> {
  for (const name of names) await follow(name, command)
}

/** Follows a reload: instances no longer listed are stopped, listed ones are reloaded or, if that fails, started. */
export async function followReload(
  before: readonly string[],
  now: readonly string[],
  follow: ChainedCommand,
): Promise<void> {
  for (const name of before) if (!now.includes(name)) await follow(name, 'stop')
  for (const name of now) {
    const isKept = before.includes(name) && (await follow(name, 'reload'))
    if (!isKept) await follow(name, 'start')
  }
}
