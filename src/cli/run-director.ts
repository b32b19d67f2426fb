/** Runs the director of `lvsd run` until it is stopped. A file of its own, because a help text needs none of it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { AcceptedConfiguration, isRunnable } from '../accepted/accepted.js'
import { SocketUnusable } from '../api/server.js'
import type { Loaded } from '../config/load.js'
import { type Known, loadConfigApart, loadConfigAtStart } from '../config/load-apart.js'
import type { TableName } from '../ipvs/table.js'
import { openEngineEarly } from '../schedule/engine/early-engine.js'
import { JournalInUse } from '../storage/journal.js'
import { firstResultsIn, keepMemorySmall } from '../system/small-memory.js'
import { waitAtMost } from '../util/with-timeout.js'
import { type CommandContext, CommandError, EXIT, type ExitCode } from './command.js'

export interface RunSignals {
  /** Resolves when lvsd is to stop. */
  readonly stopped: Promise<void>
  isStopped(): boolean
  /** Calls `call` for each reload, also for one that was wanted before. */
  onReload(call: () => void): void
}

export interface RunParts extends Pick<CommandContext, 'env' | 'screen' | 'warn' | 'onSignal'> {
  readonly file: string
  readonly options: {
    readonly kernel: TableName
    readonly socket: string | undefined
    readonly state: string | undefined
  }
  readonly signals: RunSignals
}

/** The table in memory is for trials, which leave the state folder alone. */
const NOT_STORED = 'the table is in memory: events, results, overrides and tokens are not stored'

/** Maximum milliseconds for a stop. It is shorter than the time after which a service manager kills the process. */
const STOP_PATIENCE = 12_000

export async function runDirector(parts: RunParts): Promise<ExitCode> {
  const { options, file, env, screen, warn, onSignal, signals } = parts
  const loading = Promise.all([import('../director/compose.js'), import('../system/log.js')])
  // Where it is not open yet. A failure is that of `loading`.
  void loading.then(
    () => openEngineEarly(),
    () => {},
  )
  const accepted = new AcceptedConfiguration(
    { file, state: options.state ?? null, env },
    { isTrial: options.kernel === 'memory', tell: warn, paths: options },
  )
  const read = await Promise.race([
    loadConfigAtStart(file, loading, () => accepted.ofSameText()),
    signals.stopped,
  ])
  if (!read) return EXIT.ok
  const [{ startDirector, withPaths }, { openLog }] = await loading
  const load = (running: Known) =>
    loadConfigApart(file, {}, undefined, running).then(loaded => withPaths(loaded, options))
  const current = withPaths(read, options)
  if (!isRunnable(current)) {
    const { renderProblems } = await import('../config/problems/render-problem.js')
    warn(renderProblems(current, { colour: screen.colour }))
  }
  const chosen = await accepted.choose(current)
  if (!chosen)
    throw new CommandError(
      `${faultOf(file, current)}, and none was accepted before; nothing was touched`,
      EXIT.problem,
    )
  const loaded = withPaths(chosen.loaded, options)
  if (signals.isStopped()) return EXIT.ok
  const log = openLog(loaded.config.settings.logLevel)
  if (options.kernel === 'memory') log.info('state.none', {}, NOT_STORED)
  // Without a handler SIGUSR1 opens Node's debugger to all users of the machine, and SIGUSR2 ends lvsd.
  onSignal(['SIGUSR1', 'SIGUSR2'], signal =>
    log.warn('signal.ignored', { signal }, 'this signal means nothing to lvsd'),
  )
  // To write thousands of servers would delay their first results.
  const firstResults = sleep(firstResultsIn(), undefined, { ref: false })
  const daemon = await startDirector({
    loaded,
    kept: chosen.kept,
    keep: async (next, firstChecks) => {
      await Promise.race([firstResults, signals.stopped])
      await accepted.keep(next, firstChecks())
    },
    load,
    table: options.kernel,
    log,
    env,
  }).catch(error => {
    throw cannotStart(error)
  })
  keepMemorySmall()
  signals.onReload(() => void daemon.reload(false))
  await signals.stopped
  await waitAtMost(STOP_PATIENCE, daemon.stop())
  return EXIT.ok
}

function faultOf(file: string, { problems }: Loaded): string {
  const unreadable = problems.find(({ code }) => code === 'FILE_UNREADABLE')
  return unreadable ? `${file}: ${unreadable.message}` : `${file} has errors`
}

function cannotStart(error: unknown): unknown {
  if (error instanceof SocketUnusable || error instanceof JournalInUse)
    return new CommandError(error.message, EXIT.problem)
  if ((error as NodeJS.ErrnoException).code !== 'EACCES') return error
  return new CommandError(
    `${(error as Error).message}; run as root, or give --socket and --state places that you may write`,
    EXIT.kernel,
  )
}
