/** What the kernel holds, and what lvsd would change. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import { driftDocument, tableDocument } from '../table-types.js'

const route = routeOver<Pick<Control, 'table' | 'drift'>>()

export const tableRoutes = [
  route({
    method: 'GET',
    path: '/v1/table',
    role: 'read',
    summary: "The kernel's table with its counters, services of other programs included.",
    query: z.strictObject({
      all: z
        .enum(['true', 'false'])
        .optional()
        .describe('true: with the services of checks with `path: service`, which are left out otherwise.'),
    }),
    response: tableDocument,
    problems: ['unavailable'],
    handler: async (control, { query }) => (await control.table(query.all === 'true')) ?? unreadable(),
  }),
  route({
    method: 'GET',
    path: '/v1/drift',
    role: 'read',
    summary: 'How the table that lvsd wants differs from what the kernel holds.',
    response: driftDocument,
    problems: ['unavailable'],
    handler: async control => (await control.drift()) ?? unreadable(),
  }),
]

function unreadable(): never {
  throw new Refusal('unavailable', "the kernel's table cannot be read", { headers: { 'retry-after': '1' } })
}
