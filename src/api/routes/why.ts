/** Why a service or a real server is as it is, and the names of all. */
import { z } from '../../check/option-types.js'
import type { Named } from '../../overrides/targets.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import type { WhyAnswer } from '../why-types.js'

const route = routeOver<Pick<Control, 'why'>>()

export const whyRoutes = [
  route({
    method: 'GET',
    path: '/v1/targets',
    role: 'read',
    summary: 'The names of all services and real servers.',
    response: z.custom<readonly Named[]>(),
    handler: ({ why }) => why.targets(),
  }),
  route({
    method: 'GET',
    path: '/v1/why',
    role: 'read',
    summary: 'Why a real server, or a service as a whole, is as it is: since when, and what would change it.',
    query: z.strictObject({ service: z.string(), real: z.string().optional() }),
    response: z.custom<WhyAnswer>(),
    problems: ['not-found'],
    handler: async ({ why }, { query: { service, real = null } }) => {
      const answer = await why.explain({ service, real })
      if (typeof answer === 'string') throw new Refusal('not-found', answer)
      return answer
    },
  }),
]
