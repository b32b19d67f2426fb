/**
 * Implements the commands. None of them needs the configuration to find the daemon, and none writes the daemon's files.
 * The modules of the daemon are imported on demand, because `status` is called every few seconds.
 */
import { spawn } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { hasErrors } from '../config/problems/problem.js'
import type { Command } from './args.js'
import { readDirectives } from './command-directives.js'
import { followNow, type Self } from './execute.js'
import { Output, type Streams } from './output.js'
import { type Env, type Instance, pidFileOf, socketOf } from './paths.js'
import { findDaemon, isAlive, type ProcessId } from './processes.js'
import type { Outcome } from './serve.js'
import { problemLines } from './usage.js'

export interface Invocation extends Streams {
  readonly instance: Instance
  /** The file as named on the command line, or null. */
  readonly config: string | null
  readonly debug: boolean
  readonly env: Env
  readonly self: Self
}

/** Milliseconds after SIGTERM until a daemon that still runs is reported. */
const STOP_PATIENCE = 60_000
const LOOK_EVERY = 50

/** Each action returns the exit code. */
export const ACTIONS: Readonly<Record<Command, (invocation: Invocation) => Promise<number>>> = {
  start,
  stop,
  restart: invocation => restart(invocation, start),
  'try-restart': invocation => restart(invocation, async () => 0),
  reload,
  'force-reload': reload,
  status,
}

async function start(invocation: Invocation): Promise<number> {
  const { instance, env, debug, self } = invocation
  if (findDaemon(instance, env).state === 'running') return 0
  const { directivesOfInstance } = await import('./kept.js')
  const { supervised } = await directivesOfInstance(instance, env)
  const tell = ({ lines }: Outcome) => lines.forEach(invocation.warn)
  if (debug || supervised) {
    const { serve } = await import('./serve.js')
    // If the start succeeds, the warnings are in the log, which is visible in the foreground.
    const started = async (outcome: Outcome) => (outcome.exit === 0 ? undefined : tell(outcome))
    return serve({ instance, mode: debug ? 'debug' : 'supervised', env, self, streams: invocation, started })
  }
  const outcome = await startDetached(invocation)
  tell(outcome)
  if (outcome.exit !== 0) await note(invocation, ...outcome.lines, `Exiting with exit_status ${outcome.exit}`)
  return outcome.exit
}

/** Environment variable that makes this program run as the daemon process. */
export const DAEMON_MARK = 'LVSD_LDIRECTORD_DAEMON'

/**
 * Starts the daemon as a child in its own session, and waits for its report. Its command line always contains `start`,
 * whatever the command was, because Pacemaker's agent looks for it.
 */
function startDetached({ instance, config, env, self }: Invocation): Promise<Outcome> {
  const [interpreter = '', ...script] = self
  const child = spawn(interpreter, [...script, ...(config === null ? [] : [config]), 'start'], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...env, [DAEMON_MARK]: JSON.stringify(instance) },
  })
  return new Promise(resolve => {
    child.once('message', outcome => {
      if (child.connected) child.disconnect()
      child.unref()
      resolve(outcome as Outcome)
    })
    const died = (how: string) => resolve({ exit: 1, lines: [`The daemon ended while it started (${how})`] })
    child.once('error', error => died(error.message))
    child.once('exit', (code, signal) => died(signal ?? `exit code ${code}`))
  })
}

async function stop(invocation: Invocation): Promise<number> {
  const { instance, env } = invocation
  const found = findDaemon(instance, env)
  return found.state === 'running' ? end(found.process, invocation) : 0
}

/** Sends SIGTERM and waits for the end of the daemon, so that the exit code reports whether it has stopped. */
async function end(daemon: ProcessId, { instance, warn }: Invocation): Promise<number> {
  if (!signal(daemon, 'SIGTERM', warn)) return 1
  const deadline = performance.now() + STOP_PATIENCE
  while (isAlive(daemon)) {
    if (performance.now() > deadline) {
      warn(
        `ldirectord for ${instance.file} has not stopped within ${STOP_PATIENCE / 1000} s: pid ${daemon.pid}`,
      )
      return 1
    }
    await pause(LOOK_EVERY)
  }
  return 0
}

/** Returns true if the signal was sent, or if the process does not exist any more. */
function signal({ pid }: ProcessId, name: NodeJS.Signals, warn: Streams['warn']): boolean {
  try {
    process.kill(pid, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true
    warn(`pid ${pid} can not be sent ${name}: ${(error as Error).message}`)
    return false
  }
}

/** Stops and starts the daemon. If the file has an error, nothing is stopped. */
async function restart(
  invocation: Invocation,
  whenStopped: (invocation: Invocation) => Promise<number>,
): Promise<number> {
  const found = findDaemon(invocation.instance, invocation.env)
  if (found.state !== 'running') return whenStopped(invocation)
  if (!(await isFileGood(invocation))) return 2
  const ended = await end(found.process, invocation)
  return ended === 0 ? start(invocation) : ended
}

/** Prints the problems of the file on standard error. Returns false if it has errors. Looks up no names. */
async function isFileGood({ instance, warn }: Invocation): Promise<boolean> {
  const { loadConfig } = await import('../config/load.js')
  const { problems, config } = await loadConfig(instance.path)
  const isGood = config !== null && !hasErrors(problems)
  if (!isGood) problemLines(problems).forEach(warn)
  return isGood
}

async function reload(invocation: Invocation): Promise<number> {
  const { instance, env, warn } = invocation
  const found = findDaemon(instance, env)
  if (found.state !== 'running') {
    warn(`ldirectord is stopped for ${instance.file}`)
    await note(invocation, `ldirectord is stopped for ${instance.file}`)
    return 1
  }
  if (!(await isFileGood(invocation))) return 2
  if (!found.record) return signal(found.process, 'SIGHUP', warn) ? 0 : 1
  const { ControlError, requestReload } = await import('../api/client.js')
  try {
    const { ok, message, problems } = await requestReload(socketOf(found.record, env), true)
    if (ok) return 0
    warn(`reload refused: ${message}`)
    return hasErrors(problems) ? 2 : 1
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    // The daemon is starting, stopping or busy. It will handle the signal.
    return signal(found.process, 'SIGHUP', warn) ? 0 : 1
  }
}

/**
 * Reports whether the daemon runs. With `-d` also checks the file, because scripts use `ldirectord -d FILE status` as a
 * test.
 */
async function status(invocation: Invocation): Promise<number> {
  const { instance, env, debug, self, warn, print } = invocation
  if (debug && !(await isFileGood(invocation))) return 2
  const found = findDaemon(instance, env)
  if (found.state === 'running') {
    warn(`ldirectord for ${instance.file} is running with pid: ${found.process.pid}`)
    followNow(self, readDirectives(instance.path).execute, 'status', { env, warn })
    return 0
  }
  if (found.state === 'stale')
    warn(`ldirectord stale pid file ${pidFileOf(instance, env)} for ${instance.file}`)
  print(`ldirectord is stopped for ${instance.file}`)
  return found.state === 'stale' ? 1 : 3
}

/** Writes lines to the log of the instance. Errors are ignored. */
export async function note(invocation: Invocation, ...texts: string[]): Promise<void> {
  const { instance, env, debug } = invocation
  if (debug) return
  const output = new Output('daemon', instance, readDirectives(instance.path), invocation, env)
  for (const text of texts) output.write({ level: 'info', time: new Date(), text })
  await output.close()
}
