/** Formats the results of `lvsd probe` for people. Pure. */

import { hostWithAddress } from '../../core/display-names.js'
import type { CheckResult, HealthState } from '../../core/model.js'
import { phaseSpans } from '../../core/phase-spans.js'
import { type Paint, painter } from '../../util/paint.js'
import { counted } from '../../util/plural.js'
import { printable } from '../../util/printable.js'
import { formatDuration } from '../../util/time-text.js'
import { columns } from './columns.js'

/** One check of one real server of one service, run once. */
export interface Probed {
  readonly service: string
  /** `[2001:db8::1]:80`, or the name as written. */
  readonly real: string
  readonly check: string
  /** Address and port that were checked; null if a name does not resolve. */
  readonly target: string | null
  readonly result: CheckResult
  /** True if it was not run, because it goes through the path of its service. It counts for nothing. */
  readonly isLeftOut?: true
}

/** State of one real server that follows from its checks. */
export interface ProbedServer {
  readonly service: string
  readonly real: string
  readonly host: string
  /** `[2001:db8::1]`; null if its name does not resolve. */
  readonly address: string | null
  readonly port: number
  readonly state: HealthState
  readonly passed: number
  /** Those that were run. */
  readonly checks: number
  /** Number of checks that were not run, because they go through the path of the service. */
  readonly leftOut?: number
  /** Number of checks that must pass. */
  readonly need: number
  /** Weight in the desired table; null if the server is not up. */
  readonly weight: number | null
  readonly configured: number
}

export interface ProbedView {
  readonly colour: boolean
  /** Servers whose state is printed at the end. */
  readonly servers?: readonly ProbedServer[]
}

/**
 * Formats a block for each service with the lines of each check, a line with the counts, and the state of each server.
 */
export function renderProbed(probed: readonly Probed[], { colour, servers = [] }: ProbedView): string {
  const paint = painter(colour)
  const services = [...new Set(probed.map(({ service }) => service))]
  const blocks = services.map(service => {
    const own = probed.filter(each => each.service === service)
    return [paint('bold', printable(service)), ...own.map(each => checkLines(each, paint))].join('\n')
  })
  const verdicts = servers.length === 0 ? [] : [serverLines(servers, paint)]
  const states = probed.map(({ result, isLeftOut }) => (isLeftOut ? null : stateOf(result)))
  return [...blocks, summaryOf(states, 'check', paint), ...verdicts].join('\n\n')
}

function serverLines(servers: readonly ProbedServer[], paint: Paint): string {
  const rows = servers.map(({ leftOut = 0, ...server }) => {
    const { service, state, passed, checks, need, weight, configured, ...real } = server
    const counts = `${passed} of ${checks} pass, ${need} needed`
    return [
      printable(service),
      hostWithAddress(real),
      isNotRun({ checks, leftOut }) ? paint('dim', 'not run') : stateWord(state, paint),
      weight === null ? '' : `weight ${weight}${weight === configured ? '' : `, ${configured} configured`}`,
      checks === 0
        ? leftOut === 0
          ? 'no checks'
          : ''
        : leftOut === 0
          ? counts
          : `${counts}; ${leftOut} not run`,
    ]
  })
  const states = servers.map(server => (isNotRun(server) ? null : server.state))
  return `${columns(rows)}\n${summaryOf(states, 'real server', paint)}`
}

/** True if none of its checks was run, because they go through the path of the service: nothing is known of it. */
export function isNotRun({ checks, leftOut = 0 }: Pick<ProbedServer, 'checks' | 'leftOut'>): boolean {
  return checks === 0 && leftOut > 0
}

function stateWord(state: HealthState, paint: Paint): string {
  if (state === 'unknown') return paint('yellow', 'no verdict')
  return state === 'up' ? paint('green', 'up') : paint('red', 'down')
}

function checkLines({ real, check, target, result, isLeftOut }: Probed, paint: Paint): string {
  const where = target === null ? '' : target === real ? '' : ` at ${target}`
  if (isLeftOut)
    return `  ${real}  ${check}${where}  ${paint('dim', 'not run')}\n    ${printable(result.detail)}`
  const { phase, reason, ms } = result
  const place = result.ok === true || phase === null ? '' : ` in ${phase}`
  const verdict = stateWord(stateOf(result), paint)
  // A detail such as `status 500 …` already contains the reason.
  const why = reason === null || result.detail.startsWith(`${reason} `) ? '' : `${reason}${place}: `
  const phases = phaseRows(result)
  return [
    `  ${real}  ${check}${where}  ${verdict}  ${formatDuration(ms)}`,
    `    ${why}${printable(result.detail)}`,
    ...(phases.length > 0 ? [paint('dim', columns(phases, { indent: 6, right: [1, 2] }))] : []),
  ].join('\n')
}

/** Returns the state that a single result stands for. */
export function stateOf({ ok }: CheckResult): HealthState {
  if (ok === null) return 'unknown'
  return ok ? 'up' : 'down'
}

/** Returns a row for each phase: name, duration, and end time since the start of the run. */
function phaseRows({ phases, ms }: CheckResult): string[][] {
  return phaseSpans(phases, ms).map(({ phase, took, end }) => [
    phase,
    formatDuration(took),
    `at ${formatDuration(end)}`,
  ])
}

/** `3 checks: 2 up, 1 down`. Null: not run. */
function summaryOf(states: readonly (HealthState | null)[], what: string, paint: Paint): string {
  const number = (state: HealthState | null) => states.filter(each => each === state).length
  const unknown = number('unknown') > 0 ? `, ${number('unknown')} without a verdict` : ''
  const notRun = number(null) > 0 ? `, ${number(null)} not run` : ''
  const text = `${counted(states.length, what)}: ${number('up')} up, ${number('down')} down${unknown}${notRun}`
  return paint(number('up') + number(null) === states.length ? 'green' : 'red', text)
}
