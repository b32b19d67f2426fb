/** Runs checks now, and tells their results. */
import type { Control } from '../control.js'
import { list } from '../model-types.js'
import { recheckedReal, recheckOutcome, recheckRequest, recheckResultsRequest } from '../recheck-types.js'
import { routeOver } from '../route.js'
import { inTargets, needTargets } from './targets.js'

const route = routeOver<Pick<Control, 'recheck' | 'missing'>>()

export const recheckRoutes = [
  route({
    method: 'POST',
    path: '/v1/recheck',
    role: 'operate',
    summary: 'Runs the checks of the targets now.',
    body: recheckRequest,
    response: recheckOutcome,
    problems: ['not-found'],
    handler: (control, { body }) => {
      const outcome = (trouble: string) => ({ trouble, reals: 0, checks: 0, spread: 0, within: 0, after: 0 })
      needTargets(control, body.targets, 'body', { pointer: inTargets, outcome })
      return control.recheck.now(body)
    },
  }),
  route({
    method: 'POST',
    path: '/v1/recheck/results',
    role: 'read',
    summary: 'The real servers with new results since a recheck.',
    body: recheckResultsRequest,
    response: list(recheckedReal),
    handler: ({ recheck }, { body }) => recheck.results(body),
  }),
]
