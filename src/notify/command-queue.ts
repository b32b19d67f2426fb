/**
 * Runs commands of the operator when events occur, in sequence for each subject and without blocking lvsd. They are
 * shell command lines. A command line that names a program which another user could change is not run.
 */

import { USUAL_PATH } from '../system/find-program.js'
import type { Log } from '../system/log.js'
import { runCommand } from '../system/processes.js'
import { whyNotShell } from '../system/shell-command.js'
import { Semaphore } from '../util/semaphore.js'

/** Milliseconds after which a hook is killed with all its children. */
const PATIENCE = 30_000
const GRACE = 2000
/** Starting a process blocks lvsd for about 2 ms, and many services can lose their last server at the same time. */
const MOST_AT_ONCE = 8

export interface CommandQueue {
  /**
   * Runs a command line through the shell with `words` as further arguments. Commands of one `subject` run in the order
   * of the calls; different subjects do not wait for each other. A command that is already waiting is not queued again.
   * The outcome is only logged. Resolves when the command has ended.
   */
  run(subject: string, commandLine: string, words: readonly string[]): Promise<void>
  /** Resolves when all commands have ended. */
  idle(): Promise<void>
  /** Waits like `idle`, at most `patience` milliseconds; then kills running commands and drops waiting ones. */
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
      // The words are passed as arguments, so the shell does not interpret them.
      file: '/bin/sh',
      argv: ['-c', `${commandLine} "$@"`, 'lvsd', ...words],
      env: { PATH },
      signal: until,
      grace: GRACE,
      // The command may start a server, for example for a maintenance page, that must keep running.
      sort: 'hook',
    })
    if (code === 0) return log.info('hook.done', { hook: shown }, 'hook done')
    const end = signal === null ? `exit ${code}` : `ended by ${signal}`
    log.error('hook.failed', { hook: shown, end, output: output.slice(0, 500) }, 'hook failed')
  } catch (error) {
    log.error('hook.not-run', { hook: shown, error: (error as Error).message }, 'hook could not be started')
  }
}
