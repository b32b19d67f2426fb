/**
 * Every kind of log line: its stable event name, a description for config/reference.md, and the fields that the line
 * may have beside its message. The start and the end of a problem are two kinds. The kinds are in `log-events/`, by their subjects.
 */
import { DAEMON_EVENTS } from './log-events/daemon.js'
import { HEALTH_EVENTS } from './log-events/health.js'
import { LDIRECTORD_EVENTS } from './log-events/ldirectord.js'
import { OPERATION_EVENTS } from './log-events/operation.js'
import { SITE_EVENTS } from './log-events/site.js'
import { TABLE_EVENTS } from './log-events/table.js'

export { LDIRECTORD_EVENTS }

/** In the order of the reference. */
export const LOG_EVENTS = {
  ...DAEMON_EVENTS,
  ...HEALTH_EVENTS,
  ...TABLE_EVENTS,
  ...SITE_EVENTS,
  ...OPERATION_EVENTS,
}

/**
 * Kinds of lines that are no events: details of something that has an event of its own, or that may come often without
 * news. All other lines of level info and above are events.
 */
export const NO_EVENTS: ReadonlySet<string> = new Set<keyof typeof LOG_EVENTS>([
  'check.first',
  'config.problem',
  'run.no-verdict',
  'run.result',
  'signal.ignored',
  'state.none',
  'worker.started',
  'worker.dismissed',
])

/** True if a line of this kind, of level info or above, is an event with an id. */
export function isEvent(name: LogEvent): boolean {
  return name in LOG_EVENTS && !NO_EVENTS.has(name)
}

type Kinds = typeof LOG_EVENTS & typeof LDIRECTORD_EVENTS

export type LogEvent = keyof Kinds

/** The fields that a line of this kind may have. */
export type LogField<Event extends LogEvent> = Kinds[Event]['fields'][number]
