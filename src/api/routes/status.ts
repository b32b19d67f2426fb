/** The state of everything, as `lvsd status` shows it. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { routeOver } from '../route.js'
import type { StatusDocument } from '../status-types.js'

const route = routeOver<Pick<Control, 'status'>>()

export const statusRoutes = [
  route({
    method: 'GET',
    path: '/v1/status',
    role: 'read',
    summary: 'The status document: all services with their real servers and checks.',
    isShared: true,
    response: z.custom<StatusDocument>(),
    handler: control => control.status(),
  }),
]
