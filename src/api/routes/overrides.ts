/** Overrides: listed; those of operators given and ended; maintenance windows: ended early. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { etagOf, isNamed } from '../etag.js'
import {
  endRequest,
  endWindowsRequest,
  giveRequest,
  type OverrideOutcome,
  overrideOutcome,
  overridesDocument,
  type TargetName,
} from '../override-types.js'
import { Refusal } from '../problem-document.js'
import { Answer, type Request, routeOver } from '../route.js'
import { inTargets, needTargets } from './targets.js'

type Part = Pick<Control, 'overrides' | 'missing'>
const route = routeOver<Part>()
const ifMatch = 'With `If-Match`, only if the list of overrides still has that entity tag.'

export const overrideRoutes = [
  route({
    method: 'GET',
    path: '/v1/overrides',
    role: 'read',
    summary: 'The overrides of all sources, with an entity tag.',
    query: z.strictObject({ service: z.string().optional() }),
    response: overridesDocument,
    handler: ({ overrides }, { query: { service }, headers }) => {
      const all = overrides.list()
      const etag = etagOf(all)
      if (isNamed(headers['if-none-match'], etag)) return new Answer('', { status: 304, headers: { etag } })
      const meant = all.overrides.filter(one => service === undefined || one.service === service)
      return new Answer(JSON.stringify({ overrides: meant }), { headers: { etag } })
    },
  }),
  route({
    method: 'POST',
    path: '/v1/overrides',
    role: 'operate',
    summary: `Puts an override on each target. ${ifMatch}`,
    body: giveRequest,
    response: overrideOutcome,
    problems: ['not-found', 'refused', 'changed'],
    handler: async (control, request) => {
      mayChange(control, request)
      return done(await control.overrides.give(request.body, request.who()))
    },
  }),
  route({
    method: 'POST',
    path: '/v1/overrides/end',
    role: 'operate',
    summary: `Ends overrides on each target. ${ifMatch}`,
    body: endRequest,
    response: overrideOutcome,
    problems: ['not-found', 'refused', 'changed'],
    handler: async (control, request) => {
      mayChange(control, request)
      return done(await control.overrides.end(request.body, request.who()))
    },
  }),
  route({
    method: 'POST',
    path: '/v1/windows/end',
    role: 'operate',
    summary: `Ends the open maintenance windows of each target, for this opening only. ${ifMatch}`,
    body: endWindowsRequest,
    response: overrideOutcome,
    problems: ['not-found', 'refused', 'changed'],
    handler: async (control, request) => {
      mayChange(control, request)
      return done(await control.overrides.endWindows(request.body, request.who()))
    },
  }),
]

/** Throws a Refusal if a target does not exist, or the overrides are not those that the client knows. */
function mayChange(
  control: Part,
  { body, headers }: Request<unknown, unknown, { readonly targets: readonly TargetName[] }>,
): void {
  const outcome = (message: string) => ({ ok: false, message, ended: 0, isKept: true, reals: [] })
  needTargets(control, body.targets, 'body', { pointer: inTargets, outcome })
  if (headers['if-match'] === undefined) return
  const current = control.overrides.list()
  const etag = etagOf(current)
  if (isNamed(headers['if-match'], etag) === false)
    throw new Refusal(
      'changed',
      'the overrides are not those that you know; "current" has them as they are now',
      {
        current,
        headers: { etag },
      },
    )
}

function done(outcome: OverrideOutcome): OverrideOutcome {
  if (!outcome.ok) throw new Refusal('refused', outcome.message, { outcome })
  return outcome
}
