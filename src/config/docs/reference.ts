/** Generates config/reference.md: all keys, options of checks, problems and log events. */
import type { Check } from '../../check/check.js'
import { describeOptions } from '../../check/describe-options.js'
import type { z } from '../../check/option-types.js'
import { typeInWords } from '../../check/type-in-words.js'
import { ALERT_NAMES, ALERT_RULES } from '../../core/alert-rules.js'
import { LOG_EVENTS } from '../../core/log-events.js'
import { METRICS } from '../../core/metrics.js'
import { LDIRECTORD_CODES, SPELLING_CODES } from '../ldirectord/ldirectord-codes.js'
import { CODES } from '../problems/codes.js'
import { alertFields } from '../schema/alert-fields.js'
import { apiFields, tlsFields } from '../schema/api-fields.js'
import { checkFields } from '../schema/check-fields.js'
import {
  clusterFields,
  roleFields,
  standbyFields,
  syncFields,
  trackFileFields,
} from '../schema/cluster-fields.js'
import { connectivityFields, pingGroupFields } from '../schema/connectivity-fields.js'
import { onDownFields, panicFields } from '../schema/down-fields.js'
import { mailFields } from '../schema/mail-fields.js'
import { fallbackFields, realFields } from '../schema/real-fields.js'
import { redisFields, redisTlsFields, sentinelFields } from '../schema/redis-fields.js'
import {
  defaultsFields,
  marksFields,
  persistenceFields,
  rootFields,
  serviceFields,
  settingsFields,
  timeoutsFields,
  windowFields,
} from '../schema/schema.js'
import { dampingFields, slowStartFields } from '../schema/steering-fields.js'
import { kindsOf } from './json-schema.js'
import { tableOf } from './markdown-table.js'
import { redisTables } from './redis-tables.js'
import { CHECKS, HEAD, INCLUDE, LOG_LINES, METRIC_LINES, PROBLEMS, SCHEDULERS } from './reference-texts.js'

type Shape = Readonly<Record<string, z.ZodType>>

export function referenceOf(checks: ReadonlyMap<string, Check>): string {
  return [
    HEAD,
    ...keySections(),
    CHECKS,
    table(checkFields),
    '',
    ...kindsOf(checks).map(kindSection),
    ...problemSections(),
    logSection(),
    '',
    metricSection(),
    '',
  ].join('\n')
}

// ---------------------------------------------------------------- keys

function keySections(): string[] {
  return [
    section('The file', 'Seven parts, and further files; services must stand in one of them.', rootFields),
    INCLUDE,
    section('settings', 'Of lvsd itself.', settingsFields),
    section('settings.timeouts', "The kernel's own, as `ipvsadm --set`.", timeoutsFields),
    section('settings.marks', MARKS, marksFields),
    section('alerts', ALERTS, alertFields),
    alertTable(),
    section('api', API, apiFields),
    section('api.tls', 'Paths of files in PEM.', tlsFields),
    section('cluster', CLUSTER, clusterFields),
    section('cluster.role', ROLE, roleFields),
    section('cluster.sync', "The kernel's sync daemon.", syncFields),
    section('cluster.standby', 'For a director that is standby.', standbyFields),
    section('cluster.redis', REDIS, redisFields),
    section('cluster.redis.sentinels', 'Sentinels, which are asked for the primary.', sentinelFields),
    section('cluster.redis.tls', 'Paths of files in PEM, read at each new connection.', redisTlsFields),
    redisTables(),
    section('cluster.connectivity', CONNECTIVITY, connectivityFields),
    section('cluster.connectivity.groups', 'A list of mappings.', pingGroupFields),
    section('cluster.track-file', TRACK_FILE, trackFileFields),
    section('defaults', 'For every service that does not say otherwise.', defaultsFields),
    SCHEDULERS,
    section('services', SERVICES, ownKeys(serviceFields, defaultsFields)),
    section('mail', MAIL, mailFields),
    section('persistence', 'A timeout alone, or a mapping.', persistenceFields),
    section('slow-start', SLOW_START, slowStartFields),
    section('damping', DAMPING, dampingFields),
    section('on-down', ON_DOWN, onDownFields),
    section('panic', PANIC, panicFields),
    section('reals', 'A list; each a text in short form, or a mapping.', realFields),
    section('windows', WINDOWS, windowFields),
    section('fallback', 'A text in short form (address, forwarding), a mapping, or none.', fallbackFields),
  ]
}

const MARKS =
  "With `path: service` the table has one more service for each real server, on a mark of its own and with this server alone, at weight 1. These are lvsd's: they are not shown among the services, and go when lvsd stops or the key is removed. A path keeps its mark over reloads and restarts."

const ALERTS =
  'Receivers by name, each with one of webhook, alertmanager and command. Within 2 s alerts are grouped, and a receiver gets at most 10 messages a minute; then more of them are in one message. In messages of lvsd a URL has neither its path nor a password.'

function alertTable(): string {
  const rows = ALERT_NAMES.map(name => {
    const { severity, endedBy, about } = ALERT_RULES[name]
    return [`\`${name}\``, severity, endedBy.map(event => `\`${event}\``).join(', '), about]
  })
  return `An alert has the name of the event that begins it. It also ends when its service is no longer configured (\`alert.ended\`).\n\n${tableOf(['Alert', 'Severity', 'Ends with', 'Meaning'], rows)}\n`
}
const API =
  'The API and the page over TCP, for browsers, programs and Prometheus. On the control socket they are always served.'

const CLUSTER =
  'For directors that serve the same virtual addresses. Without it a director serves alone, and is always active.'

const ROLE =
  'lvsd moves no address: it is told by VRRP, Pacemaker or another program whether this director is active. `lvsd status` shows the role. An active director makes the table equal to what its checks say; what a standby does is in standby.'

const REDIS =
  'A URL alone, or a mapping. Redis 6.0 or later, or Valkey; tried on Redis 6.0.16 (connection only), 7.0.15 and 8.0.2, and Valkey 8.1.1. Nothing waits for Redis: while it is away, each director goes on with what it knows, and `lvsd status` says why it is away. A password is text, { file: PATH } or { env: NAME }.'
const CONNECTIVITY =
  'Whether this director still has its network: each condition must hold. While one fails, failed checks do not count and the table stays; `lvsd health` and the track-file give the role up. A failed check does not count either while the last pings had no reply and the next ones decide; that is `fall` intervals at most. At a start everything counts as good until it has been judged. Reports of the kernel about interfaces, routes and neighbours count at once.'

const TRACK_FILE =
  'A path alone, or a mapping. The file has 0 while this director has its network, and minus the weight while it is lost; that of a standby already while its last pings had no reply. A start keeps the number of an earlier run until the network has been judged, and an end leaves the file as it is.'

const SERVICES =
  'Each below its name, which has no blanks. A service has virtual, or fwmark and family; and it takes every key of defaults.'

const SLOW_START =
  'A duration alone, or a mapping; `none`: no slow start. It begins when a real server that was down is up: by its checks, at the end of damping, or when an override no longer holds it down. The weight rises in ten steps, at most one a second, and is never below 1. A server that lvsd finds in the table at a start keeps its weight.'

const DAMPING =
  'A number of changes alone, or a mapping; `none`: no damping. Changes during an override that decides the state do not count. Without a fallback, the last servers that would serve are not held.'

const ON_DOWN =
  'A mapping. `quiesce`: the server stays at weight 0, so that its connections go on. `remove`: it leaves the table; its connections end at once where the sysctl net.ipv4.vs.expire_nodest_conn is 1. A server that was removed comes back when it is up. One that is down by an override or by damping counts as sick. Where several checks fail, all of them have to say that it is dead.'

const PANIC =
  'A share alone, or a mapping; `none`: no panic. Servers that go down in the burst, or later during the panic, keep their weights in the table; their checks go on. It ends when fewer of them are down than the share, or after `for`. Overrides count during a panic as before it. The fallback stays out.'

const MAIL =
  'Recipients alone, or a mapping; that of a service is laid over that of defaults, key by key. `none`: no mails.'

const WINDOWS =
  'Maintenance windows, as a list. From `at` the servers are drained (weight 0) for the time `drain`, then they are out of the table until `for` is over, regardless of their checks. If clocks skip the local time, the window begins later by the length of the gap (02:30 begins at 03:30). If they show it twice, the window begins once, at the first time. `for` and `drain` are elapsed time. A start or a reload of lvsd during a window applies it. `lvsd windows` lists the next ones.'

/** Returns the keys that `other` does not have, and `fallback`, which is a single one in a service. */
function ownKeys(shape: Shape, other: Shape): Shape {
  return Object.fromEntries(
    Object.entries(shape).filter(([key]) => key === 'fallback' || !Object.hasOwn(other, key)),
  )
}

function section(title: string, about: string, shape: Shape): string {
  return `## ${title}\n\n${about}\n\n${table(shape)}\n`
}

function table(shape: Shape): string {
  const rows = Object.entries(shape).map(([key, type]) => {
    const { type: words, default: fallback, about } = typeInWords(type)
    return [`\`${key}\``, words, defaultWord(fallback), about]
  })
  return tableOf(['Key', 'Type', 'Default', 'What it does'], rows)
}

function defaultWord(value: unknown): string {
  if (value === undefined || value === null || value === '') return ''
  if (Array.isArray(value)) return value.length === 0 ? '' : `\`${value.join(', ')}\``
  if (typeof value === 'object') return Object.keys(value).length === 0 ? '' : `\`${JSON.stringify(value)}\``
  return `\`${value}\``
}

// ---------------------------------------------------------------- checks

function kindSection(check: Check): string {
  const { name, aliases = [], summary, defaultPort } = check
  const facts = [
    ...(aliases.length > 0 ? [`Also called ${aliases.map(alias => `\`${alias}\``).join(', ')}.`] : []),
    ...(defaultPort === undefined ? [] : [`Port ${defaultPort} where the real server has none.`]),
  ]
  const about = [`${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`, ...facts].join(' ')
  const rows = describeOptions(check).map(option => [
    `\`${option.name}\``,
    option.type,
    option.default === undefined ? 'required' : defaultWord(option.default),
    option.about,
  ])
  const options =
    rows.length === 0 ? 'It has no options.' : tableOf(['Option', 'Type', 'Default', 'What it does'], rows)
  return `### ${name}\n\n${about}\n\n${options}\n`
}

// ---------------------------------------------------------------- problems

function problemSections(): string[] {
  const rows = (codes: Readonly<Record<string, string>>) =>
    Object.entries(codes).map(([code, sentence]) => [`\`${code}\``, sentence])
  return [
    `${PROBLEMS}\n${tableOf(['Code', 'Meaning'], rows(CODES))}\n`,
    `### Of an ldirectord.cf\n\n${tableOf(['Code', 'Meaning'], rows({ ...LDIRECTORD_CODES, ...SPELLING_CODES }))}\n`,
  ]
}

// ---------------------------------------------------------------- the log

function logSection(): string {
  const rows = Object.entries(LOG_EVENTS).map(([event, { about, fields }]) => [
    `\`${event}\``,
    fields.map(field => `\`${field}\``).join(', '),
    about,
  ])
  return `${LOG_LINES}\n${tableOf(['Event', 'Fields', 'Meaning'], rows)}`
}

function metricSection(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help }]) => [
    `\`${name}\``,
    type,
    labels.map(label => `\`${label}\``).join(', '),
    help,
  ])
  return `${METRIC_LINES}\n${tableOf(['Metric', 'Type', 'Labels', 'Meaning'], rows)}`
}
