/**
 * Commands that the operator wants run when something happens: one after the other for each subject, never in the way. They
 * are lines of the shell; one that names a program which somebody else could change is not run.
 */

import { USUAL_PATH } from '../system/find-program.js'
import type { Log } from '../system/log.js'
import { runCommand } from '../system/processes.js'
import { whyNotShell } from '../system/shell-command.js'
import { Semaphore } from '../util/semaphore.js'

/** A hook that takes longer is killed with all its children, milliseconds. */
const PATIENCE = 30_000
const GRACE = 2000
/** Starting a process blocks lvsd for some 2 ms, and many services may lose their last server in one moment. */
const MOST_AT_ONCE = 8

export interface CommandQueue {
  /**
   * Runs a command line through the shell, with `words` behind it. Commands of one `subject` run in the order of these
   * calls; those of different subjects do not wait for each other. One that waits already is not asked for twice. The
   * outcome is logged, nothing else. Resolves when it has ended.
   */
  run(subject: string, commandLine: string, words: readonly string[]): Promise<void>
  /** Resolves when all commands have ended. */
  idle(): Promise<void>
  /** As `idle`, for `patience` milliseconds; then those that run are killed, and those that wait are not run. */
  close(patience: number): Promise<void>
}

type Env = Readonly<Record<string, string | undefined>>

export function openCommandQueue(log: Log, env: Env = process.env): CommandQueue {
  const queues = new Map<string, Promise<void>>()
  const waiting = new Map<string, Promise<void>>()
  const running = new Set<AbortController>()
  const places = new Semaphore(MOST_AT_ONCE)
  let isClosed = false

  const runNext = async (commandLine: string, words: readonly string[]) => {
    const shown = [commandLine, ...words].join(' ')
    if (isClosed) return log.error('hook.not-run', { hook: shown }, 'hook not run: lvsd stops')
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), PATIENCE)
    running.add(controller)
    await runHook({ log, env, shown, signal: controller.signal }, commandLine, words)
    running.delete(controller)
    clearTimeout(timer)
  }

  const idle = async () => {
    while (queues.size > 0) await Promise.all(queues.values())
  }

  return {
    run(subject, commandLine, words) {
      const key = JSON.stringify([subject, commandLine, ...words])
      const known = waiting.get(key)
      if (known) return known
      const before = queues.get(subject) ?? Promise.resolve()
      const mine = before
        .then(() => places.acquire())
        .then(() => {
          waiting.delete(key)
          return runNext(commandLine, words)
        })
        .finally(() => {
          places.release()
          if (queues.get(subject) === mine) queues.delete(subject)
        })
      waiting.set(key, mine)
      queues.set(subject, mine)
      return mine
    },
    idle,
    async close(patience) {
      const timer = setTimeout(() => {
        isClosed = true
        for (const controller of running) controller.abort()
      }, patience)
      await idle()
      clearTimeout(timer)
    },
  }
}

interface Run {
  readonly log: Log
  readonly env: Env
  readonly shown: string
  readonly signal: AbortSignal
}

async function runHook(
  { log, env, shown, signal: until }: Run,
  commandLine: string,
  words: readonly string[],
): Promise<void> {
  const { PATH = USUAL_PATH } = env
  const untrusted = whyNotShell(commandLine, PATH)
  if (untrusted !== null) return log.error('hook.not-run', { hook: shown, error: untrusted }, 'hook not run')
  try {
    const { code, signal, output } = await runCommand({
      // The words come as arguments and are never read by the shell, whatever they hold.
      file: '/bin/sh',
      argv: ['-c', `${commandLine} "$@"`, 'lvsd', ...words],
      env: { PATH },
      signal: until,
      grace: GRACE,
      // A page that says sorry may be a server that the command starts.
      sort: 'hook',
    })
    if (code === 0) return log.info('hook.done', { hook: shown }, 'hook done')
    const end = signal === null ? `exit ${code}` : `ended by ${signal}`
    log.error('hook.failed', { hook: shown, end, output: output.slice(0, 500) }, 'hook failed')
  } catch (error) {
    log.error('hook.not-run', { hook: shown, error: (error as Error).message }, 'hook could not be started')
  }
}
