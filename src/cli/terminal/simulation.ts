/** Formats the report of a simulation for people, and as JSON. Pure. */
import type { Summary } from '../../simulate/distribution.js'
import type { SimulationReport, TableChanges } from '../../simulate/simulation-report.js'
import { counted } from '../../util/plural.js'
import { formatDuration, formatSpan, formatUptime } from '../../util/time-text.js'
import { columns } from './columns.js'

const SECOND = 1000
const HOUR = 3_600_000
/** Share of the time that lvsd is stopped for want of a processor, and lateness in milliseconds: beyond, it is full. */
const MOST_STALLED = 0.01
const MOST_LATE = 1000

/** Figures that follow from a report. */
function derived(report: SimulationReport) {
  const { runs, simulated, cost, run, stalledFor, lateness, ended } = report
  const seconds = simulated / 1000
  const hours = simulated / HOUR
  return {
    checksPerSecond: seconds > 0 ? runs / seconds : 0,
    /** Share of one processor that the checks take. */
    load: seconds > 0 ? (runs * cost) / simulated : 0,
    /** What these runs take of the processor in scheduler, health and table, computed from those that were measured. */
    cpuSecondsPerHour: hours > 0 ? (runs * run.measured.microsecondsEach) / 1e6 / hours : 0,
    runsPerSecond: run.runs / run.seconds,
    isFull: ended === 'full' || stalledFor > MOST_STALLED * simulated || lateness.p99 > MOST_LATE,
  }
}

export function renderSimulation(report: SimulationReport): string {
  const { start, counts, run } = report
  const { load, cpuSecondsPerHour, checksPerSecond, runsPerSecond, isFull } = derived(report)
  const unseen = counts.unseen === 0 ? '' : `, ${grouped(counts.unseen)} of them before a check told`
  const processor = load > 0 ? `, ${percent(load)} of one processor` : ''
  const rows = [
    [
      'start',
      `${startText(report)}; ${changesText(start.changes)} in ${groupedCount(start.messages, 'message')} to the kernel`,
    ],
    ['failures', `${grouped(counts.begun)} began, ${grouped(counts.repaired)} ended${unseen}`],
    [
      'removals',
      `${grouped(counts.removals)}, false: ${grouped(counts.falseRemovals)}; returns: ${grouped(counts.returns)}`,
    ],
    ...(report.hints.sentinels > 0 ? [['hints', hintsText(report)]] : []),
    ['damping', `${groupedCount(counts.held, 'time')} a server was held down`],
    [
      'changes',
      `${changesText(report.changes)} in ${groupedCount(report.messages, 'message')} to the kernel`,
    ],
    ['checks', `${grouped(report.runs)}, ${rateText(checksPerSecond)} per second${processor}`],
    [
      'this run',
      `${spanText(run.seconds * 1000)}, CPU ${formatDuration(run.cpuSeconds * 1000)}, ${Math.round(run.highestRss / 2 ** 20)} MB, ${rateText(runsPerSecond)} checks per second`,
    ],
    ['', countedText(run)],
    [
      'CPU',
      `${formatDuration(cpuSecondsPerHour * 1000)} per simulated hour in scheduler, health and table, computed from ${run.measured.microsecondsEach.toFixed(1)}µs for each of ${groupedCount(run.measured.runs, 'check')}`,
    ],
  ]
  const times = [
    ['', 'count', 'p50', 'p90', 'p99', 'max'],
    summaryRow('detection', report.detection),
    summaryRow(report.hints.withoutKnocking ? 'return, without knocking' : 'return', report.recovery),
    summaryRow('lateness of checks', report.lateness),
  ]
  return [
    `${report.file}: ${groupedCount(report.services, 'service')}, ${groupedCount(report.reals, 'real server')}, ${groupedCount(report.checks, 'check')}`,
    `${specText(report)}; seed ${report.seed}`,
    endText(report),
    '',
    columns(rows),
    '',
    columns(times, { right: [1, 2, 3, 4, 5] }),
    ...(isFull ? ['', FULL] : []),
    ...report.refusals.map(refusal => `\nthe kernel would refuse: ${refusal}`),
  ].join('\n')
}

const FULL =
  'One director is full: checks are late. Longer intervals, or "cluster: observers", which shares checks among directors.'

/** Returns the report as JSON. Times are milliseconds. */
export function simulationAsJson(report: SimulationReport): string {
  const { mttf } = report.failures
  const failures = { ...report.failures, mttf: Number.isFinite(mttf) ? mttf : null }
  return JSON.stringify({ schema: 1, ...report, failures, derived: derived(report) }, null, 2)
}

function countedText({ runs, counted: known }: SimulationReport['run']): string {
  if (known === 0) return `every check was run`
  return `${grouped(runs - known)} checks were run; ${grouped(known)} were sure to change nothing and counted`
}

function startText({ start: { ms, waiting } }: SimulationReport): string {
  if (waiting === 0) return `all checked after ${formatDuration(ms)}`
  return `${groupedCount(waiting, 'check')} without a result after ${formatDuration(ms)}`
}

function hintsText({ hints: { sentinels, given, broughtForward, dropped } }: SimulationReport): string {
  const lost = dropped === 0 ? '' : `, ${grouped(dropped)} dropped`
  return `${grouped(given)} from ${groupedCount(sentinels, 'sentinel')}, ${groupedCount(broughtForward, 'check')} brought forward${lost}`
}

function endText({ ended, simulated, wanted, run }: SimulationReport): string {
  const real = spanText(run.seconds * 1000)
  if (ended === 'complete') return `simulated ${spanText(simulated)} in ${real}`
  const why = {
    time: 'the time of --within is over',
    interrupted: 'interrupted',
    full: 'the start did not end',
  }[ended]
  const part = `simulated ${spanText(simulated)} of ${spanText(wanted)} in ${real}: ${why}`
  if (ended !== 'time' || simulated === 0) return part
  // As if the start took no time, so that it is rather too long.
  const whole = spanText((run.seconds * 1000 * wanted) / simulated)
  return `${part}; all of it takes about ${whole}`
}

function changesText({ added, changed, removed }: TableChanges): string {
  return `${groupedCount(added + changed + removed, 'change')} of the table (${grouped(added)} added, ${grouped(changed)} changed, ${grouped(removed)} removed)`
}

function summaryRow(name: string, { count, p50, p90, p99, max }: Summary): string[] {
  const times = [p50, p90, p99, max].map(ms => (count === 0 ? '-' : formatDuration(ms)))
  return [name, grouped(count), ...times]
}

/** The hint is there where it counts. */
function specText({ failures, hints }: SimulationReport): string {
  const { mttf, mttr, flapping, flap, slow, silent, false: wrong, latency, hint } = failures
  const times = [
    `mttf ${spanText(mttf)}`,
    `mttr ${spanText(mttr)}`,
    `flapping ${percent(flapping)} (${spanText(flap)})`,
  ]
  const shares = [`slow ${percent(slow)}`, `silent ${percent(silent)}`, `false ${percent(wrong)}`]
  const rest = [`latency ${spanText(latency)}`, ...(hints.sentinels > 0 ? [`hint ${spanText(hint)}`] : [])]
  return `failures: ${[...times, ...shares, ...rest].join(', ')}`
}

/** Returns `2ms`, `7.2s`, `10m`, `2h05m` or `30d`. */
function spanText(ms: number): string {
  if (!Number.isFinite(ms)) return 'never'
  const isRound = Math.round(ms) % SECOND === 0
  if (ms < SECOND && !isRound) return `${Math.max(1, Math.round(ms))}ms`
  const text = isRound ? formatUptime(Math.round(ms)) : formatSpan(ms)
  // Without a second unit that is 0.
  return text.replace(/(?<=[a-z])00[a-z]$/, '')
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`
}

/** Returns `1,234,567`. */
function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** Returns `1,234 checks`. */
function groupedCount(count: number, word: string): string {
  return counted(count, word).replace(String(count), grouped(count))
}

/** Returns `0.3` or `1,234`. */
function rateText(rate: number): string {
  return rate < 10 ? String(Number(rate.toPrecision(2))) : grouped(Math.round(rate))
}
