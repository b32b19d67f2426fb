/** Reads maintenance windows: their times, their lengths, and the names of their real servers. */
import { type CronFault, isCron, parseCron } from '../../core/cron.js'
import type { MaintenanceWindow, Real, Service } from '../../core/model.js'
import { nextWindow, shortestDistance } from '../../core/window.js'
import { nameOfReal } from '../../overrides/command-overrides.js'
import { realsNamed, TargetError } from '../../overrides/targets.js'
import { didYouMean } from '../../util/closest-match.js'
import { duration } from '../../util/time-text.js'
import { isZone, localZone, zoneNames } from '../../util/zoned-time.js'
import { characters } from '../problems/position.js'
import type { Position } from '../problems/problem.js'
import { textOf } from '../raw.js'
import type { Fields } from '../read/fields.js'
import type { windowFields } from '../schema/schema.js'
import type { Context, DefaultsFields, ServiceFields } from './context.js'

type WindowFields = Fields<typeof windowFields>

interface Owner extends Pick<Service, 'name' | 'part'> {
  /** Null if some of them are invalid, so that the names in a window cannot be checked. */
  readonly reals: readonly Real[] | null
}

/** Returns the windows of a service, or those of `defaults` if it has no such key. An invalid window is omitted. */
export function readWindows(
  own: ServiceFields,
  defaults: DefaultsFields,
  owner: Owner,
  context: Context,
): readonly MaintenanceWindow[] {
  const { windows = [] } = own.entry('windows') ? own.values : defaults.values
  // The zone of this machine and the time count, too.
  if (windows.length > 0) context.looksAtMachine?.()
  return windows.flatMap(fields => (fields && readWindow(fields as WindowFields, owner, context)) ?? [])
}

function readWindow(fields: WindowFields, owner: Owner, context: Context): MaintenanceWindow | null {
  const at = readAt(fields, context)
  const zone = readZone(fields, context)
  const length = readLength(fields, context)
  const reals = readReals(fields, owner, context)
  if (at === null || zone === null || length === null) return null
  const { drain = 0, reason = '' } = fields.values
  const window = { at, zone, for: length, drain, reals, reason }
  judgeTimes(window, fields, context)
  return window
}

function readAt(fields: WindowFields, { report }: Context): string | null {
  const { at } = fields.values
  if (!fields.entry('at') && !fields.isMisspelt('at'))
    report.error('MISSING_KEY', fields.at, "a window needs the key at, its start: at: '0 2 * * sun'")
  if (at === undefined) return null
  const parsed = parseCron(at)
  if (isCron(parsed)) return at.trim().replaceAll(/\s+/g, ' ')
  for (const fault of parsed) report.error('BAD_WINDOW', placeOf(fault, fields), fault.message)
  return null
}

/** Returns the position of the wrong field, or of the whole expression. */
function placeOf({ field }: CronFault, fields: WindowFields): Position {
  const at = fields.valueAt('at')
  const text = textOf(fields.entry('at')?.value) ?? ''
  const word = field === null ? undefined : [...text.matchAll(/\S+/g)][field]
  const quotes = at.length - characters(text)
  if (!word || (quotes !== 0 && quotes !== 2)) return at
  const column = at.column + quotes / 2 + characters(text.slice(0, word.index))
  return { ...at, column, length: characters(word[0]) }
}

function readZone(fields: WindowFields, { report }: Context): string | null {
  if (!fields.entry('zone')) return localZone()
  const { zone } = fields.values
  if (zone === undefined) return null
  if (isZone(zone)) return zone
  const advice = didYouMean(zone, zoneNames()) || '; a zone is a name such as Europe/Berlin, or UTC'
  report.error('BAD_WINDOW', fields.valueAt('zone'), `there is no time zone "${zone}"${advice}`)
  return null
}

function readLength(fields: WindowFields, { report }: Context): number | null {
  if (!fields.entry('for') && !fields.isMisspelt('for'))
    report.error('MISSING_KEY', fields.at, 'a window needs the key for, its length: for: 2h')
  return fields.values.for ?? null
}

/** Returns the names of the real servers as their service has them; null: all of them. */
function readReals(fields: WindowFields, owner: Owner, { report }: Context): readonly string[] | null {
  const { reals: words } = fields.values
  if (!fields.entry('reals')) return null
  if (words === undefined || owner.reals === null) return []
  const known = [{ service: owner.name, reals: owner.reals.map(nameOfReal) }]
  const names = words.flatMap((word, i) => {
    try {
      return realsNamed(owner.part ? withoutPort(word) : word, owner.part?.of ?? owner.name, known)
    } catch (error) {
      if (!(error instanceof TargetError)) throw error
      report.error('UNKNOWN_REAL', fields.itemAt('reals', i), error.message)
      return []
    }
  })
  return [...new Set(names.flatMap(({ real }) => real ?? []))]
}

/** The parts of a service have the same servers at different ports. */
function withoutPort(word: string): string {
  return word.replace(/^(\[.*\]|[^:[\]]+):\d+$/, '$1')
}

function judgeTimes(window: MaintenanceWindow, fields: WindowFields, { report }: Context): void {
  const { at, for: length, drain } = window
  if (drain > length)
    report.error(
      'BAD_WINDOW',
      fields.valueAt('drain'),
      `the window lasts ${duration(length)} and cannot drain for ${duration(drain)}`,
    )
  const distance = shortestDistance(at)
  if (length >= distance)
    report.error(
      'BAD_WINDOW',
      fields.valueAt('for'),
      `the window lasts ${duration(length)}, but begins again after ${duration(distance)} already`,
    )
  if (distance === Number.POSITIVE_INFINITY && nextWindow(window, Date.now()) === null)
    report.error('BAD_WINDOW', fields.valueAt('at'), `the window never begins: no date fits "${at}"`)
}
