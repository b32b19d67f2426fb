/** The metrics of lvsd, for Prometheus. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { Answer, routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'metrics'>>()

export const metricsRoutes = [
  route({
    method: 'GET',
    path: '/metrics',
    role: 'read',
    summary: 'All metrics as text for Prometheus, in OpenMetrics where Accept asks for it.',
    response: z.never(),
    types: ['text/plain', 'application/openmetrics-text'],
    handler: async ({ metrics }, { headers: { accept } }) => {
      const { body, contentType } = await metrics.text(typeof accept === 'string' ? accept : undefined)
      return new Answer(body, { type: contentType })
    },
  }),
]
