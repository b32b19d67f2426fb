/** The state of everything, as `lvsd status` shows it. */

import { directorsDocument } from '../cluster-status-types.js'
import type { Control } from '../control.js'
import { overviewDocument } from '../overview-types.js'
import { routeOver } from '../route.js'
import { statusDocument } from '../status-types.js'

const route = routeOver<Pick<Control, 'status' | 'overview' | 'directors'>>()

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
  route({
    method: 'GET',
    path: '/v1/overview',
    role: 'read',
    summary: 'The director at a glance: each service with the real servers that need attention.',
    isShared: true,
    response: overviewDocument,
    handler: control => control.overview(),
  }),
  route({
    method: 'GET',
    path: '/v1/directors',
    role: 'read',
    summary: 'The directors of the site: who lives, who is active, and whose configuration differs.',
    isShared: true,
    response: directorsDocument,
    handler: control => control.directors(),
  }),
]
