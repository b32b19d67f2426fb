/** Runs checks now, and tells their results. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import {
  type RecheckedReal,
  type RecheckOutcome,
  recheckRequest,
  recheckResultsRequest,
} from '../recheck-types.js'
import { routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'recheck'>>()

export const recheckRoutes = [
  route({
    method: 'POST',
    path: '/v1/recheck',
    role: 'operate',
    summary: 'Runs the checks of the targets now.',
    body: recheckRequest,
    response: z.custom<RecheckOutcome>(),
    handler: ({ recheck }, { body }) => recheck.now(body),
  }),
  route({
    method: 'POST',
    path: '/v1/recheck/results',
    role: 'read',
    summary: 'The real servers with new results since a recheck.',
    body: recheckResultsRequest,
    response: z.custom<readonly RecheckedReal[]>(),
    handler: ({ recheck }, { body }) => recheck.results(body),
  }),
]
