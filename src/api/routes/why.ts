/** Why a service or a real server is as it is, and the names of all. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { list } from '../model-types.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import { multihomed } from '../status-types.js'
import { whyAnswer } from '../why-types.js'
import { needTargets } from './targets.js'

const route = routeOver<Pick<Control, 'why' | 'missing'>>()

const named = z.object({ service: z.string(), reals: list(z.string()), multihomed }).meta({ id: 'Named' })

export const whyRoutes = [
  route({
    method: 'GET',
    path: '/v1/targets',
    role: 'read',
    summary: 'The names of all services and real servers.',
    response: list(named),
    handler: ({ why }) => why.targets(),
  }),
  route({
    method: 'GET',
    path: '/v1/why',
    role: 'read',
    summary: 'Why a real server, or a service as a whole, is as it is: since when, and what would change it.',
    isShared: true,
    query: z.strictObject({ service: z.string(), real: z.string().optional() }),
    response: whyAnswer,
    problems: ['not-found'],
    handler: async (control, { query: { service, real = null } }) => {
      needTargets(control, [{ service, real }], 'query')
      const answer = await control.why.explain({ service, real })
      if (typeof answer === 'string') throw new Refusal('not-found', answer)
      return answer
    },
  }),
]
