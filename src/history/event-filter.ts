/** Selects events. Pure. */
import { type EventRecord, LEVELS, type Level } from './event-record.js'

/** What is undefined excludes nothing. */
export interface EventFilter {
  /** ISO 8601: events of this time or later. */
  readonly since?: string | undefined
  /** A service, or the name before the protocol and port of a service of several parts. */
  readonly service?: string | undefined
  /** A real server as its service names it: `[2001:db8::1]:80`. */
  readonly real?: string | undefined
  /** A name, or the beginning of names: `real.*`. */
  readonly event?: string | undefined
  /** The least level. */
  readonly level?: Level | undefined
}

export function matches({ since, service, real, event, level }: EventFilter, record: EventRecord): boolean {
  return (
    (level === undefined || LEVELS[record.level] >= LEVELS[level]) &&
    (event === undefined || isNamed(record.event, event)) &&
    (real === undefined || record.real === real) &&
    (service === undefined || isOfService(record, service)) &&
    (since === undefined || record.time >= since)
  )
}

function isNamed(name: string, wanted: string): boolean {
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name === wanted
}

/** An event is about its field `service`, or about each of its `services`. */
function isOfService({ service, services }: EventRecord, wanted: string): boolean {
  const isIt = (name: unknown) => name === wanted || String(name).startsWith(`${wanted}/`)
  return isIt(service) || (Array.isArray(services) && services.some(isIt))
}
