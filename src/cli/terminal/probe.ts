/** Formats the results of `lvsd probe` for people. Pure. */

import { hostWithAddress } from '../../core/display-names.js'
import type { CheckResult, HealthState } from '../../core/model.js'
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
  readonly checks: number
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
  const states = probed.map(({ result }) => stateOf(result))
  return [...blocks, summaryOf(states, 'check', paint), ...verdicts].join('\n\n')
}

function serverLines(servers: readonly ProbedServer[], paint: Paint): string {
  const rows = servers.map(({ service, state, passed, checks, need, weight, configured, ...real }) => [
    printable(service),
    hostWithAddress(real),
    stateWord(state, paint),
    weight === null ? '' : `weight ${weight}${weight === configured ? '' : `, ${configured} configured`}`,
    checks === 0 ? 'no checks' : `${passed} of ${checks} pass, ${need} needed`,
  ])
  const states = servers.map(({ state }) => state)
  return `${columns(rows)}\n${summaryOf(states, 'real server', paint)}`
}

function stateWord(state: HealthState, paint: Paint): string {
  if (state === 'unknown') return paint('yellow', 'no verdict')
  return state === 'up' ? paint('green', 'up') : paint('red', 'down')
}

function checkLines({ real, check, target, result }: Probed, paint: Paint): string {
  const where = target === null ? '' : target === real ? '' : ` at ${target}`
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
function phaseRows({ phases }: CheckResult): string[][] {
  return phases.map(({ phase, ms }, i) => [
    phase,
    formatDuration(ms - (phases[i - 1]?.ms ?? 0)),
    `at ${formatDuration(ms)}`,
  ])
}

/** `3 checks: 2 up, 1 down`. */
function summaryOf(states: readonly HealthState[], what: string, paint: Paint): string {
  const number = (state: HealthState) => states.filter(each => each === state).length
  const unknown = number('unknown') > 0 ? `, ${number('unknown')} without a verdict` : ''
  const text = `${counted(states.length, what)}: ${number('up')} up, ${number('down')} down${unknown}`
  return paint(number('up') === states.length ? 'green' : 'red', text)
}
