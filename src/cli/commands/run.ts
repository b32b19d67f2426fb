/** lvsd run: runs the daemon in the foreground. */

import { AcceptedConfiguration, isRunnable } from '../../accepted/accepted.js'
import { SocketUnusable } from '../../api/server.js'
import { type Known, loadConfigApart, loadConfigAtStart } from '../../config/load-apart.js'
import { renderProblems } from '../../config/problems/render-problem.js'
import { TABLES } from '../../ipvs/table.js'
import { JournalInUse } from '../../storage/journal.js'
import { letHeapGrow } from '../../system/small-heap.js'
import { keepMemorySmall } from '../../system/small-memory.js'
import { waitAtMost } from '../../util/with-timeout.js'
import { CommandError, defineCommand, EXIT } from '../command.js'

/** Maximum milliseconds for a stop. It is shorter than the time after which a service manager kills the process. */
const STOP_PATIENCE = 12_000

export const command = defineCommand({
  name: 'run',
  summary: 'Run the director in the foreground',
  details: [
    'Reads the configuration (YAML, or an ldirectord.cf as it is), takes over what the kernel already holds,',
    'checks the real servers and keeps the IPVS table up to date. SIGHUP reads the configuration again: all of it',
    'or nothing. SIGTERM, SIGINT and SIGQUIT stop lvsd; the table stays, except services with cleanstop.',
    'If the file cannot run at a start, the last accepted configuration runs, if there is one.',
  ].join('\n'),
  arguments: { CONFIG: { about: 'the configuration file' } },
  options: {
    kernel: {
      about: 'the table to keep: the kernel’s, or one in memory that nobody else sees',
      value: 'TABLE',
      choices: TABLES,
      default: 'netlink',
    },
    socket: { about: 'control socket, in place of the configuration’s', value: 'PATH' },
    state: { about: 'folder of the ownership journal, in place of the configuration’s', value: 'DIR' },
  },
  examples: [
    ['lvsd run /etc/lvsd/lvsd.yaml', 'keep the kernel’s table'],
    ['lvsd run /etc/ha.d/ldirectord.cf', 'the same from ldirectord’s file'],
    ['lvsd run site.yaml --kernel memory --socket /tmp/lvsd.sock', 'try it without root'],
  ],
  async run({ options, arguments: { CONFIG: file }, env, screen, warn, onSignal }) {
    // Handled from the beginning to the end, so that a signal neither ends lvsd at a wrong time nor is lost.
    let isReloadWanted = false
    let reload = () => {
      isReloadWanted = true
    }
    let isStopped = false
    onSignal(['SIGHUP'], () => reload())
    const stopped = new Promise<void>(resolve =>
      onSignal(['SIGTERM', 'SIGINT', 'SIGQUIT'], () => {
        isStopped = true
        resolve()
      }),
    )
    // Imported here, because a help text needs only the description above. A thread reads a long file meanwhile.
    const [{ startDirector, withPaths }, { openLog }, read] = await Promise.all([
      import('../../director/compose.js'),
      import('../../system/log.js'),
      loadConfigAtStart(file),
    ])
    const load = (running: Known) => {
      letHeapGrow()
      return loadConfigApart(file, {}, undefined, running).then(loaded => withPaths(loaded, options))
    }
    const accepted = new AcceptedConfiguration(
      { file, state: options.state ?? null, env },
      { isTrial: options.kernel === 'memory', tell: warn },
    )
    const current = withPaths(read, options)
    if (!isRunnable(current)) warn(renderProblems(current, { colour: screen.colour }))
    const chosen = await accepted.choose(current)
    if (!chosen)
      throw new CommandError(
        `${file} has errors, and none was accepted before; nothing was touched`,
        EXIT.problem,
      )
    const loaded = withPaths(chosen.loaded, options)
    const { config } = loaded
    if (isStopped) return EXIT.ok
    const log = openLog(config.settings.logLevel)
    // Without a handler SIGUSR1 opens Node's debugger to all users of the machine, and SIGUSR2 ends lvsd.
    onSignal(['SIGUSR1', 'SIGUSR2'], signal =>
      log.warn('signal.ignored', { signal }, 'this signal means nothing to lvsd'),
    )
    const daemon = await startDirector({
      loaded,
      kept: chosen.kept,
      keep: next => accepted.keep(next),
      load,
      table: options.kernel,
      log,
      env,
    }).catch(error => {
      throw cannotStart(error)
    })
    keepMemorySmall()
    reload = () => void daemon.reload(false)
    if (isReloadWanted) reload()
    await stopped
    await waitAtMost(STOP_PATIENCE, daemon.stop())
    return EXIT.ok
  },
})

function cannotStart(error: unknown): unknown {
  if (error instanceof SocketUnusable || error instanceof JournalInUse)
    return new CommandError(error.message, EXIT.problem)
  if ((error as NodeJS.ErrnoException).code !== 'EACCES') return error
  return new CommandError(
    `${(error as Error).message}; run as root, or give --socket and --state places that you may write`,
    EXIT.kernel,
  )
}
