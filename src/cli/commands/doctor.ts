/** lvsd doctor: finds dangerous settings of this machine and of the configuration. */

import { existsSync } from 'node:fs'
import { ControlError, fetchStatus } from '../../api/client.js'
import { DOCTOR_SCHEMA } from '../../api/versions.js'
import { type Loaded, loadConfig } from '../../config/load.js'
import { hasErrors } from '../../config/problems/problem.js'
import { examine, isSerious } from '../../doctor/examine.js'
import type { Daemon } from '../../doctor/facts.js'
import { readMachine } from '../../doctor/read/machine.js'
import { readSite } from '../../doctor/read/site.js'
import { journalPath, readJournal } from '../../storage/journal.js'
import { socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, CommandError, defineCommand, EXIT } from '../command.js'
import { resolveNow } from '../load-or-exit.js'
import { renderFindings } from '../terminal/doctor.js'

/** The configuration of the unit lvsd.service. */
const DEFAULT_CONFIG = '/etc/lvsd/lvsd.yaml'

export const command = defineCommand({
  name: 'doctor',
  summary: 'Find dangerous settings of this machine and of a configuration',
  details: `Reads sysctls, modules, addresses, routes, limits and rights of this machine, and judges them by what the configuration
uses. Each finding says what follows from it, and the command that mends it. Changes nothing.
As root it asks the network once, by ARP or neighbour solicitation, who else has the virtual addresses of this machine.

- error: the service does not work, or not for all clients.
- warning: it works now, and does harm when a server fails, a director takes over or the load rises.
- note: worth knowing; it may be on purpose.
- not known: it could not be read. As root doctor can read all of it.

--json gives the findings with "schema" (${DOCTOR_SCHEMA}), which increases when a field changes its meaning or is removed.`,
  arguments: {
    CONFIG: {
      about: `the configuration: YAML, or an ldirectord.cf; default: that of the running lvsd, else ${DEFAULT_CONFIG}`,
      optional: true,
    },
  },
  options: {
    ...socketOption,
    all: { short: 'a', about: 'also show what is right' },
    json: { short: 'j', about: 'the findings as JSON' },
  },
  examples: [
    ['lvsd doctor', 'before the first start, and after each change of the machine'],
    ['lvsd doctor /etc/lvsd/lvsd.yaml --all', 'everything that was examined'],
    ['lvsd doctor --json', 'for programs'],
  ],
  async run(context) {
    const { all, json } = context.options
    const given = context.arguments.CONFIG
    if (given !== undefined && !existsSync(given))
      throw new CommandError(`there is no file ${given}`, EXIT.problem)
    const first = given === undefined ? null : await loadConfig(given)
    const { env, options } = context
    const socket = options.socket ?? (env.LVSD_SOCKET || first?.config?.settings.socket)
    const { daemon, file } = await askDaemon(socketPath(socket, env), given === undefined)
    const path = given ?? file ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : null)
    const loaded = first ?? (path === null ? null : await loadConfig(path))
    const site = path !== null && loaded !== null ? await siteOf(path, loaded, context) : null
    const machine = readMachine(daemon, Object.keys(site?.config?.sysctls ?? {}))
    const findings = examine({ machine, site })
    if (json)
      context.printData(
        JSON.stringify({ schema: DOCTOR_SCHEMA, file: path, isRoot: machine.isRoot, findings }, null, 2),
      )
    else
      context.print(renderFindings(findings, { ...context.screen, all, file: path, isRoot: machine.isRoot }))
    return findings.some(isSerious) ? EXIT.problem : EXIT.ok
  },
})

/**
 * Asks the daemon for its file. That no daemon answers is not an error. `isAlone`: no other configuration is examined, so
 * where its table is in memory, that of the kernel is of no interest.
 */
async function askDaemon(
  socket: string,
  isAlone: boolean,
): Promise<{ readonly daemon: Daemon; readonly file: string | null }> {
  try {
    const { pid, version, config, cluster, kernel } = await fetchStatus(socket)
    const { keptSince, file } = config
    const lost = cluster?.connectivity?.lost?.detail ?? null
    const inMemory = isAlone && kernel === 'memory' && ({ isInMemory: true } as const)
    return { daemon: { state: 'running', pid, version, keptSince, lost, ...inMemory }, file }
  } catch (error) {
    if (!(error instanceof ControlError)) throw error
    const code = (error.cause as NodeJS.ErrnoException | undefined)?.code
    const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED'
    return { daemon: isAbsent ? { state: 'absent' } : { state: 'not known', why: error.message }, file: null }
  }
}

async function siteOf(file: string, loaded: Loaded, context: Pick<CommandContext, 'warn' | 'screen'>) {
  const { checks, problems } = loaded
  const config = hasErrors(problems) ? null : loaded.config
  if (config === null) return readSite({ file, config: null, checks, problems })
  const { state, socket } = config.settings
  const resolved = await resolveNow(config, namesIn(journalPath(state, socket)), context)
  return readSite({ file, config: resolved.config, checks, problems })
}

/** Returns the last addresses of names; none if the journal cannot be read by this user. */
function namesIn(journal: string): ReadonlyMap<string, string> {
  try {
    return readJournal(journal).names
  } catch {
    return new Map()
  }
}
