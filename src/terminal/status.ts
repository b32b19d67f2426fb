/** The status document as a table for people. Pure: the width, the colours and the time are handed in. */
import type { RealStatus, ServiceStatus, StatusDocument } from '../status.js'
import { clip, pad, widthOf, widthsOf } from './columns.js'
import { hostPort, isSameName } from './names.js'
import { type Paint, painter, STATE_STYLE } from './paint.js'
import { printable } from './printable.js'
import { span, took } from './time.js'

export interface StatusView {
  /** Columns to fill at most. */
  readonly width: number
  readonly colour: boolean
  /** Wall-clock milliseconds. */
  readonly now: number
}

/** Head, a block for each service, and what needs attention. */
export function renderStatus(document: StatusDocument, view: StatusView): string {
  const paint = painter(view.colour)
  const blocks = document.services.map(service => serviceBlock(service, view, paint))
  const parts = [headLines(document, view, paint), ...blocks, attention(document, paint)]
  const lines = parts.flatMap(part => (part.length > 0 ? [...part, ''] : []))
  return lines
    .slice(0, -1)
    .map(line => clip(line, view.width))
    .join('\n')
}

// ---------------------------------------------------------------- the daemon

function headLines(document: StatusDocument, { now }: StatusView, paint: Paint): string[] {
  const { schedule, reconcile, services } = document
  const reals = services.flatMap(service => service.reals)
  const count = (state: string) => reals.filter(real => real.state === state).length
  const counts = [
    paint('green', `${count('up')} up`),
    paint(count('down') > 0 ? 'red' : 'dim', `${count('down')} down`),
    ...(count('unknown') > 0 ? [paint('yellow', `${count('unknown')} not checked yet`)] : []),
  ]
  const table = document.kernel === 'memory' ? paint('yellow', 'memory table') : 'kernel table'
  return [
    [
      paint('bold', `lvsd ${document.version}`),
      `up ${span(now - Date.parse(document.startedAt))}`,
      table,
      printable(document.config.file),
      paint('dim', `pid ${document.pid}`),
    ].join('  '),
    [
      `${services.length} ${plural(services.length, 'service')}, ${reals.length} real ${plural(reals.length, 'server')}: ${counts.join(', ')}`,
      `${schedule.jobs} ${plural(schedule.jobs, 'check')}, late ${took(schedule.lateness.p99)}`,
      `read ${ago(reconcile.lastResync, now)}`,
    ].join(paint('dim', ' · ')),
  ]
}

/** Milliseconds in all; every busy machine holds a process up for less. */
const STALL_WORTH_TELLING = 1000

function attention({ reconcile, config, lastReload, schedule }: StatusDocument, paint: Paint): string[] {
  return [
    ...reconcile.errors.map(error => paint('red', `! ${printable(error)}`)),
    ...(lastReload?.ok === false
      ? [paint('red', `! the last reload was refused: ${printable(lastReload.message)}`)]
      : []),
    ...(reconcile.driftRepaired > 0
      ? [paint('yellow', `! ${reconcile.driftRepaired} changes by others were put right since the start`)]
      : []),
    ...(config.warnings.length > 0
      ? [
          paint(
            'yellow',
            `! ${config.warnings.length} notes on the configuration: lvsd validate ${config.file}`,
          ),
        ]
      : []),
    ...(schedule.stalledFor >= STALL_WORTH_TELLING
      ? [
          paint(
            'yellow',
            `! lvsd itself was held up ${schedule.stalls} ${plural(schedule.stalls, 'time')}, ${took(schedule.stalledFor)} in all; no server was blamed`,
          ),
        ]
      : []),
    ...(schedule.noVerdicts > 0
      ? [
          paint(
            'yellow',
            `! ${schedule.noVerdicts} checks could not be made: no descriptor left (LimitNOFILE)`,
          ),
        ]
      : []),
  ]
}

// ---------------------------------------------------------------- a service

function serviceBlock(service: ServiceStatus, view: StatusView, paint: Paint): string[] {
  return [titleOf(service, paint), ...realTable(service, view, paint), ...fallbackLine(service, paint)]
}

function titleOf(service: ServiceStatus, paint: Paint): string {
  const rate = service.counters ? `${service.counters.connections} connections` : ''
  return [
    ...(service.key !== null && isSameName(service.name, service.key)
      ? []
      : [paint('bold', printable(service.name))]),
    service.key ?? paint('red', 'its name does not resolve'),
    paint('dim', service.scheduler),
    ...(service.quiescent ? [paint('dim', 'quiescent')] : []),
    ...(service.inKernel ? [] : [paint('yellow', 'not in the table')]),
    paint('dim', rate),
  ]
    .filter(Boolean)
    .join('  ')
}

function fallbackLine({ fallback }: ServiceStatus, paint: Paint): string[] {
  if (!fallback?.inUse) return []
  return [paint('yellow', `  fallback ${hostPort(fallback)} takes the traffic`)]
}

/** A column of the table of real servers; those with the highest rank are left out first where room is short. */
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
  { title: 'FOR', rank: 1, side: 'right', cell: (real, now) => span(now - Date.parse(real.since)) },
  { title: 'SERVER', rank: 0, cell: hostPort },
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
  { title: 'TOOK', rank: 6, side: 'right', cell: real => tookOf(real) },
]

const GAP = 2
const RANKS = [6, 5, 4, 3, 2, 1, 0]
/** State, time, address and both weights: a result stands beside no less. */
const NEEDFUL = 3
/** Columns that the last result must have to stand beside the rest; with less it goes below, where it is needed. */
const RESULT_MIN = 24

function realTable(service: ServiceStatus, { width, now }: StatusView, paint: Paint): string[] {
  if (service.reals.length === 0) return [paint('dim', '  no real servers')]
  const { columns, widths, left } = roomFor(service.reals, width, now)
  const line = (texts: readonly string[]) => `  ${texts.join(' '.repeat(GAP))}`.trimEnd()
  const head = columns.map((column, i) => pad(column.title, widths[i] ?? 0, column.side))
  return [
    paint('dim', line([...head, ...(left > 0 ? ['LAST RESULT'] : [])])),
    ...service.reals.flatMap(real => {
      const cells = columns.map((column, i) => {
        const text = pad(column.cell(real, now), widths[i] ?? 0, column.side)
        return column.paint?.(text, real, paint) ?? text
      })
      const result = printable(real.reason)
      const isShort = real.state !== 'down' || widthOf(result) <= left
      if (left > 0 && isShort) return [line([...cells, paintResult(clip(result, left), real, paint)])]
      const below = real.state === 'up' ? [] : [`    ${paintResult(result, real, paint)}`]
      return [line(cells), ...below]
    }),
  ]
}

/** As many columns as leave room for the last result; where even the needful ones do not, it gets lines of its own. */
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
  return real.checks.some(check => check.streak > 0) ? paint('yellow', text) : paint('dim', text)
}

function tookOf(real: RealStatus): string {
  const times = real.checks.flatMap(check => (check.last ? [check.last.ms] : []))
  return times.length > 0 ? took(Math.max(...times)) : '-'
}

function weight(value: number | null): string {
  return value === null ? '-' : String(value)
}

function ago(at: string | null, now: number): string {
  return at === null ? 'not yet' : `${span(now - Date.parse(at))} ago`
}

function plural(count: number, word: string): string {
  return count === 1 ? word : `${word}s`
}
