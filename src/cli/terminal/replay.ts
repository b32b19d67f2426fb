/** Formats a replay for people, and as JSON. Pure. */
import type { Outage, ReplayedServer, ReplayReport, ReplaySide } from '../../simulate/replay-report.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { dateTime, formatUptime, shortTime } from '../../util/time-text.js'
import { columns } from './columns.js'

/** Outages of a server that are listed. */
const MOST_OUTAGES = 5
/** Names of checks that are listed. */
const MOST_NAMES = 10

const HEAD = ['real server', 'removals', 'would be', 'out of service', 'would be', 'false', 'would be']

export function renderReplay(report: ReplayReport, { all }: { readonly all: boolean }): string {
  const { servers, file } = report
  const different = servers.filter(({ isSame }) => !isSame)
  const shown = all ? servers : different
  const verdict = `${different.length} of ${counted(servers.length, 'real server')} would have been different with ${file}`
  const table = columns([HEAD, ...shown.map(rowOf), totalOf(servers)], { right: [1, 2, 3, 4, 5, 6] })
  return [
    headOf(report),
    verdict,
    ...(servers.length > 0 ? ['', table] : []),
    ...shown.flatMap(server => outagesOf(server, report.to)),
    ...notesOf(report),
  ].join('\n')
}

/** Returns the comparison as JSON. Times are milliseconds of the wall clock. */
export function replayAsJson(report: ReplayReport): string {
  return JSON.stringify({ schema: 1, ...report }, null, 2)
}

function headOf({ recording, from, to, isComplete, runs, checks, changes }: ReplayReport): string {
  const end = isComplete ? '' : ', interrupted'
  const total = changes.added + changes.changed + changes.removed
  return `${recording}: ${dateTime(from)} to ${dateTime(to)} (${formatUptime(to - from)}${end})
${counted(checks, 'check')}, ${counted(runs, 'run')}, ${counted(total, 'change')} of the table`
}

function rowOf({ name, was, would }: ReplayedServer): string[] {
  return [printable(name), ...cellsOf(was, would)]
}

function cellsOf(was: ReplaySide, would: ReplaySide | null): string[] {
  const pairs: readonly ((side: ReplaySide) => string)[] = [
    ({ outages }) => String(outages.length),
    ({ outMs }) => formatUptime(outMs),
    ({ outages }) => String(outages.filter(({ isFalse }) => isFalse).length),
  ]
  return pairs.flatMap(text => [text(was), would ? text(would) : '-'])
}

function totalOf(servers: readonly ReplayedServer[]): string[] {
  const sum = (sides: readonly ReplaySide[]): ReplaySide => ({
    outages: sides.flatMap(({ outages }) => outages),
    outMs: sides.reduce((total, { outMs }) => total + outMs, 0),
  })
  const sides = (of: (server: ReplayedServer) => ReplaySide | null) => servers.flatMap(one => of(one) ?? [])
  return ['all', ...cellsOf(sum(sides(one => one.was)), sum(sides(one => one.would)))]
}

function outagesOf({ name, was, would }: ReplayedServer, now: number): readonly string[] {
  const line = (side: ReplaySide | null) => {
    if (side === null) return 'not in the configuration'
    const left = side.outages.length - MOST_OUTAGES
    const shown = side.outages.slice(0, MOST_OUTAGES).map(outage => outageText(outage, now))
    return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('; ') || 'not removed'
  }
  return ['', printable(name), `  was:      ${line(was)}`, `  would be: ${line(would)}`]
}

function outageText({ from, to, isFalse }: Outage, now: number): string {
  const length = to === null ? 'to the end' : `for ${formatUptime(to - from)}`
  return `${shortTime(from, now)} ${length}${isFalse ? ' (false)' : ''}`
}

function notesOf(report: ReplayReport): readonly string[] {
  const { missing, unrecorded, hasPolicies, notRecorded, notConfigured, runs } = report
  const of = (count: number) => `${count} of ${counted(runs, 'run')} had no result`
  const notes = [
    missing.shorterInterval > 0 &&
      `${of(missing.shorterInterval)}: the recording has none, because checks ran less often. What they would have found is not known.`,
    missing.longerTimeout > 0 &&
      `${of(missing.longerTimeout)}: the recorded run timed out earlier. Whether an answer would have come is not known.`,
    unrecorded > 0 &&
      `Nothing was recorded for ${formatUptime(unrecorded)}; states stay as they were meanwhile.`,
    !hasPolicies &&
      'The recording does not say how often checks ran: the intervals of the configuration are assumed.',
    notRecorded.length > 0 && `Checks without a recording: ${listed(notRecorded)}`,
    notConfigured.length > 0 && `Recorded, but not in the configuration: ${listed(notConfigured)}`,
  ]
  const shown = notes.filter(note => note !== false)
  return shown.length > 0 ? ['', ...shown] : []
}

function listed(names: readonly string[]): string {
  const left = names.length - MOST_NAMES
  return printable(`${names.slice(0, MOST_NAMES).join(', ')}${left > 0 ? ` and ${left} more` : ''}`)
}
