/** Explains the state of a real server in one sentence. Pure. */

import { isWithoutVerdict } from '../core/health.js'
import type { CheckResult, HealthState, Phase } from '../core/model.js'
import { effectText, isHold, type Override, withReason } from '../core/override.js'
import type { CheckState } from '../health/check-state.js'
import type { RealHealth } from '../health/health-snapshot.js'
import { dateTime, formatUptime } from '../util/time-text.js'

/**
 * Returns the reason for the state of a server with an address: its hold, else the results of its checks. `clock`
 * formats a time.
 */
export function reasonOf(health: RealHealth, clock: (at: number) => string): string {
  const { override } = health
  if (isHold(override)) return overrideReason(override)
  return [
    ...(override ? [overrideReason(override)] : []),
    ...holdReason(health, clock),
    ...riseReason(health),
    ...downReason(health),
    reasonOfChecks(health, clock),
  ].join('; ')
}

/** Returns what damping does with the server: `held down until 2026-11-29 06:00:00 UTC, since it flaps`. */
function holdReason({ hold, override }: RealHealth, clock: (at: number) => string): string[] {
  if (!hold) return []
  const until = clock(hold.until)
  if (override?.effect.kind === 'force-up') return [`flaps, would be held down until ${until}`]
  return [
    hold.isSpared
      ? `flaps, but no other server would serve: not held down until ${until}`
      : `flaps: held down until ${until}`,
  ]
}

/** Returns `slow start: 40 % of 10, full in 32s`. An override of the weight hides it. */
function riseReason({ rise, state, override }: RealHealth): string[] {
  if (!rise || state !== 'up' || override?.effect.kind === 'drain' || override?.effect.kind === 'weight')
    return []
  const share = Math.round(rise.share * 100)
  return [`slow start: ${share} % of ${rise.weight}, full in ${formatUptime(rise.left)}`]
}

/** Returns what becomes of a server that is down: `sick: quiesced, removed in 4m`. */
function downReason({ down }: RealHealth): string[] {
  if (down?.action === 'held') return ['held in the table by panic']
  if (!down?.cause) return []
  const end = down.left === null ? '' : `, removed in ${formatUptime(down.left)}`
  return [`${down.cause}: ${down.action}${end}`]
}

/** Returns the reason from the checks alone. */
export function reasonOfChecks(
  { real, state, checks, passing }: Pick<RealHealth, 'real' | 'state' | 'checks' | 'passing'>,
  clock: (at: number) => string,
): string {
  if (checks.length === 0) return 'no check is configured: taken as up'
  const told = mostTelling(checks, state)
  const sentence = sentenceOf(told, clock)
  if (checks.length === 1) return sentence
  const count = `${passing} of ${checks.length} checks pass, ${real.need} needed`
  return told.health.state === 'up' && !told.noVerdicts
    ? `${count}; ${sentence}`
    : `${count}; ${told.subscriber.use.kind}: ${sentence}`
}

/** Returns the override in words: `drain until 2026-11-29 06:00:00 UTC by anna: disk swap`. */
function overrideReason(override: Override): string {
  if (override.source === 'file') return `held down by the maintenance file ${withReason(override)}`
  const end = override.until === null ? '' : ` until ${dateTime(override.until)}`
  return `${effectText(override.effect)}${end} by ${withReason(override)}`
}

/** Returns the check that explains the state, or that is about to change it. */
function mostTelling(checkStates: readonly CheckState[], state: HealthState): CheckState {
  const failing = checkStates.find(({ health }) => health.state === 'down')
  const unasked = checkStates.find(({ noVerdicts }) => noVerdicts !== null)
  const changing = checkStates.find(({ health }) => health.streak > 0)
  const unjudged = checkStates.find(({ health }) => health.state === 'unknown')
  const order = state === 'unknown' ? [changing, unasked, unjudged, failing] : [failing, unasked, changing]
  return (
    order.find(checkState => checkState !== undefined) ??
    checkStates.find(({ health }) => health.last) ??
    (checkStates[0] as CheckState)
  )
}

function sentenceOf(
  { health, noVerdicts, subscriber, remembered }: CheckState,
  clock: (at: number) => string,
): string {
  if (noVerdicts && (isWithoutVerdict(noVerdicts) || !health.last))
    return `no verdict since ${clock(noVerdicts.since)}: ${noVerdicts.detail}`
  if (!health.last)
    return remembered
      ? `not checked yet; before the restart ${remembered.state} since ${clock(remembered.since)}${remembered.last ? `: ${sentenceOfResult(remembered.last)}` : ''}`
      : 'not checked yet'
  const { rise, fall } = subscriber.use.policy
  const sentence = sentenceOfResult(health.last)
  if (health.streak === 0) return sentence
  const [what, wanted] = health.last.ok === false ? ['failure', fall] : ['pass', rise]
  const standing = health.state === 'unknown' ? 'not judged yet' : `still ${health.state}`
  // The count comes first because a narrow screen cuts off the end, and the result alone seems to contradict the state.
  return `${standing}, ${what} ${health.streak} of ${wanted}: ${sentence}`
}

function sentenceOfResult({ reason, detail, phase }: CheckResult): string {
  return reason ? reasonAndDetail(reason, detail, phase) : detail
}

/**
 * Returns `timeout in first byte: no answer …`. The reason is omitted if the detail begins with it: `status 500 …`. The
 * phase is included only for reasons that can occur in any phase.
 */
export function reasonAndDetail(reason: string, detail: string, phase: Phase | null = null): string {
  if (detail === reason || detail.startsWith(`${reason} `)) return detail
  const place = phase === null || phase === 'run' || !IN_ANY_PHASE.has(reason) ? '' : ` in ${phase}`
  return `${reason}${place}: ${detail}`
}

const IN_ANY_PHASE: ReadonlySet<string> = new Set([
  'timeout',
  'refused',
  'unreachable',
  'reset',
  'closed',
  'tls',
])
