/** Overrides of operators: given and ended; maintenance windows: ended early. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { endRequest, endWindowsRequest, giveRequest, type OverrideOutcome } from '../override-types.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'overrides'>>()
const response = z.custom<OverrideOutcome>()

export const overrideRoutes = [
  route({
    method: 'POST',
    path: '/v1/overrides',
    role: 'operate',
    summary: 'Puts an override on each target.',
    body: giveRequest,
    response,
    problems: ['refused'],
    handler: async ({ overrides }, { body, who }) => done(await overrides.give(body, who())),
  }),
  route({
    method: 'POST',
    path: '/v1/overrides/end',
    role: 'operate',
    summary: 'Ends overrides on each target.',
    body: endRequest,
    response,
    problems: ['refused'],
    handler: async ({ overrides }, { body }) => done(await overrides.end(body)),
  }),
  route({
    method: 'POST',
    path: '/v1/windows/end',
    role: 'operate',
    summary: 'Ends the open maintenance windows of each target, for this opening only.',
    body: endWindowsRequest,
    response,
    problems: ['refused'],
    handler: async ({ overrides }, { body, who }) => done(await overrides.endWindows(body, who())),
  }),
]

function done(outcome: OverrideOutcome): OverrideOutcome {
  if (!outcome.ok) throw new Refusal('refused', outcome.message, { outcome })
  return outcome
}
