/** `execute = NAME`: other ldirectord configurations, which follow this one's commands. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import type { Log } from '../system/log.js'
import { runCommand } from '../system/processes.js'
import { whyUntrusted } from '../system/trusted-path.js'
import type { Command } from './args.js'
import type { Env } from './paths.js'

/** A command of another instance that takes longer is ended, milliseconds; what it has started goes on. */
const PATIENCE = 90_000
const GRACE = 2000

/** Runs one command of another instance; true where it ended well. */
export type ChainedCommand = (name: string, command: Command) => Promise<boolean>

/** This very program: interpreter, its options, script. */
export type Self = readonly string[]

/** Through the shell, which takes the quotes off the name as it does for ldirectord. */
function commandLine(self: Self, name: string, command: Command): string[] {
  return ['-c', `"$@" ${name} ${command}`, 'sh', ...self]
}

/** From the daemon: beside the event loop, told in its log. */
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

/** This very program is run again; somebody else may have got hold of it meanwhile. */
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

/** From the command itself: what the others say is said here. */
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

/** One command of all of them. */
export async function followAll(
  names: readonly string[],
  command: Command,
  follow: ChainedCommand,
): Promise<void> {
  for (const name of names) await follow(name, command)
}

/** After a reload: those that are gone stop, those that stay reload or else start, new ones start. */
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
