/** Services and their real servers. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { list } from '../model-types.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'
import { realStatus, serviceListing, serviceStatus, serviceWithoutReals } from '../status-types.js'
import { needTargets } from './targets.js'

const route = routeOver<Pick<Control, 'services' | 'listing' | 'missing'>>()
const service = z.string().describe('Its name in the status document.')
const after = z
  .string()
  .max(100)
  .optional()
  .describe('The `version` of the answer that you have. An unknown one is as none.')
const real = z.string().describe('Its name in the service: `[2001:db8::1]:80`.')

export const serviceRoutes = [
  route({
    method: 'GET',
    path: '/v1/services',
    role: 'read',
    summary: 'The services, without their real servers.',
    isShared: true,
    response: z.object({ services: list(serviceWithoutReals) }).meta({ id: 'Services' }),
    handler: async control => ({
      services: (await control.services(null)).map(({ reals: _, ...rest }) => rest),
    }),
  }),
  route({
    method: 'GET',
    path: '/v1/services/{service}',
    role: 'read',
    summary: 'A service with its real servers.',
    isShared: true,
    params: z.strictObject({ service }),
    response: serviceStatus,
    problems: ['not-found'],
    handler: (control, { params }) => serviceOf(control, { ...params, real: null }),
  }),
  route({
    method: 'GET',
    path: '/v1/services/{service}/reals',
    role: 'read',
    summary:
      'A service with its real servers without their checks: for lists of many. With `after`, only what is new since an earlier answer.',
    params: z.strictObject({ service }),
    query: z.strictObject({ after }),
    response: serviceListing,
    problems: ['not-found'],
    handler: async (control, { params, query }) => {
      needTargets(control, [{ ...params, real: null }], 'path')
      return (await control.listing(params.service, query.after ?? null)) ?? gone()
    },
  }),
  route({
    method: 'GET',
    path: '/v1/services/{service}/reals/{real}',
    role: 'read',
    summary: 'A real server of a service.',
    params: z.strictObject({ service, real }),
    response: realStatus,
    problems: ['not-found'],
    handler: async (control, { params }) => {
      const { reals } = await serviceOf(control, params)
      return reals.find(({ name }) => name === params.real) ?? gone()
    },
  }),
]

async function serviceOf(
  control: Pick<Control, 'services' | 'missing'>,
  target: { readonly service: string; readonly real: string | null },
) {
  needTargets(control, [target], 'path')
  const [found] = await control.services(target.service)
  return found ?? gone()
}

/** A reload has removed it meanwhile. */
function gone(): never {
  throw new Refusal('not-found', 'it is no longer in the configuration')
}
