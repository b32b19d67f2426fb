/** lvsd windows: the next maintenance windows of the running lvsd, or of a configuration; ends open ones early. */
import { statSync } from 'node:fs'
import { endWindows, fetchWindows } from '../../api/client.js'
import type { WindowsDocument } from '../../api/windows-types.js'
import { comingWindows, type WithWindows } from '../../core/coming-windows.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { localZone } from '../../util/zoned-time.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, CommandError, defineCommand, EXIT, type ExitCode } from '../command.js'
import { chosen, localOption, onlyOption, shown, yesOption } from '../override-command.js'
import { usageError } from '../parse.js'
import { renderWindows, windowsAsJson } from '../terminal/windows.js'

/** Maximum number of windows that are listed. */
const MOST = 10

export const command = defineCommand({
  name: 'windows',
  summary: 'List the open maintenance windows and the next ones, or end open ones early',
  details: `Up to ten openings in the order of their start times: the next of each window, and up to two more of each. Each has the times of its zone, and the local
ones ("here") where they differ.
Without WHAT, and with a service, it asks the running lvsd; with the file of a configuration, it reads that.

"lvsd windows end TARGET" ends the windows that are open for a real server or a service. It counts for this opening only: also
after a reload or a restart they stay ended, and they begin as usual the next time.`,
  arguments: {
    WHAT: { about: 'a service; a configuration (a file); or the word end', optional: true },
    TARGET: {
      about: "after end: a real server, 'web/[fd00::3]:80' or web/::3; a service, web; or all",
      optional: true,
    },
  },
  options: {
    ...socketOption,
    ...yesOption,
    ...onlyOption,
    ...localOption,
    json: { short: 'j', about: 'the windows, or the outcome, as JSON' },
  },
  examples: [
    ['lvsd windows', 'of all services'],
    ['lvsd windows web', 'of one service'],
    ['lvsd windows /etc/lvsd/lvsd.yaml', 'of a file, before a reload'],
    ['lvsd windows end web/::3', 'its maintenance is over earlier: the checks decide again'],
  ],
  async run(context) {
    const { options, screen } = context
    const { WHAT: what, TARGET } = context.arguments
    if (what === 'end' && TARGET !== undefined) return end({ ...context, arguments: { TARGET } })
    if (TARGET !== undefined)
      throw usageError(
        `"${TARGET}" is one argument too many; to end a window: lvsd windows end TARGET`,
        'windows',
      )
    const isFile = what !== undefined && (isConfig(what) || /\.(ya?ml|json|cf)$/.test(what))
    const { services, now, ended } = isFile
      ? { services: await servicesOf(what, context), now: Date.now(), ended: [] }
      : await askedOf(socketPath(options.socket, context.env))
    const meant = isFile || what === undefined ? services : serviceNamed(what, services)
    const [zone, coming] = [localZone(), comingWindows(meant, now, MOST)]
    if (options.json) context.printData(windowsAsJson(coming, now, { zone, ended }))
    else context.print(renderWindows(coming, now, { ...screen, zone, ended }))
    return EXIT.ok
  },
})

/** Ends the open windows of TARGET, and shows what counts for its servers then. */
async function end(
  context: Parameters<typeof chosen>[0] & { readonly options: { readonly local?: boolean } },
): Promise<ExitCode> {
  const { targets, named } = await chosen(context, 'windows end')
  const { socket, local } = context.options
  const request = { targets, ...(local && { local }) }
  const outcome = await askDaemon(endWindows(socketPath(socket, context.env), request))
  if (outcome.ok && outcome.ended === 0)
    throw new CommandError(`${outcome.message}; lvsd windows shows the next ones`, EXIT.problem)
  return shown(context, outcome, named)
}

async function servicesOf(file: string, context: CommandContext): Promise<readonly WithWindows[]> {
  const { loadConfigOrExit } = await import('../load-or-exit.js')
  return (await loadConfigOrExit(file, context)).config.services
}

async function askedOf(
  socket: string,
): Promise<Pick<WindowsDocument, 'services' | 'ended'> & { readonly now: number }> {
  const { services, now, ended } = await askDaemon(fetchWindows(socket))
  return { services, ended, now: Date.parse(now) }
}

function isConfig(word: string): boolean {
  return statSync(word, { throwIfNoEntry: false })?.isFile() === true
}

/** Returns the service of this name, or the parts of a service with several ports. */
function serviceNamed(word: string, services: readonly WithWindows[]): readonly WithWindows[] {
  const found = services.filter(({ name }) => name === word || name.startsWith(`${word}/`))
  if (found.length > 0) return found
  if (word === 'end')
    throw usageError('lvsd windows end needs TARGET: a real server, a service, or all', 'windows')
  const names = services.map(({ name }) => name)
  throw usageError(`there is no service "${word}"${didYouMeanOf(word, names)}`, 'windows')
}
