/** The table of the kernel, and changes of it, as the API has them. */
import { z } from '../check/option-types.js'
import type { Change } from '../core/model.js'
import { counters, dispute, forwarding, list, realCounters, time } from './model-types.js'
import { overrideStatus } from './status-types.js'

const serviceAttributes = {
  scheduler: z.string(),
  schedulerFlags: list(z.enum(['flag-1', 'flag-2', 'flag-3'])),
  persistence: z
    .object({
      timeout: z.number().describe('Seconds.'),
      prefix: z.number().describe('Prefix length that groups clients.'),
      engine: z.string().nullable(),
    })
    .nullable(),
  onePacket: z.boolean(),
}

const realAttributes = {
  forwarding,
  tunnelPort: z.number().describe('UDP port of a gue tunnel; 0 otherwise.'),
  tunnelChecksum: z.enum(['none', 'csum', 'remcsum']),
  weight: z.number(),
  upper: z.number().describe('Connections at which the kernel stops sending new ones; 0: no limit.'),
  lower: z.number().describe('Connections below which it resumes; 0: three quarters of `upper`.'),
}

const tableReal = z
  .object({
    name: z.string().describe('`[2001:db8::1]:80`.'),
    ...realAttributes,
    counters: realCounters.nullable(),
  })
  .meta({ id: 'TableReal' })

const tableService = z
  .object({
    key: z.string().describe('`tcp [2001:db8::80]:80`, `fwmark 1 ipv6`.'),
    name: z.string().nullable().describe('The service of the configuration; null: there is none.'),
    path: z
      .string()
      .nullable()
      .describe('Set for a service of checks with `path: service`: the service and the real server.'),
    isOwned: z.boolean().describe('False: lvsd did not create it, and does not change it.'),
    ...serviceAttributes,
    counters: counters.nullable(),
    reals: list(tableReal),
  })
  .meta({ id: 'TableService' })

export const tableDocument = z
  .object({ readAt: time(), services: list(tableService) })
  .meta({ id: 'Table', description: "The kernel's IPVS table." })

export const changeDocument = z
  .object({
    op: z.enum([
      'add-service',
      'set-service',
      'delete-service',
      'add-real',
      'set-real',
      'delete-real',
    ] satisfies Change['op'][]),
    service: z.string().describe('Its key.'),
    real: z.string().nullable().describe('Null: the service itself.'),
    to: z.union([z.object(serviceAttributes), z.object(realAttributes)]).nullable(),
    was: z.union([z.object(serviceAttributes), z.object(realAttributes)]).nullable(),
  })
  .meta({ id: 'Change', description: 'A step from what the kernel holds towards what it should.' })

const counts = { add: z.number(), change: z.number(), remove: z.number() }

export const driftDocument = z
  .object({
    readAt: time(),
    ...counts,
    changes: list(changeDocument).describe('What lvsd would change now; usually nothing.'),
    disputes: list(dispute).describe('Services that another program changes repeatedly.'),
    errors: list(z.string()).describe('Refusals by the kernel that have not been resolved.'),
  })
  .meta({ id: 'Drift' })

export const planDocument = z
  .object({
    schema: z.literal(1),
    file: z.string().nullable().describe('Null: the configuration was posted.'),
    assume: z.enum(['now', 'up', 'down', 'kernel']),
    ...counts,
    changes: list(changeDocument),
    overrides: list(z.object({ service: z.string(), real: z.string(), override: overrideStatus })).describe(
      'Those that count in this plan.',
    ),
    troubles: list(z.string()).describe('Names that do not resolve.'),
  })
  .meta({ id: 'Plan' })

export type TableDocument = Readonly<z.output<typeof tableDocument>>
export type ChangeDocument = Readonly<z.output<typeof changeDocument>>
export type DriftDocument = Readonly<z.output<typeof driftDocument>>
export type PlanDocument = Readonly<z.output<typeof planDocument>>
export type Assumed = PlanDocument['assume']
