/** The director at a glance, as the page shows it. */
import { z } from '../check/option-types.js'
import { list } from './model-types.js'
import { realStatus, serviceStatus, statusDocument } from './status-types.js'

const troubledReal = realStatus
  .pick({
    name: true,
    state: true,
    since: true,
    reason: true,
    checkReason: true,
    override: true,
    slowStart: true,
    damping: true,
    down: true,
    weight: true,
  })
  .meta({
    id: 'TroubledReal',
    description: 'A real server that is not up, or held by an override or a rule.',
  })

const serviceOverview = serviceStatus
  .pick({
    name: true,
    key: true,
    nameTrouble: true,
    scheduler: true,
    inKernel: true,
    state: true,
    since: true,
    panic: true,
    conflicts: true,
    totals: true,
    counters: true,
    fallback: true,
    addresses: true,
  })
  .extend({
    weight: z
      .object({ configured: z.number(), kernel: z.number() })
      .describe('Sums over the real servers: the configured weights, and those in the table of the kernel.'),
    failed: z.int().describe('Number of real servers that are down, and not by an override.'),
    overridden: z.int().describe('Number of real servers with an override.'),
    drained: z
      .int()
      .describe('Number of real servers that are up, but get no new connections by an override.'),
    troubled: list(troubledReal).describe('The real servers that need attention, the worst first; a few.'),
    troubledCount: z.int().describe('Number of all of them.'),
  })
  .meta({ id: 'ServiceOverview' })

export const overviewDocument = statusDocument
  .pick({
    version: true,
    now: true,
    startedAt: true,
    kernel: true,
    config: true,
    lastReload: true,
    reconcile: true,
    schedule: true,
    alerts: true,
    sysctls: true,
    isolation: true,
    cluster: true,
    totals: true,
  })
  .extend({
    schema: z.int().describe('Version of the format.'),
    host: z.string().describe('Name of the machine.'),
    services: list(serviceOverview),
  })
  .meta({ id: 'OverviewDocument' })

export type TroubledReal = Readonly<z.output<typeof troubledReal>>
export type ServiceOverview = Readonly<z.output<typeof serviceOverview>>
export type OverviewDocument = Readonly<z.output<typeof overviewDocument>>
