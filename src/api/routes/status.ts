/** The state of everything, as `lvsd status` shows it. */
import type { Control } from '../control.js'
import { routeOver } from '../route.js'
import { statusDocument } from '../status-types.js'

const route = routeOver<Pick<Control, 'status'>>()

export const statusRoutes = [
  route({
    method: 'GET',
    path: '/v1/status',
    role: 'read',
    summary: 'The status document: all services with their real servers and checks.',
    isShared: true,
    response: statusDocument,
    handler: control => control.status(),
  }),
]
