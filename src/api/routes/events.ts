/** The last events, and the next. */
import type { Control } from '../control.js'
import { EVENTS_SCHEMA, eventsAnswer, eventsRequest } from '../event-types.js'
import { routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'events'>>()

export const eventRoutes = [
  route({
    method: 'GET',
    path: '/v1/events',
    role: 'read',
    summary: 'Events from the oldest to the newest; with `wait` also the next one.',
    query: eventsRequest,
    response: eventsAnswer,
    problems: ['unavailable'],
    handler: async ({ events }, { query: { wait = 0, ...query }, gone }) => ({
      schema: EVENTS_SCHEMA,
      ...(await events.wait(query, wait, gone)),
    }),
  }),
]
