/** Formats the status document as a table for people. Pure: width, colours and time are parameters. */

import type { RealStatus, ServiceStatus, StatusDocument } from '../../api/status-types.js'
import { hostPort, hostWithAddress, isSameName } from '../../core/display-names.js'
import { type Paint, painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { widthOf } from '../../util/text-width.js'
import { dateTime, duration, formatDuration, formatUptime, shortTime } from '../../util/time-text.js'
import { clip, pad, widthsOf } from './columns.js'
import type { ListSection } from './list-view.js'
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
  const blocks = statusSections(document, view).map(({ head, items, foot }) => [
    ...head,
    ...items.flatMap(({ lines }) => lines),
    ...foot,
  ])
  const lines = [...statusHead(document, view), ...blocks].flatMap(part =>
    part.length > 0 ? [...part, ''] : [],
  )
  return lines
    .slice(0, -1)
    .map(line => clip(line, view.width))
    .join('\n')
}

/** Returns the block about the daemon, and the block of problems, which may be empty. */
export function statusHead(document: StatusDocument, view: StatusView): readonly (readonly string[])[] {
  const paint = painter(view.colour)
  return [headLines(document, view, paint), attention(document, view, paint)]
}

/** Returns a section for each service. Services and servers that need attention come first. */
export function statusSections(document: StatusDocument, view: StatusView): readonly ListSection[] {
  const paint = painter(view.colour)
  return [...document.services]
    .sort((one, other) => rankOf(one) - rankOf(other))
    .map(service => sectionOf(service, view, paint))
}

/** Order of services: down or in panic, with a server down, with another server that needs attention, the rest. */
function rankOf({ state, panic, totals, reals }: ServiceStatus): number {
  if (state === 'down' || panic) return 0
  if (totals.down > 0) return 1
  return reals.every(isQuiet) ? 3 : 2
}

/** True if nothing about the server needs attention. */
export function isQuiet(real: RealStatus): boolean {
  const { state, override, nameTrouble, weight } = real
  const isPlain = override === null && nameTrouble === null && weight.wanted === weight.kernel
  return state === 'up' && isPlain && isSteady(real)
}

// ---------------------------------------------------------------- the daemon

/** A part of a line. In a narrow window, parts with the highest rank are left out first. */
type Part = readonly [rank: number, text: string]

/** Joins the largest set of parts that fits, in their order. */
function fitted(parts: readonly Part[], separator: string, width: number): string {
  const ranks = [...new Set(parts.map(([rank]) => rank))].sort((one, other) => other - one)
  const lines = ranks.map(most =>
    parts.flatMap(([rank, text]) => (rank <= most ? [text] : [])).join(separator),
  )
  return lines.find(line => widthOf(line) <= width) ?? lines.at(-1) ?? ''
}

/** Returns `3 down`, or `3 down (1 overridden)`. */
function countText(reals: readonly RealStatus[], state: RealStatus['state'], word: string): string {
  const found = reals.filter(real => real.state === state)
  const overridden = found.filter(({ override }) => override !== null).length
  return `${found.length} ${word}${overridden > 0 ? ` (${overridden} overridden)` : ''}`
}

const TABLE_NOTES = {
  reconcile: '',
  keep: '; the table is not changed',
  empty: '; the services of lvsd are not in the table',
}
const CHECK_NOTES = { on: '', slow: '; checks are slow', off: '; checks are off' }

function roleLine({ cluster }: StatusDocument, now: number): string[] {
  if (!cluster) return []
  const { role, site, since, reason, table, checks } = cluster
  const notes = `${TABLE_NOTES[table]}${CHECK_NOTES[checks]}`
  return [
    `${role} in ${site} since ${shortTime(Date.parse(since), now)}: ${printable(reason)}${notes}`,
    ...redisLine(cluster.redis),
    ...syncLine(cluster.sync),
  ]
}

function syncLine(sync: NonNullable<StatusDocument['cluster']>['sync']): string[] {
  if (!sync || sync.trouble !== null) return []
  const daemons = sync.daemons.map(
    ({ state, interface: link, id }) => `${state} on ${printable(link)}, syncid ${id}`,
  )
  return [`sync daemon: ${daemons.join('; ') || 'none'}`]
}

/** While Redis is away, that is among what needs attention. */
function redisLine(redis: NonNullable<StatusDocument['cluster']>['redis']): string[] {
  if (!redis || redis.state === 'away') return []
  const { place, version } = redis
  if (redis.state === 'connecting') return [`connecting to Redis at ${printable(place)}`]
  return [`Redis${version === null ? '' : ` ${printable(version)}`} at ${printable(place)}: connected`]
}

function redisTrouble({ cluster }: StatusDocument, now: number): string[] {
  const { redis = null } = cluster ?? {}
  if (redis?.state !== 'away') return []
  const since = shortTime(Date.parse(redis.since), now)
  return [`Redis at ${printable(redis.place)} is away since ${since}: ${printable(redis.detail ?? '')}`]
}

function headLines(document: StatusDocument, { now, width }: StatusView, paint: Paint): string[] {
  const { schedule, reconcile, services } = document
  const reals = services.flatMap(service => service.reals)
  const has = (state: string) => reals.some(real => real.state === state)
  const counts = [
    paint('green', countText(reals, 'up', 'up')),
    paint(has('down') ? 'red' : 'dim', countText(reals, 'down', 'down')),
    ...(has('unknown') ? [paint('yellow', countText(reals, 'unknown', wordForUnknown(reals)))] : []),
  ]
  const table = document.kernel === 'memory' ? paint('yellow', 'memory table') : 'kernel table'
  return [
    fitted(
      [
        [0, paint('bold', `lvsd ${document.version}`)],
        [1, `up ${formatUptime(now - Date.parse(document.startedAt))}`],
        [0, dateTime(now)],
        [document.kernel === 'memory' ? 0 : 3, table],
        [2, printable(document.config.file)],
        [4, paint('dim', `pid ${document.pid}`)],
      ],
      '  ',
      width,
    ),
    ...roleLine(document, now),
    fitted(
      [
        [
          0,
          `${counted(services.length, 'service')}, ${counted(reals.length, 'real server')}: ${counts.join(', ')}`,
        ],
        [3, `${counted(schedule.jobs, 'check')}, late ${formatDuration(schedule.lateness.p99)}`],
        [2, `read ${ago(reconcile.lastResync, now)}`],
      ],
      paint('dim', ' · '),
      width,
    ),
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
  const { stalls, stalledFor, sinceStall } = schedule
  const worst = [
    ...roleTrouble(document),
    ...redisTrouble(document, now),
    ...lostNetwork(document, now),
    ...isolation(document, now),
    ...panics(document, now),
    ...keptConfiguration(document),
    ...refusedReload(document, now),
    ...reconcile.errors.map(printable),
    ...sysctls.flatMap(({ trouble }) => (trouble === null ? [] : printable(trouble))),
    ...failingAlerts(document),
  ]
  const others = [
    ...silentPings(document),
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
          `lvsd was held up ${counted(stalls, 'time')}, ${formatDuration(stalledFor)} in all, last ${formatUptime(sinceStall ?? 0)} ago; no server was blamed`,
        ]
      : []),
  ]
  return [
    ...worst.map(text => paint('red', `! ${text}`)),
    ...others.map(text => paint('yellow', `! ${text}`)),
  ]
}

function failingAlerts({ alerts }: StatusDocument): string[] {
  const failing = (alerts?.destinations ?? []).filter(({ isFailing }) => isFailing)
  return failing.map(
    ({ destination, lastError }) =>
      `alerts do not reach ${printable(destination)}: ${printable(lastError ?? 'no answer')}`,
  )
}

function roleTrouble({ cluster }: StatusDocument): string[] {
  return [cluster?.trouble, cluster?.activeTrouble, cluster?.sync?.trouble].flatMap(trouble =>
    trouble ? printable(trouble) : [],
  )
}

function lostNetwork({ cluster }: StatusDocument, now: number): string[] {
  const lost = cluster?.connectivity?.lost
  if (!lost) return []
  const since = shortTime(Date.parse(lost.since), now)
  return [`the network is lost since ${since}, the table stays: ${printable(lost.detail)}`]
}

/** Pinged addresses that do not answer while the network counts as there. */
function silentPings({ cluster }: StatusDocument): string[] {
  const { lost = null, pings = [] } = cluster?.connectivity ?? {}
  const silent = pings.filter(({ answers }) => answers === false)
  if (lost !== null || silent.length === 0) return []
  const [verb, names] = [silent.length === 1 ? 'does' : 'do', silent.map(({ address }) => printable(address))]
  return [`${names.join(', ')} ${verb} not answer pings; the network counts as there`]
}

function isolation({ isolation }: StatusDocument, now: number): string[] {
  if (!isolation) return []
  const since = shortTime(Date.parse(isolation.since), now)
  return [`lvsd is isolated since ${since}, failed checks do not count: ${printable(isolation.detail)}`]
}

function panics({ services }: StatusDocument, now: number): string[] {
  return services.flatMap(({ name, panic, reals }) => {
    if (!panic) return []
    const until = shortTime(Date.parse(panic.until), now)
    const count = `${panic.held.length} of ${reals.length} down`
    return [`${printable(name)}: panic, ${count} and held in the table, until ${until} at the latest`]
  })
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

function sectionOf(service: ServiceStatus, view: StatusView, paint: Paint): ListSection {
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
  const { totals, reals, state } = service
  return [
    ...(service.key !== null && isSameName(service.name, service.key)
      ? []
      : [paint('bold', printable(service.name))]),
    service.addresses
      ? `${service.addresses.length} addresses`
      : (service.key ?? paint('red', printable(service.nameTrouble ?? 'its name does not resolve'))),
    ...(service.panic ? [paint('red', 'PANIC')] : []),
    ...(state === 'down' ? [paint('red', `DOWN, ${totals.up} of ${reals.length} up`)] : []),
    ...(service.inKernel ? [] : [paint('yellow', 'not in the table')]),
    paint('dim', service.scheduler),
    paint('dim', rate),
    paint('dim', downWords(service)),
  ]
    .filter(Boolean)
    .join('  ')
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
  { width, now }: StatusView,
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
    // Why a server is down, and whose override it has, must not be cut off.
    const isWhole = real.state === 'down' || real.override !== null
    const isShort = !isWhole || widthOf(result) <= left
    if (left > 0 && isShort) return [line([...cells, paintResult(clip(result, left), real, paint)])]
    const below = isQuiet(real) ? [] : [`    ${paintResult(result, real, paint)}`]
    return [line(cells), ...below]
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

function ago(at: string | null, now: number): string {
  return at === null ? 'not yet' : `${formatUptime(now - Date.parse(at))} ago`
}
