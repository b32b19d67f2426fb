/** Maintenance windows. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { routeOver } from '../route.js'
import { windowsDocument } from '../windows-types.js'

const route = routeOver<Pick<Control, 'windows'>>()

const MOST = 1000
const USUAL = 10

export const windowRoutes = [
  route({
    method: 'GET',
    path: '/v1/windows',
    role: 'read',
    summary: 'The maintenance windows of the active configuration, and the next times of them.',
    query: z.strictObject({
      count: z.coerce.number().int().min(0).max(MOST).default(USUAL).describe('How many coming ones.'),
    }),
    response: windowsDocument,
    handler: (control, { query }) => control.windows(query.count),
  }),
]
