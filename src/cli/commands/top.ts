/** lvsd top: live rates of services and real servers, from the kernel's counters. */
import { fetchStatus } from '../../api/client.js'
import type { StatusDocument } from '../../api/status-types.js'
import { didYouMeanOf } from '../../util/closest-match.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, defineCommand, EXIT } from '../command.js'
import { watchStatus } from '../live-view.js'
import { usageError } from '../parse.js'
import { steeringOf } from '../steering.js'
import { clip } from '../terminal/columns.js'
import { SORT_KEYS, Top } from '../terminal/top.js'

export const command = defineCommand({
  name: 'top',
  summary: 'Show live rates of services and real servers: connections, bytes, packets',
  details: `On a terminal the list is drawn again every SECONDS; ? shows its keys. Elsewhere it is printed once, or --count times.

- CONN/S: new connections each second. ACTIVE and INACT: connections that the kernel knows.
- B/S and PKT/S: bytes (not bits) and packets each second; 1k is 1000. With direct routing and tunnels, answers do not pass the
  director, so OUT is 0.

The rates are differences of the kernel's counters between two readings; the first ones come from its own estimator.`,
  arguments: { SERVICE: { about: 'only services whose name begins with this', optional: true } },
  options: {
    ...socketOption,
    sort: {
      short: 's',
      value: 'KEY',
      choices: SORT_KEYS,
      default: 'connections',
      about: 'order of the list',
    },
    every: { short: 'e', value: 'SECONDS', default: '2', about: 'time between two readings' },
    count: { short: 'n', value: 'N', default: '1', about: 'how often to print where there is no terminal' },
    json: { short: 'j', about: 'one JSON object on a line for each reading' },
  },
  examples: [
    ['lvsd top', 'live; q ends it'],
    ['lvsd top web --sort in', 'the servers of web with the most bytes first'],
    ['lvsd top --json --count 10 --every 1', 'ten readings, for programs'],
  ],
  async run(context) {
    const { socket, sort, json } = context.options
    const every = 1000 * positive(context.options.every, 'every')
    const count = positive(context.options.count, 'count')
    const path = socketPath(socket, context.env)
    const fetch = async () => beginningWith(await fetchStatus(path), context.arguments.SERVICE)
    const top = new Top(sort)
    if (context.screen.isTerminal && !json)
      await askDaemon(watchStatus({ context, fetch, every, content: top, steering: steeringOf(path) }))
    else await askDaemon(printed(context, { top, fetch, every, count, json }))
    return EXIT.ok
  },
})

function positive(text: string, option: string): number {
  const value = Number(text)
  if (!(value > 0 && value < 1e6))
    throw usageError(`--${option} takes a number above 0, not "${text}"`, 'top')
  return value
}

/** The part of a document whose services have names that begin so. */
export function beginningWith(document: StatusDocument, name: string | undefined): StatusDocument {
  if (name === undefined) return document
  const services = document.services.filter(service => service.name.startsWith(name))
  if (services.length > 0) return { ...document, services }
  const names = document.services.map(service => service.name)
  throw usageError(`no service has a name that begins with "${name}"${didYouMeanOf(name, names)}`, 'top')
}

interface Printing {
  readonly top: Top
  fetch(): Promise<StatusDocument>
  readonly every: number
  readonly count: number
  readonly json: boolean
}

/** Prints after each reading but the first, which rates need. */
async function printed(
  { screen, print, printData, hasReader, outputClosed }: CommandContext,
  { top, fetch, every, count, json }: Printing,
): Promise<void> {
  top.take(await fetch())
  for (let i = 0; i < count && hasReader() && !outputClosed.aborted; i++) {
    await new Promise(resolve => setTimeout(resolve, every))
    const document = await fetch()
    top.take(document)
    if (json) printData(JSON.stringify(top.data(document)))
    else print(`${tableOf(top, document, screen)}\n`)
  }
}

function tableOf(top: Top, document: StatusDocument, { width, colour }: CommandContext['screen']): string {
  const view = { width, colour, now: Date.now() }
  const blocks = top
    .sections(document, view)
    .map(({ head, items }) => [...head, ...items.flatMap(({ lines }) => lines)])
  return [...top.head(document, view), ...blocks]
    .map(block => block.map(line => clip(line, width)).join('\n'))
    .join('\n\n')
}
