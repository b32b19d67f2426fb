/** The part `settings`. */
import type { Settings, Timeouts } from '../../core/model.js'
import { folderOf, pathFrom } from '../paths.js'
import { START } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import { newReport, type Report } from '../problems/report.js'
import type { RawDocument, RawEntry } from '../raw.js'
import { mapEntries, readFields } from '../read-fields.js'
import { settingsFields, timeoutsFields } from '../schema/schema.js'
import { tellBareNumber } from './bare-numbers.js'
import { tellCommand } from './commands.js'
import type { Context } from './context.js'
import { withDefaults } from './layers.js'
import { pathOf } from './marked.js'

/** The settings, with defaults for what is absent or wrong. */
export function readSettings(
  entry: RawEntry | undefined,
  { report, folderAt }: Pick<Context, 'report' | 'folderAt'>,
): Settings {
  const entries = entry ? (mapEntries(entry, 'a mapping of settings', report) ?? []) : []
  const fields = readFields(
    entries,
    settingsFields,
    { what: 'settings', at: entry?.keyAt ?? START, structured: ['timeouts'] },
    report,
  )
  const settings = withDefaults(settingsFields, fields)
  tellCommand(fields.entry('callback'), report)
  for (const key of ['resync', 'resolve'] as const) tellBareNumber(fields.entry(key), report)
  const place = (key: 'socket' | 'state' | 'maintenancedir') => pathOf(key, [fields], { folderAt })
  return {
    resync: settings.resync,
    resolve: settings.resolve,
    concurrency: settings.concurrency,
    removalLimit: settings['removal-limit'],
    socket: place('socket') ?? settings.socket,
    state: place('state') ?? settings.state,
    checks: settings.checks.map(folder => pathFrom(folderAt(fields.valueAt('checks')) ?? '.', folder)),
    maintenancedir: place('maintenancedir'),
    autoreload: settings.autoreload,
    callback: settings.callback,
    timeouts: readTimeouts(fields.entry('timeouts'), report),
    logLevel: settings['log-level'],
  }
}

/** The folders with the user's checks, before anything else of the file can be judged. */
export function checkFoldersOf(document: RawDocument, file: string): readonly string[] {
  const entry = document.root?.entries.find(({ key }) => key === 'settings')
  const folderAt = (at: Position) => folderOf(at.file ?? file)
  return readSettings(entry, { report: newReport(file), folderAt }).checks
}

function readTimeouts(entry: RawEntry | undefined, report: Report): Timeouts | null {
  const entries = entry && mapEntries(entry, 'a mapping with tcp, tcp-fin, udp', report)
  if (!entry || !entries) return null
  const { values } = readFields(entries, timeoutsFields, { what: 'timeouts', at: entry.keyAt }, report)
  return { tcp: values.tcp ?? 0, tcpFin: values['tcp-fin'] ?? 0, udp: values.udp ?? 0 }
}
