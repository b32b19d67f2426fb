/** Formats a replay for people, and as JSON. Pure. */
import type { Outage, ReplayedServer, ReplayReport, ReplaySide } from '../../simulate/replay-report.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { dateTime, formatSpan, formatUptime, shortTime } from '../../util/time-text.js'
import { columns } from './columns.js'

/** Outages of a server that are listed. */
const MOST_OUTAGES = 5
/** Names of checks that are listed. */
const MOST_NAMES = 10

const HEAD = ['real server', 'removals', 'would be', 'out of service', 'would be', 'false', 'would be']

export function renderReplay(report: ReplayReport, { all }: { readonly all: boolean }): string {
  const { servers } = report
  const shown = all ? servers : servers.filter(({ isSame }) => !isSame)
  const table = columns([HEAD, ...shown.map(rowOf), totalOf(servers)], { right: [1, 2, 3, 4, 5, 6] })
  return [
    headOf(report),
    verdictOf(report),
    ...(servers.length > 0 ? ['', table] : []),
    ...shown.flatMap(server => outagesOf(server, report.to)),
    ...notesOf(report),
  ].join('\n')
}

function verdictOf({ servers, file }: ReplayReport): string {
  const both = servers.filter(areBothKnown)
  const different = both.filter(({ isSame }) => !isSame).length
  const unknown = servers.length - both.length
  if (both.length === 0) return `${counted(unknown, 'real server')} cannot be compared with ${file}`
  const rest = unknown === 0 ? '' : `; ${unknown} more cannot be compared`
  return `${different} of ${counted(both.length, 'real server')} would have been different with ${file}${rest}`
}

type Compared = ReplayedServer & { readonly was: ReplaySide; readonly would: ReplaySide }

function areBothKnown(server: ReplayedServer): server is Compared {
  return server.was !== null && server.would !== null
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

function cellsOf(was: ReplaySide | null, would: ReplaySide | null): string[] {
  const pairs: readonly ((side: ReplaySide) => string)[] = [
    ({ outages }) => String(outages.length),
    ({ outMs }) => formatSpan(outMs),
    side => String(falseOf(side)),
  ]
  return pairs.flatMap(text => [was, would].map(side => (side ? text(side) : '-')))
}

function falseOf({ outages }: ReplaySide): number {
  return outages.filter(({ isFalse }) => isFalse).length
}

/** Servers of which one side is not known are left out: they would count as a difference. */
function totalOf(servers: readonly ReplayedServer[]): string[] {
  const both = servers.filter(areBothKnown)
  if (both.length === 0) return ['all', ...cellsOf(null, null)]
  return ['all', ...cellsOf(sumOf(both.map(({ was }) => was)), sumOf(both.map(({ would }) => would)))]
}

function sumOf(sides: readonly ReplaySide[]): ReplaySide {
  return {
    outages: sides.flatMap(({ outages }) => outages),
    outMs: sides.reduce((total, { outMs }) => total + outMs, 0),
  }
}

function outagesOf({ name, was, would, withoutRecording }: ReplayedServer, now: number): readonly string[] {
  const line = (side: ReplaySide) => {
    const left = side.outages.length - MOST_OUTAGES
    const shown = side.outages.slice(0, MOST_OUTAGES).map(outage => outageText(outage, now))
    return [...shown, ...(left > 0 ? [`and ${left} more`] : [])].join('; ') || 'not removed'
  }
  const why =
    withoutRecording.length > 0
      ? `not known: no recording of ${printable(withoutRecording.join(', '))}`
      : 'no check of it in the configuration'
  return [
    '',
    printable(name),
    `  was:      ${was ? line(was) : 'not in the recording'}`,
    `  would be: ${would ? line(would) : why}`,
  ]
}

function outageText({ from, to, isFalse }: Outage, now: number): string {
  const length = to === null ? 'to the end' : `for ${formatSpan(to - from)}`
  return `${shortTime(from, now)} ${length}${isFalse ? ' (false)' : ''}`
}

/** How far the comparison can be trusted. */
function controlOf({ servers, hasPolicies, isComplete }: ReplayReport): string | false {
  const both = servers.filter(areBothKnown)
  const events = sideText(sumOf(both.flatMap(server => server.events ?? [])))
  const byEvents = both.filter(({ wasBy }) => wasBy === 'events')
  const differing = both.filter(
    ({ was, would }) => String(cellsOf(was, null)) !== String(cellsOf(would, null)),
  )
  const isControlled = byEvents.length > 0 || events !== sideText(sumOf(both.map(({ was }) => was)))
  if (!isControlled && !differing.some(({ isSame }) => isSame)) return false
  const whose = listed(byEvents.map(({ name }) => name))
  const why = !isComplete
    ? 'the recorded policy was not replayed to the end'
    : hasPolicies
      ? 'a replay of the recorded policy does not give the same'
      : 'the recording has no policy to replay'
  const from =
    byEvents.length > 0
      ? `"was" is taken from them for ${whose}, because ${why}`
      : '"was" is a replay of the recorded policy, by the same steps as "would be"'
  const most = both.reduce((longest, { tolerance }) => Math.max(longest, tolerance), 0)
  return `Control: the recorded events give ${events}; ${from}. Differences of less than ${formatSpan(most)} for each removal mean nothing.`
}

function sideText(side: ReplaySide): string {
  return `${counted(side.outages.length, 'removal')}, ${formatSpan(side.outMs)} out of service, ${falseOf(side)} false`
}

function notesOf(report: ReplayReport): readonly string[] {
  const { missing, unrecorded, hasPolicies, notRecorded, notConfigured, runs } = report
  const of = (count: number) => `${count} of ${counted(runs, 'run')} had no result`
  const notes = [
    controlOf(report),
    missing.shorterInterval > 0 &&
      `${of(missing.shorterInterval)}: the recording has none, because checks ran less often or began anew. What they would have found is not known.`,
    missing.gap > 0 && `${of(missing.gap)}: nothing was recorded at that time, or not of that check.`,
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
