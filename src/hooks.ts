/** Commands that the operator wants run when something happens: one after the other for each subject, never in the way. */
import { runCommand } from './children.js'
import type { Log } from './log.js'

/** A hook that takes longer is killed with all its children, milliseconds. */
const PATIENCE = 30_000
const GRACE = 2000

export interface Hooks {
  /**
   * Runs a command line through the shell, with `words` behind it. Commands of one `subject` run in the order of these
   * calls; those of different subjects do not wait for each other. The outcome is logged, nothing else.
   */
  run(subject: string, commandLine: string, words: readonly string[]): void
  /** Resolves when all commands have ended. */
  idle(): Promise<void>
}

export function openHooks(log: Log, env: Readonly<Record<string, string | undefined>> = process.env): Hooks {
  const queues = new Map<string, Promise<void>>()
  return {
    run(subject, commandLine, words) {
      const before = queues.get(subject) ?? Promise.resolve()
      const mine = before.then(() => runHook(log, env, commandLine, words))
      queues.set(subject, mine)
      void mine.finally(() => {
        if (queues.get(subject) === mine) queues.delete(subject)
      })
    },
    async idle() {
      while (queues.size > 0) await Promise.all(queues.values())
    },
  }
}

async function runHook(
  log: Log,
  {
    PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  }: Readonly<Record<string, string | undefined>>,
  commandLine: string,
  words: readonly string[],
): Promise<void> {
  const shown = [commandLine, ...words].join(' ')
  try {
    const { code, signal, output } = await runCommand({
      // The words come as arguments and are never read by the shell, whatever they hold.
      file: '/bin/sh',
      argv: ['-c', `${commandLine} "$@"`, 'lvsd', ...words],
      env: { PATH },
      signal: AbortSignal.timeout(PATIENCE),
      grace: GRACE,
    })
    if (code === 0) return log.info({ hook: shown }, 'hook done')
    const end = signal === null ? `exit ${code}` : `ended by ${signal}`
    log.error({ hook: shown, end, output: output.slice(0, 500) }, 'hook failed')
  } catch (error) {
    log.error({ hook: shown, error: (error as Error).message }, 'hook could not be started')
  }
}
