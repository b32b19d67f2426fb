/** The last events, and the next. */
import type { Control } from '../control.js'
import {
  EVENTS_SCHEMA,
  eventsAnswer,
  eventsRequest,
  siteEventsAnswer,
  siteEventsRequest,
} from '../event-types.js'
import { Refusal } from '../problem-document.js'
import { Answer, routeOver } from '../route.js'

/** The media type of server-sent events. */
const STREAM = 'text/event-stream'

const route = routeOver<Pick<Control, 'events' | 'streamEvents' | 'siteEvents'>>()

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/v1/events',
    role: 'read',
    summary:
      'Events from the oldest to the newest; with `wait` also the next one. With the header Accept: text/event-stream, a stream of events, which resumes after Last-Event-ID.',
    query: eventsRequest,
    response: eventsAnswer,
    problems: ['unavailable'],
    types: [STREAM],
    handler: async ({ events, streamEvents }, { query: { wait = 0, ...query }, headers, gone }) => {
      if (!String(headers.accept ?? '').includes(STREAM))
        return { schema: EVENTS_SCHEMA, ...(await events.wait(query, wait, gone)) }
      const last = /^\d{1,15}$/.exec(String(headers['last-event-id'] ?? ''))
      const after = last ? Number(last[0]) : query.after
      const body = await streamEvents({ ...query, ...(after !== undefined && { after }) }, gone)
      return new Answer(body, { type: STREAM, headers: { 'x-accel-buffering': 'no' } })
    },
  }),
  route({
    method: 'GET',
    path: '/v1/site/events',
    role: 'read',
    summary: 'The last events of all directors of the site, as Redis has them.',
    query: siteEventsRequest,
    response: siteEventsAnswer,
    problems: ['unavailable'],
    handler: async ({ siteEvents }, { query }) => {
      const events = await siteEvents(query)
      if (typeof events === 'string') throw new Refusal('unavailable', events)
      return { schema: EVENTS_SCHEMA, events }
    },
  }),
]
