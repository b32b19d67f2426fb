/** Dangerous settings of this machine and of the configuration. */
import type { Control } from '../control.js'
import { routeOver } from '../route.js'
import { doctorDocument } from '../validate-types.js'

const route = routeOver<Pick<Control, 'doctor'>>()

export const doctorRoutes = [
  route({
    method: 'GET',
    path: '/v1/doctor',
    role: 'read',
    summary: 'What lvsd doctor finds on this machine, as the user of the daemon.',
    response: doctorDocument,
    handler: control => control.doctor(),
  }),
]
