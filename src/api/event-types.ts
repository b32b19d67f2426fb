/** Requests and answers about events: `GET /v1/events?after=42&service=web&wait=20s`. */
import { duration, z } from '../check/option-types.js'
import type { SiteEvent } from '../cluster/site-events.js'
import type { EventRecord } from '../history/event-record.js'
import { list, time } from './model-types.js'

/** Version of the answer's format. It increases when a field changes its meaning or is removed. */
export const EVENTS_SCHEMA = 1

const id = z.coerce.number().int().min(0)
/** Maximum number of events in one answer, and the number without `limit`. */
const MOST = 10_000
const USUAL = 100
/** Maximum milliseconds of a wait. */
const LONGEST_WAIT = 30_000

function isTime(text: string): boolean {
  return /^\d{4}-\d\d/.test(text) && !Number.isNaN(Date.parse(text))
}

export const eventsRequest = z.strictObject({
  /** Returns the first events with a greater id. Without it, the last events. */
  after: id.optional(),
  /** ISO 8601. */
  since: z
    .string()
    .refine(isTime, { message: 'expected a time of ISO 8601, such as 2026-11-28T12:00:00Z' })
    .transform(text => new Date(text).toISOString())
    .optional(),
  service: z.string().optional(),
  real: z.string().optional(),
  /** A name, or the beginning of names: `real.*`. */
  event: z.string().optional(),
  level: z.enum(['info', 'warn', 'error']).optional(),
  limit: z.coerce.number().int().min(1).max(MOST).default(USUAL),
  /** How long to wait for an event while there is none. */
  wait: duration()
    .refine(ms => ms <= LONGEST_WAIT, { message: `at most ${LONGEST_WAIT / 1000}s` })
    .optional(),
})

/** `GET /v1/site/events`: the last events of all directors. */
export const siteEventsRequest = eventsRequest.omit({ after: true, wait: true })

export type SiteEventsRequest = z.output<typeof siteEventsRequest>
export type EventsRequest = z.output<typeof eventsRequest>

/** What a client asks for. */
export type EventsQuery = {
  readonly [Key in keyof z.input<typeof eventsRequest>]?: string | number | undefined
}

export const eventRecord = z
  .looseObject({
    id: z.number(),
    time: time(),
    level: z.enum(['info', 'warn', 'error']),
    event: (z.string() as z.ZodType<EventRecord['event']>).describe('Its stable name, as in the log.'),
    msg: z.string(),
  })
  .meta({ id: 'Event', description: 'The fields of its log line: service, real, reason and so on.' })

export const eventsAnswer = z
  .object({
    schema: z.number(),
    oldest: z.number().describe('Id of the oldest event that lvsd still has; 0 without any.'),
    newest: z.number(),
    hasMore: z.boolean().describe('True if more events match than `limit`.'),
    events: list(eventRecord).describe('From the oldest to the newest.'),
  })
  .meta({ id: 'Events' })

export const siteEventsAnswer = z
  .object({
    schema: z.number(),
    events: list(
      eventRecord
        .extend({ host: z.string().describe('The host of the director.') })
        .meta({ id: 'SiteEvent', description: 'An event; its id is one of its director.' }),
    ).describe('From the oldest to the newest, as they came into the stream.'),
  })
  .meta({ id: 'SiteEvents' })

export interface SiteEventsAnswer {
  readonly schema: number
  readonly events: readonly SiteEvent[]
}

export type EventsAnswer = Readonly<Omit<z.output<typeof eventsAnswer>, 'events'>> & {
  readonly events: readonly EventRecord[]
}
