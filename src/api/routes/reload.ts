/** Reloads the configuration. */
import { z } from '../../check/option-types.js'
import { configurationProblem } from '../configuration-problem.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import { reloadOutcome } from '../status-types.js'

const route = routeOver<Pick<Control, 'reload'>>()

const reloadRequest = z
  .strictObject({
    force: z.boolean().default(false).describe('Allows more removals than `max-removed` does.'),
  })
  .default({ force: false })

export const reloadRoutes = [
  route({
    method: 'POST',
    path: '/v1/reload',
    role: 'operate',
    summary: 'Reloads the configuration. Answers when the table has been changed accordingly.',
    body: reloadRequest,
    response: reloadOutcome,
    problems: ['configuration-refused'],
    handler: async (control, { body }) => {
      const outcome = await control.reload(body.force)
      if (outcome.ok) return outcome
      const problems = outcome.problems.map(configurationProblem)
      throw new Refusal('configuration-refused', outcome.message, { problems, outcome })
    },
  }),
]
