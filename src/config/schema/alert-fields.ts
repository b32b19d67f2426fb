/** Keys of a receiver of alerts. */
import { duration, marks, z } from '../../check/option-types.js'
import { SEVERITIES } from '../../core/alert-rules.js'
import { path } from './field-types.js'
import { later, mapping, orNull } from './forms.js'

/** The default time limits of an attempt, in milliseconds. */
export const HTTP_TIMEOUT = 10_000
export const COMMAND_TIMEOUT = 30_000

const url = () =>
  z.string().refine(isHttpUrl, { error: 'expected the URL of a web server: https://alerts.example/lvsd' })

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}

const isHeader = ([name, value]: [string, string]) =>
  /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[\r\n\0]/.test(value)

const patterns = () => z.array(z.string().min(1)).min(1)

export const alertFields = later(() => ({
  webhook: orNull(url().register(marks, { secret: 'text', shown: 'URL, never shown' })).describe(
    'Receives the alerts as JSON, by POST.',
  ),
  alertmanager: orNull(
    z
      .union([url(), z.array(url()).min(1)])
      .register(marks, { shown: 'URL, or a list' })
      .transform(urls => [urls].flat()),
  ).describe(
    'Alertmanager of Prometheus: http://alertmanager.example:9093. Of several, each gets all alerts.',
  ),
  command: orNull(
    z
      .array(z.string().refine(word => !word.includes('\0'), { error: 'expected text' }))
      .min(1)
      .register(marks, { shown: 'program and arguments' }),
  ).describe(
    'Program that is run, and its arguments: [/usr/local/bin/page, --team, web]. No shell. The alert is in its environment and, as JSON, its input.',
  ),
  secret: orNull(z.string().min(1).register(marks, { secret: 'text', shown: 'text, never shown' })).describe(
    'Of a webhook: the key of the signature in X-Lvsd-Signature. Default: no signature.',
  ),
  headers: z
    .record(z.string(), z.string())
    .refine(headers => Object.entries(headers).every(isHeader), {
      error: 'expected headers that HTTP allows, by name',
    })
    .register(marks, { secret: 'map', shown: 'texts by name, never shown' })
    .default({})
    .describe('Further request headers, for example Authorization.'),
  ca: orNull(path()).describe('PEM file of the authorities to trust instead of the usual ones.'),
  timeout: orNull(duration().refine(ms => ms <= 300_000, { error: 'expected at most 5m' })).describe(
    'Time limit of an attempt. Default: 10s; of a command 30s.',
  ),
  events: patterns()
    .register(marks, { shown: 'list of events' })
    .default(['*'])
    .describe(
      `The events that begin its alerts, by name or pattern: [service.*, real.down]. It is told the end of each, too. Default: all that begin an alert.`,
    ),
  services: patterns()
    .register(marks, { shown: 'list of services' })
    .default(['*'])
    .describe(
      'Services, by name or pattern: [web, shop-*]. An alert that is not about a service is sent in any case. Default: all.',
    ),
  severity: z
    .enum(SEVERITIES)
    .default('warning')
    .describe('The least severity: warning is all alerts, critical only the critical ones.'),
}))

export const alertNode = mapping(
  'a receiver of alerts',
  'a mapping with webhook, alertmanager or command',
  alertFields,
)
