/** The document that webhooks and commands of `alerts:` get. */
import { z } from '../check/option-types.js'
import { ALERT_NAMES, type AlertName, SEVERITIES, TEST_ALERT } from '../core/alert-rules.js'
import { list, time } from './model-types.js'
import { ALERT_SCHEMA } from './versions.js'

const names: readonly (AlertName | typeof TEST_ALERT)[] = [...ALERT_NAMES, TEST_ALERT]

/** The alert in a document. */
export const alertEntry = z
  .object({
    status: z.enum(['firing', 'resolved']),
    alert: z.enum(names).describe('Name of the event that begins such alerts.'),
    severity: z.enum(SEVERITIES),
    service: z.string().nullable().describe('Null: it is not about a service.'),
    real: z.string().nullable().describe('Null: it is not about a real server.'),
    summary: z.string().describe('One line for people.'),
    startsAt: time(),
    endsAt: time().nullable().describe('Null while it fires.'),
    fingerprint: z
      .string()
      .regex(/^[0-9a-f]{16}$/)
      .describe('The same for the beginning and the end of one alert; no other has it.'),
    event: z
      .looseObject({ id: z.number(), time: time(), event: z.string() })
      .describe(
        'The event that is told, with the id, the name and the fields that it has in `GET /v1/events`.',
      ),
  })
  .meta({ id: 'Alert' })

export const alertDocument = z
  .object({
    schema: z.literal(ALERT_SCHEMA),
    id: z.string().describe('The same in each attempt to deliver this document.'),
    host: z.string().describe('Name of the host of lvsd.'),
    version: z.string().describe('Version of lvsd.'),
    receiver: z.string().describe('Its name in the configuration.'),
    alerts: list(alertEntry),
  })
  .meta({ id: 'Alerts' })

export type AlertEntry = Readonly<z.output<typeof alertEntry>>
export type AlertDocument = Readonly<z.output<typeof alertDocument>>

/** The headers of a request, for the documentation. */
export const alertHeaders = z.object({
  'X-Lvsd-Delivery': z.string().describe('`id` of the document.'),
  'X-Lvsd-Timestamp': z
    .string()
    .optional()
    .describe('With `secret`: the time at which it was signed, in seconds since 1970.'),
  'X-Lvsd-Signature': z
    .string()
    .regex(/^sha256=[0-9a-f]{64}$/)
    .optional()
    .describe('With `secret`: HMAC-SHA-256 of the timestamp, a dot and the body.'),
})
