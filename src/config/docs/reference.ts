/** config/reference.md: every key of the configuration, option of a check, problem, and kind of log line. Made from the schema. */
import type { Check } from '../../check/check.js'
import { describeOptions } from '../../check/describe-options.js'
import { z } from '../../check/option-types.js'
import { LOG_EVENTS } from '../../core/log-events.js'
import { LDIRECTORD_CODES, SPELLING_CODES } from '../ldirectord/codes.js'
import { CODES } from '../problems/codes.js'
import { mailFields } from '../schema/mail-fields.js'
import {
  checkFields,
  defaultsFields,
  fallbackFields,
  persistenceFields,
  realFields,
  rootFields,
  serviceFields,
  settingsFields,
  timeoutsFields,
} from '../schema/schema.js'
import { kindsOf } from './json-schema.js'
import { CHECKS, HEAD, INCLUDE, LOG_LINES, PROBLEMS, SCHEDULERS } from './reference-texts.js'

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
  ].join('\n')
}

// ---------------------------------------------------------------- keys

function keySections(): string[] {
  return [
    section('The file', 'Three parts, and further files; services must stand in one of them.', rootFields),
    INCLUDE,
    section('settings', 'Of lvsd itself.', settingsFields),
    section('settings.timeouts', "The kernel's own, as `ipvsadm --set`.", timeoutsFields),
    section('defaults', 'For every service that does not say otherwise.', defaultsFields),
    SCHEDULERS,
    section('services', SERVICES, ownKeys(serviceFields, defaultsFields)),
    section('mail', MAIL, mailFields),
    section('persistence', 'A timeout alone, or a mapping.', persistenceFields),
    section('reals', 'A list; each a text in short form, or a mapping.', realFields),
    section('fallback', 'A text in short form (address, forwarding), a mapping, or none.', fallbackFields),
  ]
}

const SERVICES =
  'Each below its name, which has no blanks. A service has virtual, or fwmark and family; and it takes every key of defaults.'

const MAIL =
  'Recipients alone, or a mapping; that of a service is laid over that of defaults, key by key. `none`: no mails.'

/** The keys that the other part does not have, and `fallback`, which is a single one here. */
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
    const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Schema
    return [`\`${key}\``, wordFor(key, schema), defaultWord(schema.default), schema.description ?? '']
  })
  return tableOf(['Key', 'Type', 'Default', 'What it does'], rows)
}

interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly default?: unknown
  readonly description?: string
}

/** Types that their JSON Schema does not tell a person. */
const WORDS: Readonly<Record<string, string>> = {
  'removal-limit': 'share',
  'scheduler-flags': 'list of flags',
  address: 'address and port',
  checkaddress: 'address or name',
  checkport: 'port',
  check: 'check',
  checks: 'list',
  during: 'all, none or a list',
  defaults: 'mapping',
  engine: 'sip',
  fallback: 'fallback',
  from: 'mail address',
  mail: 'recipients or mapping',
  need: 'all, any or a number',
  netmask: 'IPv4 netmask',
  persistence: 'duration or mapping',
  reals: 'list of real servers',
  repeat: 'duration or none',
  server: 'mail server and port',
  services: 'mapping by name',
  settings: 'mapping',
  timeouts: 'mapping',
  to: 'recipients',
  virtual: 'address and port',
}

const PLAIN: Readonly<Record<string, string>> = {
  string: 'text',
  boolean: 'true or false',
  integer: 'number',
  array: 'list of texts',
}

function wordFor(key: string, { type, enum: words, minimum, maximum }: Schema): string {
  const known = WORDS[key]
  if (known !== undefined) return known
  if (words) return words.join(', ')
  const types = [type ?? []].flat().filter(each => each !== 'null')
  if (types.includes('number') && types.includes('string')) return 'duration'
  if (types.includes('integer')) return `${minimum} to ${maximum}`
  return types.map(each => PLAIN[each] ?? each).join(' or ')
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

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
