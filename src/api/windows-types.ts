/** The maintenance windows of a running lvsd. */
import { z } from '../check/option-types.js'
import { list, time } from './model-types.js'

const maintenanceWindow = z
  .object({
    at: z.string().describe('Cron expression of its begin, in wall times of `zone`.'),
    zone: z.string(),
    for: z.number().describe('Length in milliseconds.'),
    drain: z.number().describe('Milliseconds at its begin in which the servers are only drained.'),
    reals: list(z.string()).nullable().describe('Null: all of the service.'),
    reason: z.string(),
  })
  .meta({ id: 'MaintenanceWindow' })

export const endedWindow = z
  .object({
    service: z.string(),
    real: z.string().nullable().describe('Null: the service as a whole.'),
    window: z.string().describe('`window 0 2 * * sun Europe/Berlin`.'),
    begin: time(),
    until: time('The end that it would have had.'),
    at: time('When it was ended.'),
    who: z.string(),
  })
  .meta({ id: 'EndedWindow', description: 'An opening of a window that is over early.' })

export const windowsDocument = z
  .object({
    schema: z.literal(1),
    now: time("By the daemon's clock."),
    services: list(z.object({ name: z.string(), windows: list(maintenanceWindow) })).describe(
      'All services, those without windows too.',
    ),
    coming: list(
      z.object({
        begin: time(),
        end: time(),
        isOpen: z.boolean(),
        services: list(z.string()),
        window: maintenanceWindow,
      }),
    ).describe('The open windows and the next ones, in the order of their begins.'),
    ended: list(endedWindow).describe('Openings that would still be open.'),
  })
  .meta({ id: 'Windows' })

export type EndedWindow = Readonly<z.output<typeof endedWindow>>
export type WindowsDocument = Readonly<z.output<typeof windowsDocument>>
