/**
 * The process that stays: lvsd on one configuration, with the log, the signals and the pid file of ldirectord.
 *
 * A start with a broken file goes by how the last run ended:
 *
 *   the last run                          this start
 *   none, or none was accepted            fails, exit 2, as with ldirectord
 *   was stopped since this machine's boot fails, exit 2: somebody starts it and reads what is wrong
 *   crashed, was killed, or the machine   runs what was accepted last, and tells what is wrong: systemd, Pacemaker
 *   was booted since                      or an init script starts it, and nobody reads
 */
import { AcceptedConfiguration, type Chosen, isRunnable, type Kept, StopMark } from '../accepted/accepted.js'
import type { Loaded } from '../config/load.js'
import { loadConfigApart, loadConfigAtStart } from '../config/load-apart.js'
import { startDirector, withPaths } from '../director/compose.js'
import type { Daemon } from '../director/daemon.js'
import type { EventListener } from '../events/event-bus.js'
import { endNow } from '../system/exit.js'
import { type Log, openLineLog } from '../system/log.js'
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

/** Milliseconds that a stop takes at most, whatever hangs. */
const STOP_PATIENCE = 12_000
/** For a small file on a disk that may hang. */
const MARK_PATIENCE = 1000

/** How a start went, for whoever asked for it. */
export interface Outcome {
  readonly exit: number
  /** For standard error. */
  readonly lines: readonly string[]
}

export interface DaemonArgs {
  readonly instance: Instance
  readonly mode: Mode
  readonly env: Env
  readonly self: Self
  readonly streams: Streams
  /** Told once: when it runs, or why it does not. */
  readonly started: (outcome: Outcome) => Promise<void>
}

/** Runs until it is told to stop; resolves to the exit code. */
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
  // Somebody else has started it at this very moment, which is what was wanted.
  if (!lock) return await fail({ exit: 0, lines: [] })
  try {
    const load = () => loadFor(instance, env)
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

/** What is only told to those who do not run it by this command is left out. */
async function loadFor(
  instance: Instance,
  env: Env,
  read: typeof loadConfigAtStart = loadConfigApart,
): Promise<Loaded> {
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
  readonly load: () => Promise<Loaded>
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
    // Neither waits for the other: one of them may hang.
    await Promise.all([
      others.add(() => followAll(directives.execute, 'stop', follow)),
      waitAtMost(STOP_PATIENCE, daemon.stop()),
    ])
    // Where it cannot be written the next start is taken for one after a crash, which does no harm.
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

/** Each work begins when the one before has ended: nobody is started who is being stopped. */
function oneByOne() {
  let last: Promise<unknown> = Promise.resolve()
  return {
    add(work: () => Promise<unknown>) {
      last = last.then(work)
      return last
    },
  }
}

/** Whoever sends SIGHUP wants the file as it is; only a file that changes by itself is held to the removal limit. */
function reloadNow(daemon: Daemon, log: Log): void {
  log.info('ldirectord.reload', {}, 'Reloading Linux Director Daemon config on signal')
  void daemon.reload(true)
}

/** Notices when a configuration that was read again has been accepted, however the reload came about. */
function adoption(load: () => Promise<Loaded>, adopt: (directives: Directives) => void) {
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
    load: async () => {
      const loaded = await load()
      pending = directivesOf(loaded.text)
      return loaded
    },
  }
}

interface Signals {
  readonly stopped: Promise<NodeJS.Signals>
  /** From now on; at once where a signal has come already. */
  onReload(reload: () => void): void
}

/** Listened to from the first moment: a signal during the start must neither end the process nor be lost. */
function listen(): Signals {
  let isWanted = false
  let reload = () => {
    isWanted = true
  }
  process.on('SIGHUP', () => reload())
  // Node's debugger would be opened to everybody on this machine by the first, and the second would end the process.
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

/** Standard error is /dev/null: a fault would end the daemon without a word. */
function leaveTrace(output: Output): void {
  process.on('uncaughtException', error => {
    output.lastWords(`lvsd ends because of a fault of its own: ${error.stack ?? error}`.replaceAll('\n', ' '))
    endNow(1, true)
  })
}
