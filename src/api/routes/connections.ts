/** How many connections real servers have. */
import { connectionsAnswer, connectionsRequest } from '../connection-types.js'
import type { Control } from '../control.js'
import { routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'connections'>>()

export const connectionRoutes = [
  route({
    method: 'POST',
    path: '/v1/connections',
    role: 'read',
    summary: 'The connections of the targets, as the kernel counts them now.',
    body: connectionsRequest,
    response: connectionsAnswer,
    handler: ({ connections }, { body }) => connections.read(body),
  }),
]
