/** Formats the status document as a table for people. Pure: width, colours and time are parameters. */

import type { RealStatus, ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { hostPort, hostWithAddress, isSameName } from '../../core/display-names.js'
import { type Paint, painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { widthOf } from '../../util/text-width.js'
import { dateTime, formatDuration, formatUptime, shortTime } from '../../util/time-text.js'
import { clip, pad, widthsOf } from './columns.js'
import { STATE_STYLE } from './state-style.js'

export interface StatusView {
  /** Maximum number of columns. */
  readonly width: number
  readonly colour: boolean
  /** Wall-clock milliseconds. */
  readonly now: number
}

/**
 * Formats the head, the problems, and a block for each service. The worst come first, because a screen may be short.
 */
export function renderStatus(document: StatusDocument, view: StatusView): string {
  const paint = painter(view.colour)
  const services = [...document.services].sort((one, other) => rankOf(one) - rankOf(other))
  const blocks = services.map(service => serviceBlock(service, view, paint))
  const parts = [headLines(document, view, paint), attention(document, view, paint), ...blocks]
  const lines = parts.flatMap(part => (part.length > 0 ? [...part, ''] : []))
  return lines
    .slice(0, -1)
    .map(line => clip(line, view.width))
    .join('\n')
}

/** Order of services: first those that are down, then those with a server down, then the rest. */
function rankOf({ state, totals }: ServiceStatus): number {
  return state === 'down' ? 0 : totals.down > 0 ? 1 : 2
}

// ---------------------------------------------------------------- the daemon

function headLines(document: StatusDocument, { now }: StatusView, paint: Paint): string[] {
  const { schedule, reconcile, services } = document
  const reals = services.flatMap(service => service.reals)
  const count = (state: string) => reals.filter(real => real.state === state).length
  const counts = [
    paint('green', `${count('up')} up`),
    paint(count('down') > 0 ? 'red' : 'dim', `${count('down')} down`),
    ...(count('unknown') > 0 ? [paint('yellow', `${count('unknown')} ${wordForUnknown(reals)}`)] : []),
  ]
  const table = document.kernel === 'memory' ? paint('yellow', 'memory table') : 'kernel table'
  return [
    [
      paint('bold', `lvsd ${document.version}`),
      `up ${formatUptime(now - Date.parse(document.startedAt))}`,
      dateTime(now),
      table,
      printable(document.config.file),
      paint('dim', `pid ${document.pid}`),
    ].join('  '),
    [
      `${counted(services.length, 'service')}, ${counted(reals.length, 'real server')}: ${counts.join(', ')}`,
      `${counted(schedule.jobs, 'check')}, late ${formatDuration(schedule.lateness.p99)}`,
      `read ${ago(reconcile.lastResync, now)}`,
    ].join(paint('dim', ' · ')),
  ]
}

/** Returns the word for servers in state unknown, which lasts from a start until the first pass or `fall` failures. */
function wordForUnknown(reals: readonly RealStatus[]): string {
  const unknown = reals.filter(({ state }) => state === 'unknown')
  const isAsked = unknown.some(({ checks }) => checks.some(({ last, noVerdict }) => last || noVerdict))
  return isAsked ? 'not judged yet' : 'not checked yet'
}

/** Minimum total milliseconds of stalls to report. Any busy machine delays a process by less. */
const STALL_WORTH_TELLING = 1000

function attention(document: StatusDocument, { now }: StatusView, paint: Paint): string[] {
  const { reconcile, config, schedule, sysctls } = document
  const { stalls, stalledFor } = schedule
  const worst = [
    ...isolation(document, now),
    ...keptConfiguration(document),
    ...refusedReload(document, now),
    ...reconcile.errors.map(printable),
    ...sysctls.flatMap(({ trouble }) => (trouble === null ? [] : printable(trouble))),
  ]
  const others = [
    ...missingVerdicts(document),
    ...lastingNames(document),
    ...reconcile.disputes.map(
      ({ service, since, changes }) =>
        `another program keeps changing ${service}: ${counted(changes, 'change')} reverted since ${shortTime(Date.parse(since), now)}`,
    ),
    ...(reconcile.driftRepaired > 0
      ? [`${counted(reconcile.driftRepaired, 'change')} by other programs reverted since the start`]
      : []),
    ...(config.warnings.length > 0
      ? [
          `${counted(config.warnings.length, 'note')} on the configuration: lvsd validate ${printable(config.file)}`,
        ]
      : []),
    ...(stalledFor >= STALL_WORTH_TELLING
      ? [
          `lvsd itself was held up ${counted(stalls, 'time')}, ${formatDuration(stalledFor)} in all; no server was blamed`,
        ]
      : []),
  ]
  return [
    ...worst.map(text => paint('red', `! ${text}`)),
    ...others.map(text => paint('yellow', `! ${text}`)),
  ]
}

function isolation({ isolation }: StatusDocument, now: number): string[] {
  if (!isolation) return []
  const since = shortTime(Date.parse(isolation.since), now)
  return [`lvsd is isolated since ${since}, failed checks do not count: ${printable(isolation.detail)}`]
}

function keptConfiguration({ config: { file, keptSince } }: StatusDocument): string[] {
  if (keptSince === null) return []
  const since = dateTime(Date.parse(keptSince))
  return [`${printable(file)} cannot run; the configuration accepted at ${since} runs until it is repaired`]
}

/** Returns lines about a refused reload: time, reason and the place of the first error. */
function refusedReload({ lastReload }: StatusDocument, now: number): string[] {
  if (!lastReload || lastReload.ok) return []
  const first = lastReload.problems.find(({ severity }) => severity === 'error')
  const place = first
    ? ` ${printable(`${first.file}:${first.at.line}:${first.at.column} ${first.message}`)};`
    : ''
  const at = shortTime(Date.parse(lastReload.at), now)
  return [`the last reload (${at}) was refused:${place} ${printable(lastReload.message)}`]
}

/** Maximum number of causes listed separately. The row of each server shows its own. */
const MOST_CAUSES = 5

/** Returns lines about servers with a check without a verdict, by cause. */
function missingVerdicts({ services }: StatusDocument): string[] {
  const names = new Map<string, Set<string>>()
  for (const service of services)
    for (const real of service.reals)
      for (const { noVerdict } of real.checks)
        if (noVerdict) {
          const ofCause = names.get(noVerdict.detail) ?? new Set()
          names.set(noVerdict.detail, ofCause.add(`${service.name} ${hostPort(real)}`))
        }
  const causes = [...names].map(([cause, reals]) => {
    const [first = ''] = reals
    const who = reals.size === 1 ? printable(first) : `${reals.size} servers`
    return `no verdict on ${who}: ${printable(cause)}`
  })
  const left = causes.length - MOST_CAUSES
  return left > 0 ? [...causes.slice(0, MOST_CAUSES), `no verdict for ${left} other reasons`] : causes
}

/**
 * Returns lines about names that no longer have the address in use, or whose servers stay unknown. The rows of the
 * servers show other problems with names.
 */
function lastingNames({ services }: StatusDocument): string[] {
  const troubles = new Map<string, Set<string>>()
  for (const { name, key, nameTrouble, reals } of services) {
    const parts = [{ address: key, nameTrouble, state: null }, ...reals]
    for (const { address, nameTrouble, state } of parts)
      if (nameTrouble !== null && (address !== null || state === 'unknown'))
        troubles.set(nameTrouble, (troubles.get(nameTrouble) ?? new Set()).add(name))
  }
  const lines = [...troubles].map(([trouble, names]) => {
    const [first = ''] = names
    return `${printable(names.size === 1 ? first : `${names.size} services`)}: ${printable(trouble)}`
  })
  const left = lines.length - MOST_CAUSES
  return left > 0 ? [...lines.slice(0, MOST_CAUSES), `${left} more names without an answer`] : lines
}

// ---------------------------------------------------------------- a service

function serviceBlock(service: ServiceStatus, view: StatusView, paint: Paint): string[] {
  return [titleOf(service, paint), ...realTable(service, view, paint), ...fallbackLine(service, view, paint)]
}

function titleOf(service: ServiceStatus, paint: Paint): string {
  const rate = service.counters ? `${service.counters.connections} connections` : ''
  const { totals, reals, state } = service
  return [
    ...(service.key !== null && isSameName(service.name, service.key)
      ? []
      : [paint('bold', printable(service.name))]),
    service.key ?? paint('red', printable(service.nameTrouble ?? 'its name does not resolve')),
    paint('dim', service.scheduler),
    ...(service.quiescent ? [paint('dim', 'quiescent')] : []),
    ...(state === 'down' ? [paint('red', `DOWN, ${totals.up} of ${reals.length} up`)] : []),
    ...(service.inKernel ? [] : [paint('yellow', 'not in the table')]),
    paint('dim', rate),
  ]
    .filter(Boolean)
    .join('  ')
}

function fallbackLine(
  { fallback, state, since }: ServiceStatus,
  { now }: StatusView,
  paint: Paint,
): string[] {
  const from = state === 'down' && since !== null ? ` since ${shortTime(Date.parse(since), now)}` : ''
  if (fallback?.inUse)
    return [paint('yellow', `  fallback ${hostWithAddress(fallback)} takes the traffic${from}`)]
  if (state !== 'down') return []
  const lack = fallback ? `fallback ${hostWithAddress(fallback)} is not in the table` : 'no fallback'
  return [paint('red', `  ${lack}: clients are refused${from}`)]
}

/** A column of the table of real servers. If the screen is narrow, columns with the highest rank are omitted first. */
interface Column {
  readonly title: string
  readonly rank: number
  readonly side?: 'right'
  readonly cell: (real: RealStatus, now: number) => string
  readonly paint?: (text: string, real: RealStatus, paint: Paint) => string
}

const COLUMNS: readonly Column[] = [
  {
    title: 'STATE',
    rank: 0,
    cell: real => real.state,
    paint: (text, real, paint) => paint(STATE_STYLE[real.state], text),
  },
  { title: 'FOR', rank: 1, side: 'right', cell: (real, now) => formatUptime(now - Date.parse(real.since)) },
  { title: 'SERVER', rank: 0, cell: hostWithAddress },
  { title: 'FORWARD', rank: 5, cell: real => real.forwarding },
  { title: 'WEIGHT', rank: 2, side: 'right', cell: real => weight(real.weight.wanted) },
  {
    title: 'KERNEL',
    rank: 3,
    side: 'right',
    cell: real => weight(real.weight.kernel),
    paint: (text, { weight: { wanted, kernel } }, paint) =>
      wanted === kernel ? text : paint('yellow', text),
  },
  { title: 'ACTIVE', rank: 4, side: 'right', cell: real => String(real.counters?.active ?? '-') },
  { title: 'INACT', rank: 4, side: 'right', cell: real => String(real.counters?.inactive ?? '-') },
  { title: 'SINCE', rank: 4, cell: (real, now) => shortTime(Date.parse(real.since), now) },
  { title: 'TOOK', rank: 6, side: 'right', cell: real => tookOf(real) },
]

/** Real servers that are down come first. */
const STATE_ORDER = { down: 0, unknown: 1, up: 2 } as const
const GAP = 2
const RANKS = [6, 5, 4, 3, 2, 1, 0]
/**
 * Highest rank of the essential columns: state, time, address and both weights. The last result needs a line of its own
 * if these do not fit beside it.
 */
const NEEDFUL = 3
/**
 * Minimum width for the last result beside the other columns. With less room it is printed on the next line, if needed.
 */
const RESULT_MIN = 24

function realTable(service: ServiceStatus, { width, now }: StatusView, paint: Paint): string[] {
  if (service.reals.length === 0) return [paint('dim', '  no real servers')]
  const reals = [...service.reals].sort((one, other) => STATE_ORDER[one.state] - STATE_ORDER[other.state])
  const { columns, widths, left } = roomFor(reals, width, now)
  const line = (texts: readonly string[]) => `  ${texts.join(' '.repeat(GAP))}`.trimEnd()
  const head = columns.map((column, i) => pad(column.title, widths[i] ?? 0, column.side))
  return [
    paint('dim', line([...head, ...(left > 0 ? ['LAST RESULT'] : [])])),
    ...reals.flatMap(real => {
      const cells = columns.map((column, i) => {
        const text = pad(column.cell(real, now), widths[i] ?? 0, column.side)
        return column.paint?.(text, real, paint) ?? text
      })
      const result = printable(real.reason)
      const isShort = real.state !== 'down' || widthOf(result) <= left
      if (left > 0 && isShort) return [line([...cells, paintResult(clip(result, left), real, paint)])]
      const below = real.state === 'up' && isSteady(real) ? [] : [`    ${paintResult(result, real, paint)}`]
      return [line(cells), ...below]
    }),
  ]
}

/**
 * Returns the largest set of columns that leaves room for the last result. If even the essential ones do not, `left` is
 * 0.
 */
function roomFor(reals: readonly RealStatus[], width: number, now: number) {
  const layouts = RANKS.map(rank => {
    const columns = COLUMNS.filter(column => column.rank <= rank)
    const cells = reals.map(real => columns.map(column => column.cell(real, now)))
    const widths = widthsOf([columns.map(column => column.title), ...cells])
    return { rank, columns, widths, left: width - widths.reduce((sum, each) => sum + each + GAP, GAP) }
  })
  const beside = layouts.find(({ rank, left }) => rank >= NEEDFUL && left >= RESULT_MIN)
  const below = layouts.find(({ left }) => left + GAP >= 0) ?? layouts.at(-1)
  return beside ?? { columns: [], widths: [], ...below, left: 0 }
}

function paintResult(text: string, real: RealStatus, paint: Paint): string {
  if (real.state === 'down') return paint('red', text)
  return paint(isSteady(real) ? 'dim' : 'yellow', text)
}

/** True if all checks are up with a verdict, and no state is about to change. */
function isSteady({ checks }: RealStatus): boolean {
  return !checks.some(check => check.streak > 0 || check.state !== 'up' || check.noVerdict)
}

function tookOf(real: RealStatus): string {
  const times = real.checks.flatMap(check => (check.last ? [check.last.ms] : []))
  return times.length > 0 ? formatDuration(Math.max(...times)) : '-'
}

function weight(value: number | null): string {
  return value === null ? '-' : String(value)
}

function ago(at: string | null, now: number): string {
  return at === null ? 'not yet' : `${formatUptime(now - Date.parse(at))} ago`
}
