/** lvsd status: what the daemon sees and does. */
import { fetchStatus } from '../api/client.js'
import { asking, socketOption, socketPath } from '../command-line/control.js'
import { watchStatus } from '../command-line/watch.js'
import { didYouMean } from '../config/nearest.js'
import type { RealStatus, ServiceStatus, StatusDocument } from '../status.js'
import { hostPort } from '../terminal/names.js'
import { renderStatus } from '../terminal/status.js'
import { CommandError, defineCommand, EXIT } from './command.js'

export const command = defineCommand({
  name: 'status',
  summary: 'Show services, real servers, weights, connections and the last results',
  details: `Asks the running lvsd over its control socket.
WEIGHT is what lvsd wants in the table, KERNEL what the kernel held at the last reading; - is not in the table.
ACTIVE and INACT are the connections of a real server as the kernel counts them.`,
  arguments: {
    SERVICE: {
      about: "only this service: its name, or its key such as 'tcp [2001:db8::80]:80'",
      optional: true,
    },
    REAL: { about: "only this real server: '[2001:db8::1]:80', or without the port", optional: true },
  },
  options: {
    ...socketOption,
    json: { short: 'j', about: 'the whole document as JSON' },
    watch: { short: 'w', value: '[SECONDS]', default: '1', about: 'draw it again and again, every SECONDS' },
  },
  examples: [
    ['lvsd status', 'everything, once'],
    ['lvsd status web', 'one service'],
    ['lvsd status --watch 2', 'live, every two seconds; Ctrl-C ends it'],
    ['lvsd status --json', 'for programs'],
  ],
  async run(context) {
    const { SERVICE: service, REAL: real } = context.arguments
    const path = socketPath(context.options.socket, context.env)
    const fetch = async () => filtered(await fetchStatus(path), service, real)
    if (context.options.watch !== undefined) {
      await asking(watchStatus({ context, fetch, every: everyMs(context.options.watch) }))
      return EXIT.ok
    }
    const document = await asking(fetch())
    if (context.options.json) context.print(JSON.stringify(document, null, 2))
    else context.print(renderStatus(document, { ...context.screen, now: Date.now() }))
    return EXIT.ok
  },
})

/** At least a tenth of a second, so that a slip of the finger does not keep the daemon busy. */
function everyMs(seconds: string): number {
  return Math.max(100, Number(seconds) * 1000)
}

/** The document with the named service and real server alone; others end the command with the nearest right word. */
export function filtered(
  document: StatusDocument,
  service: string | undefined,
  real: string | undefined,
): StatusDocument {
  if (service === undefined) return document
  const services = document.services.filter(({ name, key }) => name === service || key === service)
  if (services.length === 0) throw noService(document, service)
  if (real === undefined) return { ...document, services }
  const chosen = services.map(each => ({ ...each, reals: each.reals.filter(one => isCalled(one, real)) }))
  if (chosen.every(each => each.reals.length === 0)) throw noReal(services, real)
  return { ...document, services: chosen }
}

function isCalled(real: RealStatus, word: string): boolean {
  const bare = word.replace(/^\[(.*)\]$/, '$1')
  return word === hostPort(real) || bare === real.host || bare === real.address
}

function noService({ services }: StatusDocument, word: string): CommandError {
  const names = services.map(({ name }) => name)
  const hint = didYouMean(word, names) || `; there are: ${names.join(', ') || 'none'}`
  return new CommandError(`there is no service "${word}"${hint}`, EXIT.usage)
}

function noReal(services: readonly ServiceStatus[], word: string): CommandError {
  const names = services.flatMap(({ reals }) => reals.map(hostPort))
  const hint = didYouMean(word, names) || `; there are: ${names.join(', ') || 'none'}`
  return new CommandError(`there is no real server "${word}" in it${hint}`, EXIT.usage)
}
