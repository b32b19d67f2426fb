/** The last results of checks, phase by phase. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { resultsDocument } from '../result-types.js'
import { routeOver } from '../route.js'
import { needTargets } from './targets.js'

const route = routeOver<Pick<Control, 'results' | 'missing'>>()

export const resultRoutes = [
  route({
    method: 'GET',
    path: '/v1/results',
    role: 'read',
    summary: 'The last results of each check, those that are alike in a row as one group.',
    isShared: true,
    query: z.strictObject({ service: z.string().optional(), real: z.string().optional() }),
    response: resultsDocument,
    problems: ['not-found'],
    handler: (control, { query: { service = null, real = null } }) => {
      if (service === null && real !== null)
        throw new Refusal('invalid-request', '"/real" in the query needs "/service"', {
          problems: [
            { in: 'query', path: '/service', message: 'is missing; "real" needs it', code: 'MISSING' },
          ],
        })
      if (service !== null) needTargets(control, [{ service, real }], 'query')
      return control.results(service, real)
    },
  }),
]
