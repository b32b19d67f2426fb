/** lvsd events: shows the last events. */
import { ControlError, fetchEvents, fetchSiteEvents, fetchTargets } from '../../api/client.js'
import type { EventsAnswer, EventsQuery } from '../../api/event-types.js'
import { isEvent, LOG_EVENTS, type LogEvent } from '../../core/log-events.js'
import type { EventRecord } from '../../history/event-record.js'
import { type Named, type NamedTarget, TargetError, targetsNamed } from '../../overrides/targets.js'
import { didYouMean } from '../../util/closest-match.js'
import { painter } from '../../util/paint.js'
import { pause } from '../../util/pause.js'
import { askDaemon, socketOption, socketPath } from '../ask-daemon.js'
import { type CommandContext, defineCommand, EXIT, type ExitCode } from '../command.js'
import { usageError } from '../parse.js'
import { sinceOf } from '../since.js'
import { dayLine, eventLine } from '../terminal/events.js'

const LEVELS = ['info', 'warn', 'error'] as const

const argumentsOf = {
  TARGET: { about: "only a service, web, or a real server: 'web/[fd00::3]:80' or web/::3", optional: true },
} as const

const options = {
  ...socketOption,
  follow: { short: 'f', about: 'print new events as they come, also after a restart of lvsd, until Ctrl-C' },
  since: {
    short: 's',
    value: 'TIME',
    about: 'since then: 90s, 30m, 2h, 3d; 06:00, 2026-11-29T06:00, local time',
  },
  event: { short: 'e', value: 'NAME', about: "only events of this name, real.down, or names: 'real.*'" },
  level: { short: 'l', value: 'LEVEL', choices: LEVELS, default: 'info', about: 'the minimum level' },
  lines: { short: 'n', value: 'N', about: 'the last N; default: 100, with --since all, with --follow 10' },
  site: { about: 'of all directors of the site, as their Redis has them; not with --follow' },
  json: { short: 'j', about: 'a JSON object on a line for each event' },
} as const

type Context = CommandContext<typeof options, typeof argumentsOf>

export const command = defineCommand({
  name: 'events',
  summary: 'Show events: servers down and up, overrides, reloads, restarts',
  details: `Asks the running lvsd for its events, the oldest first. It keeps the last 10,000, also over a restart.

An event is a line of the log with the same id and name; config/reference.md lists the names. --json has all fields of
the line, and "schema" (1), which increases when a field changes its meaning or is removed.`,
  arguments: argumentsOf,
  options,
  examples: [
    ['lvsd events', 'the last 100'],
    ['lvsd events web/::3 --since 2h', 'of one real server'],
    ["lvsd events --event 'real.*' --level warn --follow", 'which servers go down, as it happens'],
    ['lvsd events --site --since 2h', 'on all directors'],
    ['lvsd events --json -n 1000', 'for programs'],
  ],
  run,
})

async function run(context: Context): Promise<ExitCode> {
  const { options } = context
  const socket = socketPath(options.socket, context.env)
  if (options.site && options.follow) throw usageError('--site does not go with --follow', 'events')
  const wanted = { ...filterOf(options), limit: limitOf(options) }
  const targets = await targetsOf(context, socket)
  const print = printerOf(context)
  if (options.site) return showSite(context, socket, targets, wanted)
  const answers = await Promise.all(
    targets.map(target => askDaemon(fetchEvents(socket, { ...wanted, ...target }))),
  )
  const events = answers
    .flatMap(answer => answer.events)
    .sort((a, b) => a.id - b.id)
    .slice(-wanted.limit)
  for (const event of events) print(event)
  const [first] = answers
  if (options.follow && first) await follow({ context, socket, targets, print, newest: first.newest })
  else if (events.length === 0 && !options.json) context.warn('no event matches')
  return EXIT.ok
}

/** By time: the clocks of the directors may differ. */
async function showSite(
  context: Context,
  socket: string,
  targets: readonly Target[],
  wanted: EventsQuery & { readonly limit: number },
): Promise<ExitCode> {
  const answers = await Promise.all(
    targets.map(target => askDaemon(fetchSiteEvents(socket, { ...wanted, ...target }))),
  )
  const events = answers
    .flatMap(answer => answer.events)
    .sort((a, b) => (a.time < b.time ? -1 : 1))
    .slice(-wanted.limit)
  const print = printerOf(context)
  for (const event of events) print(event)
  if (events.length === 0 && !context.options.json) context.warn('no event matches')
  return EXIT.ok
}

function filterOf({ since, event, level }: Context['options']): EventsQuery {
  const at = since === undefined ? undefined : sinceOf(since, Date.now())
  if (at === null)
    throw usageError(`--since takes a duration such as 2h, or a time such as 06:00, not "${since}"`, 'events')
  if (event !== undefined && !isKnown(event))
    throw usageError(
      `there is no event "${event}"${didYouMean(event, EVENTS) || '; config/reference.md lists them'}`,
      'events',
    )
  return {
    level,
    ...(event !== undefined && { event }),
    ...(at !== undefined && { since: new Date(at).toISOString() }),
  }
}

const EVENTS = Object.keys(LOG_EVENTS).filter(name => isEvent(name as LogEvent))

/** True if the word is the name of an event, or the beginning of names: `real.*`. */
function isKnown(word: string): boolean {
  return word.endsWith('*') ? EVENTS.some(name => name.startsWith(word.slice(0, -1))) : EVENTS.includes(word)
}

const MOST = 10_000

function limitOf({ lines, since, follow }: Context['options']): number {
  if (lines === undefined) return since !== undefined ? MOST : follow ? 10 : 100
  const limit = /^\d{1,5}$/.test(lines) ? Number(lines) : 0
  if (limit < 1 || limit > MOST)
    throw usageError(`--lines takes a number from 1 to ${MOST}, not "${lines}"`, 'events')
  return limit
}

type Target = Pick<EventsQuery, 'service' | 'real'>

/** The targets that match the word now, or else those that matched it when the events happened. */
async function targetsOf(context: Context, socket: string): Promise<readonly Target[]> {
  const word = context.arguments.TARGET
  if (word === undefined || word === 'all') return [{}]
  const named = await askDaemon(fetchTargets(socket))
  try {
    return targetsNamed(word, named).map(toTarget)
  } catch (error) {
    if (!(error instanceof TargetError)) throw error
    const { events } = await askDaemon(fetchEvents(socket, { limit: MOST }))
    try {
      return targetsNamed(word, namedIn(events)).map(toTarget)
    } catch {
      throw usageError(error.message, 'events')
    }
  }
}

function toTarget({ service, real }: NamedTarget): Target {
  return { service, ...(real !== null && { real }) }
}

/** Services and real servers that events are about. */
function namedIn(events: readonly EventRecord[]): readonly Named[] {
  const reals = new Map<string, Set<string>>()
  for (const { service, real } of events)
    if (typeof service === 'string') {
      const ofService = reals.get(service) ?? new Set()
      reals.set(service, ofService)
      if (typeof real === 'string') ofService.add(real)
    }
  return [...reals].map(([service, names]) => ({ service, reals: [...names] }))
}

/** Prints each event: a JSON object, or lines for people, with a line for each day on a terminal. */
function printerOf({ screen, options, ...context }: Context): (event: EventRecord) => void {
  if (options.json) return event => context.printData(JSON.stringify({ schema: 1, ...event }))
  const paint = painter(screen.colour)
  const view = { width: screen.width, colour: screen.colour, hasDays: screen.isTerminal, wrap: wrapWords }
  let day = ''
  return event => {
    const own = dayLine(event)
    if (screen.isTerminal && own !== day) context.print(paint('bold', own))
    day = own
    context.print(eventLine(event, view))
  }
}

/** Breaks at blanks; the texts have no colours and few wide characters, so this needs no library. */
function wrapWords(text: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/(?<= )(?=\S)/)) {
    if (line !== '' && (line + word).trimEnd().length > width) {
      lines.push(line.trimEnd())
      line = ''
    }
    line += word
  }
  return [...lines, line].join('\n')
}

interface Following {
  readonly context: Context
  readonly socket: string
  readonly targets: readonly Target[]
  readonly print: (event: EventRecord) => void
  readonly newest: number
}

/** How long lvsd waits for an event before it answers that there is none. */
const WAIT = '20s'
/** Milliseconds between two requests while lvsd does not answer. */
const AGAIN = 1000

/** Prints events as they come, until a signal, or until the output is closed. */
async function follow({ context, socket, targets, print, newest }: Following): Promise<void> {
  const ended = new AbortController()
  const stop = AbortSignal.any([ended.signal, context.outputClosed])
  const unlisten = context.onSignal(['SIGINT', 'SIGTERM', 'SIGHUP'], () => ended.abort())
  const filter = filterOf(context.options)
  // Several targets are the parts of one service: one request gets the events of all, which are then separated here.
  const only = targets.length === 1 ? targets[0] : null
  let after = newest
  let isSilent = false
  try {
    while (!stop.aborted && context.hasReader()) {
      const answer = await ask(socket, { ...filter, ...only, after, wait: WAIT, limit: 1000 }, stop)
      if (stop.aborted) return
      if (answer instanceof Error) {
        if (!isSilent) context.warn(answer.message)
        isSilent = true
        await pause(AGAIN, stop)
        continue
      }
      if (isSilent) context.warn('lvsd answers again')
      isSilent = false
      for (const event of answer.events) if (only || targets.some(target => isOf(target, event))) print(event)
      after = nextAfter(after, answer)
    }
  } finally {
    unlisten()
  }
}

/** A daemon without a state folder begins with id 1 again. */
function nextAfter(after: number, { newest, hasMore, events }: EventsAnswer): number {
  if (newest < after) return 0
  return hasMore ? (events.at(-1)?.id ?? after) : newest
}

function isOf({ service, real }: Target, event: EventRecord): boolean {
  return (service === undefined || event.service === service) && (real === undefined || event.real === real)
}

async function ask(
  socket: string,
  query: EventsQuery,
  stop: AbortSignal,
): Promise<EventsAnswer | ControlError> {
  try {
    return await fetchEvents(socket, query, stop)
  } catch (error) {
    if (error instanceof ControlError) return error
    throw error
  }
}
