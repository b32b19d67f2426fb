/** Whether lvsd lives, and whether it serves: for supervisors and load balancers. */
import { z } from '../../check/option-types.js'
import type { Control } from '../control.js'
import { Refusal } from '../problem-document.js'
import { routeOver } from '../route.js'

const route = routeOver<Pick<Control, 'isReady'>>()
const ok = z.strictObject({ status: z.literal('ok') })

/** Seconds. */
const TRY_AGAIN = 1

export const healthRoutes = [
  route({
    method: 'GET',
    path: '/healthz',
    role: 'open',
    summary: 'Whether lvsd runs.',
    response: ok,
    handler: () => ({ status: 'ok' }) as const,
  }),
  route({
    method: 'GET',
    path: '/readyz',
    role: 'open',
    summary: 'Whether the table has been corrected since the start: 503 before, and while lvsd stops.',
    response: ok,
    problems: ['unavailable'],
    handler: control => {
      if (control.isReady()) return { status: 'ok' } as const
      throw new Refusal('unavailable', 'lvsd is starting or stopping', {
        headers: { 'retry-after': String(TRY_AGAIN) },
      })
    },
  }),
]
