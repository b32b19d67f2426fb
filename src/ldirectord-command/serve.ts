/**
 * The daemon process: runs lvsd on one configuration, with the log, the signals and the pid file of ldirectord.
 *
 * A start with a broken file depends on the end of the last run:
 *
 *   last run                                this start
 *   none, or no configuration was accepted  fails, exit code 2, as in ldirectord
 *   was stopped since the machine's boot    fails, exit code 2: an operator starts it and reads the errors
 *   crashed, was killed, or the machine     runs the last accepted configuration and prints the errors: systemd,
 *   was booted since                        Pacemaker or an init script starts it, and no operator reads them
 */
import { AcceptedConfiguration, type Chosen, isRunnable, type Kept, StopMark } from '../accepted/accepted.js'
import type { Loaded } from '../config/load.js'
import { type Known, loadConfigApart, loadConfigAtStart } from '../config/load-apart.js'
import { startDirector, withPaths } from '../director/compose.js'
import type { Daemon } from '../director/daemon-types.js'
import type { EventListener } from '../events/event-bus.js'
import { endNow } from '../system/exit.js'
import { type Log, openLineLog } from '../system/log.js'
import { keepMemorySmall } from '../system/small-memory.js'
import { version } from '../system/version.js'
import { waitAtMost } from '../util/with-timeout.js'
import { type Directives, directivesOf } from './command-directives.js'
import { chainedCommands, followAll, followReload, type Self } from './execute.js'
import { type Lock, takeLock } from './lock.js'
import { tableSentences } from './log-messages.js'
import { type Mode, Output, type Streams } from './output.js'
import { type Env, type Instance, socketOf, stateFolder } from './paths.js'
import { preparePidFile } from './pid-file.js'
import { problemLines } from './usage.js'

/** Maximum milliseconds for a stop. */
const STOP_PATIENCE = 12_000
/** Maximum milliseconds for writing the stop mark, because the disk may hang. */
const MARK_PATIENCE = 1000

/** Result of a start, for the command that requested it. */
export interface Outcome {
  readonly exit: number
  /** Lines for standard error. */
  readonly lines: readonly string[]
}

export interface DaemonArgs {
  readonly instance: Instance
  readonly mode: Mode
  readonly env: Env
  readonly self: Self
  readonly streams: Streams
  /** Called once: when the daemon runs, or when the start has failed. */
  readonly started: (outcome: Outcome) => Promise<void>
}

/** Runs until a signal stops it. Resolves to the exit code. */
export async function serve(stay: DaemonArgs): Promise<number> {
  const { instance, env, started } = stay
  const signals = listen()
  const fail = async (outcome: Outcome) => {
    await started(outcome)
    return outcome.exit
  }
  let lock: Lock | null
  try {
    lock = takeLock(instance, env)
  } catch (error) {
    return await fail({ exit: 1, lines: [`The lock can not be taken: ${(error as Error).message}`] })
  }
  // Another process has just started the daemon, which is the wanted result.
  if (!lock) return await fail({ exit: 0, lines: [] })
  try {
    const load = (running: Known) =>
      loadFor(instance, env, file => loadConfigApart(file, {}, undefined, running))
    const current = await loadFor(instance, env, loadConfigAtStart)
    const lines = problemLines(current.problems)
    const mark = new StopMark(stateFolder(env), instance.path)
    const accepted = acceptedFor(stay)
    const isSomebodys = !isRunnable(current) && (await mark.isSet())
    const chosen = isSomebodys ? null : await accepted.choose(current)
    if (!chosen) return await fail({ exit: 2, lines })
    const told = chosen.kept ? [...lines, keptLine(instance, chosen.kept)] : lines
    return await run(stay, { chosen, accepted, mark, load, signals, lines: told })
  } catch (error) {
    return await fail({ exit: 1, lines: [(error as Error).message] })
  } finally {
    lock.release()
  }
}

/** Loads the configuration. Omits COMMAND_ONLY problems, which apply only to `lvsd run`. */
async function loadFor(instance: Instance, env: Env, read: typeof loadConfigAtStart): Promise<Loaded> {
  const loaded = await read(instance.path)
  const problems = loaded.problems.filter(({ code }) => code !== 'COMMAND_ONLY')
  return withPaths({ ...loaded, problems }, { socket: socketOf(instance, env), state: stateFolder(env) })
}

function acceptedFor({ instance, env, streams }: DaemonArgs): AcceptedConfiguration {
  const place = { file: instance.path, state: stateFolder(env), env }
  return new AcceptedConfiguration(place, { isTrial: false, tell: problem => streams.warn(problem) })
}

function keptLine({ file }: Instance, { acceptedAt }: Kept): string {
  return `${file} can not be used; the configuration accepted at ${acceptedAt} runs until it is repaired`
}

interface StartState {
  readonly chosen: Chosen
  readonly accepted: AcceptedConfiguration
  readonly mark: StopMark
  readonly load: (running: Known) => Promise<Loaded>
  readonly signals: Signals
  readonly lines: readonly string[]
}

async function run(stay: DaemonArgs, beginning: StartState): Promise<number> {
  const { chosen, accepted, mark, load, signals, lines } = beginning
  const { instance, mode, env, self, streams, started } = stay
  const loaded = withPaths(chosen.loaded, { socket: socketOf(instance, env), state: stateFolder(env) })
  let directives = directivesOf(loaded.text)
  const output = new Output(mode, instance, directives, streams, env)
  const log = openLineLog(mode === 'debug' ? 'debug' : loaded.config.settings.logLevel, line =>
    output.write(line),
  )
  const follow = chainedCommands(self, log, env)
  leaveTrace(output)
  const others = oneByOne()
  const adopt = (next: Directives) => {
    const before = directives.execute
    directives = next
    void output.adopt(next)
    others.add(() => followReload(before, next.execute, follow))
  }
  const pidFile = mode === 'daemon' ? preparePidFile(instance, env) : null
  const reloading = adoption(load, adopt)
  try {
    const daemon = await startDirector({
      loaded,
      kept: chosen.kept,
      keep: next => accepted.keep(next),
      load: reloading.load,
      table: env.LVSD_LDIRECTORD_KERNEL === 'memory' ? 'memory' : 'netlink',
      log,
      env,
      listeners: [reloading.listener, tableSentences(log)],
    })
    keepMemorySmall()
    log.info(
      'ldirectord.started',
      {},
      `Started lvsd ${version()}${mode === 'daemon' ? ' as daemon' : ` with pid: ${process.pid}`}`,
    )
    pidFile?.show()
    await started({ exit: 0, lines })
    await mark.clear().catch(() => {})
    signals.onReload(() => reloadNow(daemon, log))
    others.add(() => followAll(directives.execute, 'start', follow))
    const signal = await signals.stopped
    // Concurrently, because one of them may hang.
    await Promise.all([
      others.add(() => followAll(directives.execute, 'stop', follow)),
      waitAtMost(STOP_PATIENCE, daemon.stop()),
    ])
    // Without the mark, the next start behaves as after a crash, which is harmless.
    await waitAtMost(
      MARK_PATIENCE,
      mark.set().catch(() => {}),
    )
    log.info('ldirectord.stopped', {}, `Linux Director Daemon terminated on signal: ${signal.slice(3)}`)
    return 0
  } finally {
    pidFile?.remove()
    await output.close()
  }
}

/** Runs pieces of work one after another, so that an instance is not started while it is being stopped. */
function oneByOne() {
  let last: Promise<unknown> = Promise.resolve()
  return {
    add(work: () => Promise<unknown>) {
      last = last.then(work)
      return last
    },
  }
}

/** Reload on SIGHUP, without limits on removals: the operator requests it. The limits apply to `autoreload` only. */
function reloadNow(daemon: Daemon, log: Log): void {
  log.info('ldirectord.reload', {}, 'Reloading Linux Director Daemon config on signal')
  void daemon.reload(true)
}

/** Calls `adopt` with the directives of each accepted configuration, for all causes of a reload. */
function adoption(load: StartState['load'], adopt: (directives: Directives) => void) {
  let pending: Directives | null = null
  const listener: EventListener = {
    config() {
      if (pending) adopt(pending)
      pending = null
    },
    phase() {
      pending = null
    },
  }
  return {
    listener,
    load: async (running: Known) => {
      const loaded = await load(running)
      pending = directivesOf(loaded.text)
      return loaded
    },
  }
}

interface Signals {
  readonly stopped: Promise<NodeJS.Signals>
  /** Sets the handler of SIGHUP. Calls it at once if a signal has arrived already. */
  onReload(reload: () => void): void
}

/** Handles signals from the beginning, so that a signal during the start neither ends the process nor is lost. */
function listen(): Signals {
  let isWanted = false
  let reload = () => {
    isWanted = true
  }
  process.on('SIGHUP', () => reload())
  // Without a handler SIGUSR1 opens Node's debugger to all users of the machine, and SIGUSR2 ends the process.
  for (const name of ['SIGUSR1', 'SIGUSR2'] as const) process.on(name, () => {})
  const stopped = new Promise<NodeJS.Signals>(resolve => {
    for (const name of ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const) process.on(name, () => resolve(name))
  })
  return {
    stopped,
    onReload(work) {
      reload = work
      if (isWanted) work()
    },
  }
}

/** Logs an uncaught exception before the daemon ends, because standard error is /dev/null. */
function leaveTrace(output: Output): void {
  process.on('uncaughtException', error => {
    output.lastWords(`lvsd ends because of an internal error: ${error.stack ?? error}`.replaceAll('\n', ' '))
    endNow(1, true)
  })
}
