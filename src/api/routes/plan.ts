/** What a configuration would change, before a reload. */
import { z } from '../../check/option-types.js'
import { configurationProblem } from '../configuration-problem.js'
import type { Control, Unusable } from '../control.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import { type PlanDocument, planDocument } from '../table-types.js'
import {
  CONFIGURATION_LIMIT,
  configurationText,
  formatQuery,
  postedOf,
  TEXTS,
  validateDocument,
} from '../validate-types.js'

const route = routeOver<Pick<Control, 'plan' | 'validate'>>()
const assume = z
  .enum(['now', 'up', 'down', 'kernel'])
  .default('now')
  .describe('Health of the real servers: as it is now, all up, all down, or as the kernel holds them.')

export const planRoutes = [
  route({
    method: 'GET',
    path: '/v1/plan',
    role: 'read',
    summary: 'What a reload of the file on the disk would change in the table.',
    query: z.strictObject({ assume }),
    response: planDocument,
    problems: ['configuration-refused', 'unavailable'],
    handler: async (control, { query }) => usable(await control.plan(null, query.assume)),
  }),
  route({
    method: 'POST',
    path: '/v1/plan',
    role: 'operate',
    summary: 'What a configuration that is sent would change in the table. Nothing is changed.',
    query: z.strictObject({ assume, ...formatQuery }),
    body: configurationText,
    texts: TEXTS,
    limit: CONFIGURATION_LIMIT,
    response: planDocument,
    problems: ['configuration-refused', 'unavailable'],
    handler: async (control, { query, body }) =>
      usable(await control.plan(postedOf(body, query), query.assume)),
  }),
  route({
    method: 'POST',
    path: '/v1/validate',
    role: 'operate',
    summary: 'What is wrong with a configuration that is sent. Nothing is changed.',
    query: z.strictObject(formatQuery),
    body: configurationText,
    texts: TEXTS,
    limit: CONFIGURATION_LIMIT,
    response: validateDocument,
    handler: (control, { query, body }) => control.validate(postedOf(body, query)),
  }),
]

function usable(plan: PlanDocument | Unusable): PlanDocument {
  if ('changes' in plan) return plan
  const errors = plan.problems.filter(({ severity }) => severity === 'error').length
  const detail = `the configuration cannot run: ${errors} ${errors === 1 ? 'error' : 'errors'}`
  throw new Refusal('configuration-refused', detail, { problems: plan.problems.map(configurationProblem) })
}
