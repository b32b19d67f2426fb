/** The role of this director, and whether it can serve; states of VRRP that keepalived's `notify` command tells. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { healthDocument, notifyOutcome, notifyRequest, roleDocument } from '../role-types.js'
import { routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'role'>>()

export const roleRoutes = [
  route({
    method: 'GET',
    path: '/v1/role',
    role: 'read',
    summary: 'Whether this director is active or standby, and why.',
    response: roleDocument,
    handler: ({ role }) => role.read(),
  }),
  route({
    method: 'GET',
    path: '/v1/health',
    role: 'read',
    summary: 'Whether this director can serve: the table has been corrected, and the network is there.',
    query: z.strictObject({
      services: z
        .string()
        .optional()
        .describe(
          'Names, separated by commas: each must have an available real server. While results are missing it has, unless its checks have had no verdict for ten seconds and the table has no real server of it.',
        ),
    }),
    response: healthDocument,
    problems: ['not-found'],
    handler: (control, { query: { services } }) => {
      const names = services?.split(',').filter(name => name !== '') ?? []
      const answer = control.role.health(names)
      if (typeof answer === 'string') throw new Refusal('not-found', answer)
      return answer
    },
  }),
  route({
    method: 'POST',
    path: '/v1/role/notify',
    role: 'local',
    summary: "Takes a state of VRRP: keepalived's `notify` command, `lvsd role-notify`.",
    body: notifyRequest,
    response: notifyOutcome,
    handler: ({ role }, { body, who }) => role.notify(body, who()),
  }),
]
