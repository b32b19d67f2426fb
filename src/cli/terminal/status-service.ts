/** A service and its real servers in the status for people. Pure. */
import type { RealStatus, ServiceStatus } from '../../api/status-types.js'
import { hostWithAddress, isSameName } from '../../core/display-names.js'
import type { Paint } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { widthOf } from '../../util/text-width.js'
import { duration, formatDuration, formatUptime, shortTime } from '../../util/time-text.js'
import { clip, pad, widthsOf } from './columns.js'
import { hanging } from './hanging.js'
import type { ListSection } from './list-view.js'
import { STATE_STYLE } from './state-style.js'
import type { StatusView } from './status-view.js'

/** Returns the section of a service. */
export function sectionOf(service: ServiceStatus, view: StatusView, paint: Paint): ListSection {
  const { head, items } = realTable(service, view, paint)
  return {
    id: service.name,
    head: [
      titleOf(service, paint),
      ...addressLines(service, paint),
      ...conflictLines(service, paint),
      ...endedLines(service, view, paint),
      ...head,
    ],
    items,
    foot: fallbackLine(service, view, paint),
    words: [service.name, service.key ?? '', ...(service.addresses ?? []).map(({ key }) => key)]
      .join(' ')
      .toLowerCase(),
    quietWord: 'healthy',
  }
}

function titleOf(service: ServiceStatus, paint: Paint): string {
  const rate = service.counters ? counted(service.counters.connections, 'connection') : ''
  const { state } = service
  return [
    ...(service.key !== null && isSameName(service.name, service.key)
      ? []
      : [paint('bold', printable(service.name))]),
    service.addresses
      ? `${service.addresses.length} addresses`
      : (service.key ?? paint('red', printable(service.nameTrouble ?? 'its name does not resolve'))),
    ...(service.panic ? [paint('red', 'PANIC')] : []),
    ...(state === 'down' ? [paint('red', `DOWN, ${downCount(service)}`)] : []),
    ...(service.inKernel ? [] : [paint('yellow', 'not in the table')]),
    paint('dim', service.scheduler),
    paint('dim', rate),
    paint('dim', downWords(service)),
  ]
    .filter(Boolean)
    .join('  ')
}

/** Returns how many are up; where none that is up gets new connections, how many get some. */
function downCount({ totals, reals }: ServiceStatus): string {
  if (totals.up === 0) return `0 of ${reals.length} up`
  const serving = reals.filter(({ weight }) => (weight.wanted ?? 0) > 0).length
  return `${serving} of ${reals.length} ${serving === 1 ? 'gets' : 'get'} new connections`
}

/** Returns a line for each address of a service with several. */
function addressLines({ addresses = [] }: ServiceStatus, paint: Paint): string[] {
  return addresses.map(({ key, state, inKernel, counters, fallback }) =>
    [
      `  ${key}`,
      ...(state === 'down' ? [paint('red', 'DOWN')] : []),
      ...(inKernel ? [] : [paint('yellow', 'not in the table')]),
      ...(fallback?.inUse ? [paint('yellow', `fallback ${hostWithAddress(fallback)}`)] : []),
      ...(counters ? [paint('dim', counted(counters.connections, 'connection'))] : []),
    ].join('  '),
  )
}

/** Returns a line for each other machine that answers for a virtual address of the service. */
function conflictLines({ conflicts = [] }: ServiceStatus, paint: Paint): string[] {
  return conflicts.map(({ text }) => `  ${paint('yellow', printable(text))}`)
}

/** Returns what becomes of servers that are down, if they are not all removed at once. */
function downWords({ onDown, quiescent }: ServiceStatus): string {
  if (!onDown) return quiescent ? 'quiescent' : ''
  const after = onDown.after === null ? '' : ` for ${duration(onDown.after)}`
  const words = { remove: 'removed', quiesce: `quiesced${after}` } as const
  const [dead, sick] = [words[onDown.dead], words[onDown.sick]]
  if (dead !== sick) return `dead ${dead}, sick ${sick}`
  return dead === words.remove ? '' : dead === 'quiesced' ? 'quiescent' : `down ${dead}`
}

/** Returns a line for each window that an operator has ended early: when, who, and for which server. */
function endedLines({ endedWindows = [] }: ServiceStatus, { now }: StatusView, paint: Paint): string[] {
  return endedWindows.map(({ real, window, at, who, until }) => {
    const [when, end] = [shortTime(Date.parse(at), now), shortTime(Date.parse(until), now)]
    const whose = real === null ? '' : ` for ${real}`
    const text = printable(`${window} ended early${whose} at ${when} by ${who}, planned until ${end}`)
    return `  ${paint('yellow', text)}`
  })
}

function fallbackLine(
  { fallback, state, since, addresses }: ServiceStatus,
  { now }: StatusView,
  paint: Paint,
): string[] {
  const from = state === 'down' && since !== null ? ` since ${shortTime(Date.parse(since), now)}` : ''
  if (addresses) return refusedLine(addresses, from, paint)
  if (fallback?.inUse)
    return [paint('yellow', `  fallback ${hostWithAddress(fallback)} takes the traffic${from}`)]
  if (state !== 'down') return []
  const lack = fallback ? `fallback ${hostWithAddress(fallback)} is not in the table` : 'no fallback'
  return [paint('red', `  ${lack}: clients are refused${from}`)]
}

/** The lines of the addresses show their fallbacks. */
function refusedLine(
  addresses: NonNullable<ServiceStatus['addresses']>,
  from: string,
  paint: Paint,
): string[] {
  const refused = addresses.filter(({ state, fallback }) => state === 'down' && !fallback?.inUse)
  if (refused.length === 0) return []
  return [paint('red', `  clients of ${refused.map(({ key }) => key).join(' and ')} are refused${from}`)]
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

const SERVER = COLUMNS.findIndex(({ title }) => title === 'SERVER')

/** Real servers that are down come first, then those with an override. */
const STATE_ORDER = { down: 0, unknown: 2, up: 3 } as const

function orderOf({ state, override }: RealStatus): number {
  return state === 'up' && override !== null ? 1 : STATE_ORDER[state]
}

const GAP = 2
/** Before a result on a line of its own. */
const INDENT = '    '
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

function realTable(
  service: ServiceStatus,
  { width, now, isWrapped = false }: StatusView,
  paint: Paint,
): Pick<ListSection, 'head' | 'items'> {
  if (service.reals.length === 0) return { head: [paint('dim', '  no real servers')], items: [] }
  const reals = [...service.reals].sort((one, other) => orderOf(one) - orderOf(other))
  const { rows, shown, columns, widths, left } = roomFor(reals, width, now)
  const line = (texts: readonly string[]) => `  ${texts.join(' '.repeat(GAP))}`.trimEnd()
  const head = columns.map((column, i) => pad(column.title, widths[i] ?? 0, column.side))
  const linesOf = (real: RealStatus, row: readonly string[]) => {
    const cells = columns.map((column, i) => {
      const text = pad(row[shown[i] ?? 0] ?? '', widths[i] ?? 0, column.side)
      return column.paint?.(text, real, paint) ?? text
    })
    const result = printable(real.reason)
    // Why a server is down, and whose override it has, must not be cut off; in a window nothing else has two lines.
    const isWhole = real.state === 'down' || real.override !== null || (isWrapped && isChanging(real))
    const isShort = !isWhole || widthOf(result) <= left
    if (left > 0 && isShort) return [line([...cells, paintResult(clip(result, left), real, paint)])]
    const texts = isWrapped ? hanging(INDENT, result, width) : [INDENT + result]
    const below = isQuiet(real) ? [] : texts
    return [line(cells), ...below.map(text => paintResult(text, real, paint))]
  }
  return {
    head: [paint('dim', line([...head, ...(left > 0 ? ['LAST RESULT'] : [])]))],
    items: reals.map((real, i) => ({
      id: `${service.name} ${real.name}`,
      lines: linesOf(real, rows[i] ?? []),
      words: `${service.name}/${rows[i]?.[SERVER]} ${real.state} ${real.reason}`.toLowerCase(),
      isQuiet: isQuiet(real),
    })),
  }
}

/**
 * Returns the largest set of columns that leaves room for the last result. If even the essential ones do not, `left` is
 * 0.
 */
function roomFor(reals: readonly RealStatus[], width: number, now: number) {
  const rows = reals.map(real => COLUMNS.map(column => column.cell(real, now)))
  const allWidths = widthsOf([COLUMNS.map(({ title }) => title), ...rows])
  const layouts = RANKS.map(rank => {
    const shown = COLUMNS.flatMap((column, i) => (column.rank <= rank ? [i] : []))
    const columns = shown.map(i => COLUMNS[i] as Column)
    const widths = shown.map(i => allWidths[i] ?? 0)
    return { rank, shown, columns, widths, left: width - widths.reduce((sum, each) => sum + each + GAP, GAP) }
  })
  const beside = layouts.find(({ rank, left }) => rank >= NEEDFUL && left >= RESULT_MIN)
  const below = layouts.find(({ left }) => left + GAP >= 0) ?? layouts.at(-1)
  return { rows, ...(beside ?? { shown: [], columns: [], widths: [], ...below, left: 0 }) }
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

/** True if a state is about to change. The lines above the services tell why there is no verdict. */
function isChanging({ checks }: RealStatus): boolean {
  return checks.some(({ streak }) => streak > 0)
}

/** True if nothing about the server needs attention. */
export function isQuiet(real: RealStatus): boolean {
  const { state, override, nameTrouble, weight } = real
  const isPlain = override === null && nameTrouble === null && weight.wanted === weight.kernel
  return state === 'up' && isPlain && isSteady(real)
}
