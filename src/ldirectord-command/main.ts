/** The command `ldirectord`: lvsd for ldirectord's init script, systemd unit and Pacemaker agent. */
import { writeFileSync } from 'node:fs'
import { endProcess } from '../system/exit.js'
import { ACTIONS, DAEMON_MARK, type Invocation, note } from './actions.js'
import { type CommandWords, readWords } from './args.js'
import type { Self } from './execute.js'
import { findInstance, type Instance, nameOf } from './paths.js'
import { findOrphan } from './processes.js'
import type { Outcome } from './serve.js'
import { HELP, USAGE, versionText } from './usage.js'

const USAGE_EXIT = 255

const self: Self = [process.execPath, ...process.execArgv, process.argv[1] ?? '']

const streams = {
  print: (text: string) => void process.stdout.write(`${text}\n`),
  warn: (text: string) => void process.stderr.write(`${text}\n`),
}
// A closed pipe (`ldirectord status | head -1`) is not an error.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

void main().then(finish, (error: Error) => {
  streams.warn(`ldirectord: ${process.env.LVSD_DEBUG ? error.stack : error.message}`)
  finish(1)
})

async function main(): Promise<number> {
  const mark = process.env[DAEMON_MARK]
  if (mark !== undefined) return stay(JSON.parse(mark) as Instance)
  const words = readWords(process.argv.slice(2))
  if (words.kind === 'command') return obey(words)
  if (words.kind === 'usage') return usage(words.mistake)
  return say(words.kind === 'help' ? HELP : versionText())
}

/** Runs the detached daemon process. */
async function stay(instance: Instance): Promise<number> {
  delete process.env[DAEMON_MARK]
  beCalledLdirectord()
  const { openEngineEarly } = await import('../schedule/engine/early-engine.js')
  openEngineEarly()
  // The command that started this process may have ended.
  const started = (outcome: Outcome) =>
    new Promise<void>(resolve => {
      const told = () => {
        if (process.connected) process.disconnect()
        resolve()
      }
      if (process.send && process.connected) process.send(outcome, undefined, undefined, told)
      else resolve()
    })
  const { serve } = await import('./serve.js')
  return serve({ instance, mode: 'daemon', env: process.env, self, streams, started })
}

/** Sets the process name to `ldirectord`, for pgrep, killall and top. */
function beCalledLdirectord(): void {
  try {
    writeFileSync('/proc/self/comm', 'ldirectord')
  } catch {
    // The name is not essential.
  }
}

async function obey({ command, debug, config }: CommandWords): Promise<number> {
  const { env } = process
  const found = findInstance(config, env)
  // `status` and `stop` also work for a daemon whose file has been removed.
  const orphan = found || !['status', 'stop'].includes(command) ? null : findOrphan(nameOf(config), env)
  const kept = found || command !== 'start' ? null : await (await import('./kept.js')).findKept(config, env)
  const instance = found ?? orphan ?? kept
  if (instance) return ACTIONS[command]({ instance, config, debug, env, self, ...streams })
  const wanted = config ?? 'ldirectord.cf'
  const nobody: Instance = { name: nameOf(config), file: wanted, path: wanted }
  const invocation: Invocation = { instance: nobody, config, debug, env, self, ...streams }
  streams.warn(`Config file ${wanted} not found`)
  await note(invocation, `Config file ${wanted} not found`)
  return 1
}

function usage(mistake: string): number {
  if (mistake) streams.warn(mistake)
  process.stdout.write(USAGE)
  return USAGE_EXIT
}

function say(text: string): number {
  process.stdout.write(text)
  return 0
}

function finish(code: number): void {
  endProcess(code, true)
}
