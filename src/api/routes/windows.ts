/** Maintenance windows. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { routeOver } from '../route.js'
import type { WindowsDocument } from '../windows-document.js'

const route = routeOver<Pick<Control, 'windows'>>()

export const windowRoutes = [
  route({
    method: 'GET',
    path: '/v1/windows',
    role: 'read',
    summary: 'The maintenance windows of the active configuration.',
    response: z.custom<WindowsDocument>(),
    handler: control => control.windows(),
  }),
]
