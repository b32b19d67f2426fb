/** lvsd windows: the next maintenance windows of the running lvsd, or of a configuration. */
import { statSync } from 'node:fs'
import { fetchWindows } from '../../api/client.js'
import { comingWindows, type WithWindows } from '../../core/coming-windows.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { localZone } from '../../util/zoned-time.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, defineCommand, EXIT } from '../command.js'
import { usageError } from '../parse.js'
import { renderWindows, windowsAsJson } from '../terminal/windows.js'

/** Maximum number of windows that are listed. */
const MOST = 10

export const command = defineCommand({
  name: 'windows',
  summary: 'List the open maintenance windows and the next ones',
  details: `Ten windows in the order of their start times, with the times of their zone, and the local ones ("here") where they differ.
Without WHAT, and with a service, it asks the running lvsd; with the file of a configuration, it reads that.
A window ends early when it is removed from the configuration and "lvsd reload" follows.`,
  arguments: { WHAT: { about: 'a service, or a configuration (a file)', optional: true } },
  options: { ...socketOption, json: { short: 'j', about: 'the windows as JSON' } },
  examples: [
    ['lvsd windows', 'of all services'],
    ['lvsd windows web', 'of one service'],
    ['lvsd windows /etc/lvsd/lvsd.yaml', 'of a file, before a reload'],
  ],
  async run(context) {
    const { options, screen } = context
    const { WHAT: what } = context.arguments
    const isFile = what !== undefined && (isConfig(what) || /\.(ya?ml|json|cf)$/.test(what))
    const { services, now } = isFile
      ? { services: await servicesOf(what, context), now: Date.now() }
      : await askedOf(socketPath(options.socket, context.env))
    const meant = isFile || what === undefined ? services : serviceNamed(what, services)
    const [zone, coming] = [localZone(), comingWindows(meant, now, MOST)]
    if (options.json) context.printData(windowsAsJson(coming, now, zone))
    else context.print(renderWindows(coming, now, { ...screen, zone }))
    return EXIT.ok
  },
})

async function servicesOf(file: string, context: CommandContext): Promise<readonly WithWindows[]> {
  const { loadConfigOrExit } = await import('../load-or-exit.js')
  return (await loadConfigOrExit(file, context)).config.services
}

async function askedOf(socket: string): Promise<{ services: readonly WithWindows[]; now: number }> {
  const { services, now } = await askDaemon(fetchWindows(socket))
  return { services, now: Date.parse(now) }
}

function isConfig(word: string): boolean {
  return statSync(word, { throwIfNoEntry: false })?.isFile() === true
}

/** Returns the service of this name, or the parts of a service with several ports. */
function serviceNamed(word: string, services: readonly WithWindows[]): readonly WithWindows[] {
  const found = services.filter(({ name }) => name === word || name.startsWith(`${word}/`))
  if (found.length > 0) return found
  const names = services.map(({ name }) => name)
  throw usageError(`there is no service "${word}"${didYouMeanOf(word, names)}`, 'windows')
}
