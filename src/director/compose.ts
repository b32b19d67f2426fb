/** Composes a daemon from the parts that depend on its process: table, journal, systemd, event listeners. */
import type { Kept, Runnable } from '../accepted/accepted.js'
import { AlertClaims } from '../cluster/alert-claims.js'
import type { Loaded } from '../config/load.js'
import type { Config, Settings } from '../core/model.js'
import type { EventListener } from '../events/event-bus.js'
import { kernelAdvice } from '../events/sysctl-advice.js'
import { EventMemory } from '../history/event-memory.js'
import { openTable, type TableName } from '../ipvs/table.js'
import { openResolver } from '../names/lookup.js'
import { PATH_GROUPS, watchPaths } from '../netlink/path-changes.js'
import { openPaths, type Paths } from '../netlink/paths.js'
import { openSocket } from '../netlink/socket.js'
import { openCommandQueue } from '../notify/command-queue.js'
import { CheckSources, SOURCES_UNKNOWN } from '../schedule/check-sources.js'
import { openExecutors } from '../schedule/executors.js'
import { type Journal, journalPath, memoryJournal, openJournal, statePath } from '../storage/journal.js'
import type { Log } from '../system/log.js'
import { prepareToRun } from '../system/processes.js'
import { openNotify } from '../system/sd-notify.js'
import { openSysctls } from '../system/sysctl.js'
import { systemClock } from '../util/clock.js'
import { openAlerts } from './alert-listener.js'
import { startDaemon } from './daemon.js'
import type { Daemon, DaemonParts } from './daemon-types.js'
import { defaultListeners } from './default-listeners.js'

export interface DirectorParts {
  readonly loaded: Runnable
  readonly kept: Kept | null
  readonly keep: NonNullable<DaemonParts['keep']>
  /** Reads the configuration again, for a reload. */
  readonly load: (running: Runnable) => Promise<Loaded>
  readonly table: TableName
  /** True if no file of the state folder is read or written; the default with the memory table, which is for trials. */
  readonly isTrial?: boolean
  readonly log: Log
  readonly env: Readonly<Record<string, string | undefined>>
  /** Listeners in addition to the default ones. */
  readonly listeners?: readonly EventListener[]
}

/** Opens table and journal, and starts the daemon. If this fails, nothing is left open. */
export async function startDirector(parts: DirectorParts): Promise<Daemon> {
  const { loaded, kept, keep, load, table, env, listeners = [], isTrial = table === 'memory' } = parts
  prepareToRun()
  const kernel = await openTable(table, env)
  let opened: OpenedJournal
  try {
    opened = isTrial ? { journal: memoryJournal(), tell: () => {} } : journalFor(loaded.config)
  } catch (error) {
    kernel.close()
    throw error
  }
  const { journal } = opened
  const { settings } = loaded.config
  const pathIn = (what: string) => (isTrial ? null : statePath(settings, what))
  // After the lock of the journal, because only one process may write to the folder.
  const folderIn = (what: string) => pathIn(what)?.replace(/\.json$/, '') ?? null
  const eventMemory = await EventMemory.open({ folder: folderIn('events'), log: parts.log })
  const { log } = eventMemory
  opened.tell(log)
  const resolver = openResolver()
  const commands = openCommandQueue(log)
  const claims = new AlertClaims({ clock: systemClock })
  const alerts = await openAlerts({ log, resolver, eventMemory, path: pathIn('alerts'), claims })
  const advice = table === 'netlink' ? [kernelAdvice(log)] : []
  const paths = table === 'netlink' ? pathsOrNull(log) : null
  const sources = paths && sourcesOrNull(paths, log)
  return startDaemon({
    loaded,
    kept,
    keep,
    load,
    log,
    eventMemory,
    kernel,
    kernelName: table,
    overridesPath: pathIn('overrides'),
    memoryPath: pathIn('health'),
    clusterPath: pathIn('cluster'),
    tokensPath: pathIn('tokens'),
    rolePath: pathIn('vrrp'),
    sysctls: table === 'memory' ? null : openSysctls(),
    sysctlsPath: pathIn('sysctls'),
    journal,
    paths,
    sourceOf: sources ? target => sources.of(target) : undefined,
    executors: (onResult, concurrency, parts) => openExecutors(onResult, concurrency, { ...parts, sources }),
    resolver,
    commands,
    notify: openNotify(env, log),
    alerts,
    claims,
    listeners: [
      claims,
      ...defaultListeners({ log, journal, resolver, commands, recordFolder: folderIn('results'), claims }),
      alerts,
      ...(sources ? [sourcesListener(sources)] : []),
      ...advice,
      ...listeners,
    ],
  })
}

/** Bytes of the buffers of the socket for routes. An answer has about 2 KiB. */
const PATHS_BUFFER = 64 * 1024

function pathsOrNull(log: Log): Paths | null {
  try {
    return openPaths(openSocket(PATHS_BUFFER, 'route'))
  } catch (error) {
    log.warn(
      'director.paths-unknown',
      { error: (error as Error).message },
      'lvsd cannot ask the kernel for its routes: it would not notice that it is isolated',
    )
    return null
  }
}

/** Bytes of the buffer for reports of changes. If it overflows, everything counts as changed. */
const CHANGES_BUFFER = 64 * 1024

function sourcesOrNull(paths: Paths, log: Log): CheckSources | null {
  try {
    const changes = watchPaths(openSocket(CHANGES_BUFFER, 'route', PATH_GROUPS))
    return new CheckSources({ paths, changes, log, now: systemClock.now })
  } catch (error) {
    log.warn('check.sources-unknown', { error: (error as Error).message }, SOURCES_UNKNOWN)
    return null
  }
}

function sourcesListener(sources: CheckSources): EventListener {
  return { config: ({ services }) => sources.follow(services) }
}

/** Returns the loaded configuration with the paths of the control socket and the state folder replaced, if given. */
export function withPaths<T extends Loaded>(
  loaded: T,
  { socket, state }: { readonly [K in 'socket' | 'state']?: string | undefined },
): T {
  if (!loaded.config) return loaded
  const settings: Settings = { ...loaded.config.settings, ...(socket && { socket }), ...(state && { state }) }
  return { ...loaded, config: { ...loaded.config, settings } }
}

/**
 * Opens the journal. A journal that is damaged or cannot be read is moved away and logged, because a director must start. Services that lvsd
 * created before are then no longer owned.
 */
function journalFor({ settings }: Config): OpenedJournal {
  let tell = (_: Log) => {}
  const journal = openJournal(journalPath(settings.state, settings.socket), (message, moved) => {
    tell = log =>
      log.error(
        'journal.damaged',
        { moved },
        `${message}; lvsd starts with an empty one and leaves services of earlier runs that are no longer configured`,
      )
  })
  return { journal, tell }
}

interface OpenedJournal {
  readonly journal: Journal
  /** Logs that the journal was damaged. */
  tell(log: Log): void
}
