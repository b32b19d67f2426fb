/** Reads the receivers of alerts: what each is, and which alerts it gets. */

import type { AlertReceiver } from '../../core/alert-receiver.js'
import { ALERT_NAMES } from '../../core/alert-rules.js'
import type { Service } from '../../core/model.js'
import { locateProgram } from '../../system/find-program.js'
import { didYouMean } from '../../util/closest-match.js'
import { globPattern } from '../glob.js'
import { commandFrom } from '../paths.js'
import type { Position } from '../problems/problem.js'
import type { RawEntry } from '../raw.js'
import type { Fields } from '../read/fields.js'
import { outputOf } from '../read/layers.js'
import { readEntry } from '../read/read-node.js'
import { alertFields, alertNode, COMMAND_TIMEOUT, HTTP_TIMEOUT } from '../schema/alert-fields.js'
import type { Context } from './context.js'

type AlertFields = Fields<typeof alertFields>

const SORTS = ['webhook', 'alertmanager', 'command'] as const

/** Returns the receivers. One with an error is omitted. */
export function readAlerts(
  entries: readonly RawEntry[],
  services: readonly Pick<Service, 'name' | 'part'>[],
  context: Context,
): readonly AlertReceiver[] {
  return entries.flatMap(entry => {
    if (!/^[\w.-]{1,64}$/.test(entry.key))
      context.report.error(
        'BAD_VALUE',
        entry.keyAt,
        `"${entry.key}" is no name of a receiver: expected letters, digits, ".", "-" and "_"`,
      )
    const fields = readEntry(entry, alertNode, context)
    return (fields && readReceiver(entry, fields, services, context)) ?? []
  })
}

function readReceiver(
  { key: name, keyAt }: RawEntry,
  fields: AlertFields,
  services: readonly Pick<Service, 'name' | 'part'>[],
  context: Context,
): AlertReceiver | null {
  const { report } = context
  const sorts = SORTS.filter(sort => fields.entry(sort))
  const [sort, second] = sorts
  if (second)
    report.error(
      'BAD_ALERTS',
      fields.keyAt(second),
      `a receiver has one of ${SORTS.join(', ')}: "${sort}" is set already`,
    )
  if (!sort && !SORTS.some(one => fields.isMisspelt(one)))
    report.error('MISSING_KEY', keyAt, `the receiver "${name}" needs webhook, alertmanager or command`)
  if (!sort || second) return null
  judgeKeys(sort, fields, context)
  judgeNames(fields, services, context)
  const { webhook, alertmanager, command, timeout, ...rest } = outputOf(alertFields, [fields])
  const common = { name, timeout: timeout ?? (sort === 'command' ? COMMAND_TIMEOUT : HTTP_TIMEOUT), ...rest }
  if (webhook) return { kind: 'webhook', url: webhook, ...common }
  if (alertmanager) return { kind: 'alertmanager', urls: alertmanager.map(withoutSlash), ...common }
  const argv = command && readCommand(command, fields.itemAt('command', 0), context)
  return argv && { kind: 'command', argv, ...common }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** Reports keys that the sort of receiver does not use. */
function judgeKeys(sort: (typeof SORTS)[number], fields: AlertFields, { report }: Context): void {
  const unused = {
    webhook: [],
    alertmanager: ['secret'],
    command: ['secret', 'headers', 'ca'],
  } as const
  for (const key of unused[sort])
    if (fields.entry(key))
      report.error('BAD_ALERTS', fields.keyAt(key), `"${key}" has no meaning with ${sort}`)
}

/** Reports names of alerts that do not exist, and warns about services that do not. */
function judgeNames(
  fields: AlertFields,
  services: readonly Pick<Service, 'name' | 'part'>[],
  { report }: Context,
): void {
  const { events = [], services: words = [] } = fields.values
  if (fields.entry('events'))
    for (const [i, word] of events.entries())
      if (!ALERT_NAMES.some(globPattern(word)))
        report.error(
          'BAD_ALERTS',
          fields.itemAt('events', i),
          `no alert begins with an event "${word}"${didYouMean(word, ALERT_NAMES)}`,
        )
  if (!fields.entry('services')) return
  const names = [...new Set(services.flatMap(({ name, part }) => [name, ...(part ? [part.of] : [])]))]
  for (const [i, word] of words.entries())
    if (!names.some(globPattern(word)))
      report.warn(
        'BAD_ALERTS',
        fields.itemAt('services', i),
        `no service has the name "${word}"${didYouMean(word, names)}`,
      )
}

/** Makes the path of the program absolute. Warns about a program that cannot be run now. */
function readCommand(
  [file = '', ...words]: readonly string[],
  at: Position,
  { report, folderAt, looksAtFiles }: Context,
): readonly string[] {
  looksAtFiles?.()
  const folder = folderAt(at)
  const program = folder === null ? file : commandFrom(folder, file)
  const located = locateProgram(program)
  if ('why' in located) report.warn('COMMAND_UNAVAILABLE', at, `command: ${located.why}`)
  return [program, ...words]
}
