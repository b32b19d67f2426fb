/** The role of this director; states of VRRP that keepalived's `notify` command tells. */
import type { Control } from '../control.js'
import { notifyOutcome, notifyRequest, roleDocument } from '../role-types.js'
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
    method: 'POST',
    path: '/v1/role/notify',
    role: 'local',
    summary: "Takes a state of VRRP: keepalived's `notify` command, `lvsd role-notify`.",
    body: notifyRequest,
    response: notifyOutcome,
    handler: ({ role }, { body, who }) => role.notify(body, who()),
  }),
]
