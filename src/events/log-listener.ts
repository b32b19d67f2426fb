/** Writes log lines about events of real servers and services. */
import type { ConnectivityChange } from '../cluster/connectivity/monitor.js'
import type { Problem } from '../config/problems/problem.js'
import { endpoint } from '../core/address.js'
import { fallbacksOf } from '../core/kernel-services.js'
import { type CheckResult, keyOfService, type Member, type ResolvedService } from '../core/model.js'
import { effectText } from '../core/override.js'
import type { Removal } from '../health/down-rules.js'
import type {
  DampingChange,
  OverrideChange,
  Transition,
  VerdictChange,
  WeightChange,
} from '../health/health-changes.js'
import type { IsolationChange } from '../health/isolation.js'
import { nameOfCheck, type Subscriber } from '../health/jobs.js'
import type { PanicChange } from '../health/panics.js'
import type { Log } from '../system/log.js'
import { steadyNow } from '../util/clock.js'
import { duration, formatUptime } from '../util/time-text.js'
import type { EventListener } from './event-bus.js'

/** The first listener of every daemon, so that the log line precedes the actions of other listeners. */
export function logListener(log: Log): EventListener {
  return {
    result: log.isLevelEnabled('debug') ? ([first], result) => logResult(log, first, result) : undefined,
    transition: transition => logTransition(log, transition),
    weight: change => logWeightChange(log, change),
    verdict: change => logVerdict(log, change),
    override: change => logOverride(log, change),
    panic: change => logPanic(log, change),
    removal: removal => logRemoval(log, removal),
    isolation: change => logIsolation(log, change),
    connectivity: change => logConnectivity(log, change),
    damping: change => logDamping(log, change),
    traffic: (...traffic) => logTraffic(log, ...traffic),
  }
}

function logResult(log: Log, first: Subscriber | undefined, result: CheckResult): void {
  if (first) log.debug('run.result', { job: nameOfCheck(first), ...resultFields(result) }, 'check')
}

/**
 * Logs the change of a server's state. If only a check has changed, logs the check and the unchanged state of its
 * server.
 */
function logTransition(log: Log, transition: Transition): void {
  const { service, real, check, from, to, result, hasMovedServer } = transition
  if (!hasMovedServer) {
    logCheck(log, transition)
    return
  }
  // A start has one for each server.
  const moving = Object.assign(
    { service: service.name, real: realName(real), from, to, check },
    resultFields(result),
  )
  if (to === 'down') log.warn('real.down', moving, 'real server down')
  else log.info(to === 'up' ? 'real.up' : 'real.unknown', moving, `real server ${to}`)
}

function logCheck(log: Log, { service, real, check, to, result, state, passing, checks }: Transition): void {
  const fields = { service: service.name, real: realName(real), state, check, ...resultFields(result) }
  const count = `${passing} of ${checks} pass, ${real.need} needed`
  const [event, verb] =
    to === 'up' ? (['check.passes', 'passes'] as const) : (['check.fails', 'fails'] as const)
  log.info(event, fields, `check ${verb}, its real server stays ${state} (${count})`)
}

/** Logs a check without a verdict, because its server is not monitored meanwhile. */
function logVerdict(log: Log, { service, real, check, isMissing, detail }: VerdictChange): void {
  const fields = { service: service.name, real: realName(real), check }
  if (!isMissing) log.info('check.verdict-again', fields, 'the check has a verdict again')
  else
    log.warn(
      'check.no-verdict',
      { ...fields, detail },
      'the check had no verdict three times in a row; the state of its real server does not change',
    )
}

function logPanic(log: Log, { service: { name }, isPanic, since, held, of }: PanicChange): void {
  if (isPanic)
    log.error(
      'service.panic',
      { service: name, down: held, of },
      `${name}: panic, ${held} of ${of} real servers went down at once: they keep their weights in the table`,
    )
  else
    log.warn(
      'service.panic-over',
      { service: name, seconds: secondsSince(since) },
      `${name}: the panic is over, the table follows the checks again`,
    )
}

function logRemoval(log: Log, { service, real, since }: Removal): void {
  const fields = { service: service.name, real: realName(real), seconds: secondsSince(since) }
  log.info('real.removed', fields, 'a quiesced real server is removed')
}

/** `since` is in milliseconds of the steady clock. */
function secondsSince(since: number): number {
  return Math.round((steadyNow() - since) / 1000)
}

function logIsolation(log: Log, { isIsolated, since, detail }: IsolationChange): void {
  if (isIsolated)
    log.error(
      'director.isolated',
      { detail },
      'lvsd is isolated: it cannot reach any server, so failed checks do not count and the table stays',
    )
  else
    log.warn(
      'director.connected',
      { seconds: secondsSince(since) },
      'lvsd is no longer isolated: checks count again',
    )
}

function logConnectivity(log: Log, { isLost, since, detail }: ConnectivityChange): void {
  if (isLost)
    log.error(
      'director.connectivity-lost',
      { detail },
      `this director has lost its network: ${detail}; failed checks do not count and the table stays`,
    )
  else
    log.warn(
      'director.connectivity-restored',
      { seconds: secondsSince(since), detail },
      `this director has its network again after ${formatUptime(steadyNow() - since)}: checks count, and the table follows them`,
    )
}

/** Logs that a service has lost its last available real server, or has one again. */
function logTraffic(
  log: Log,
  service: ResolvedService,
  hasTraffic: boolean,
  before: boolean | null,
  lacking?: readonly ResolvedService[],
): void {
  const { name, reals } = service
  // Of several addresses, those without a server are told; clients are refused if one of these has no fallback.
  const fallbacks = lacking?.map(one => one.fallback) ?? []
  const fallback = service.also
    ? fallbacks.includes(null)
      ? null
      : (fallbacks.find(one => !one?.address) ?? fallbacks[0] ?? fallbacksOf(service)[0] ?? null)
    : service.fallback
  const fields = { service: name, ...(fallback && { fallback: realName(fallback) }) }
  if (hasTraffic) {
    // This is expected after a start.
    if (before === null) return
    const back = `${name}: a real server is available again${service.also ? ' for each address' : ''}`
    if (fallback) log.warn('service.fallback-out', fields, `${back}, the fallback is removed`)
    else log.warn('service.served', { service: name }, `${back}, clients are served again`)
    return
  }
  const where = lacking ? ` for ${lacking.map(addressText).join(' and ')}` : ''
  const lack = `${reals.length === 0 ? 'no real server is configured' : 'no real server is available'}${where}`
  if (fallback?.address) log.error('service.fallback-in', fields, `${name}: ${lack}, the fallback takes over`)
  else if (fallback)
    log.error(
      'service.refused',
      fields,
      `${name}: ${lack}, the name of the fallback does not resolve: clients are refused`,
    )
  else log.error('service.refused', fields, `${name}: ${lack}, there is no fallback: clients are refused`)
}

function addressText({ id }: ResolvedService): string {
  if (id?.kind === 'address') return endpoint(id.address, id.port)
  return id ? keyOfService(id) : ''
}

/** Logs a weight change at level debug, or at level info if the weight becomes 0 or was 0. */
function logWeightChange(log: Log, { service, real, from, to, result }: WeightChange): void {
  const fields = { service: service.name, real: realName(real), from, to, detail: result.detail }
  log[from === 0 || to === 0 ? 'info' : 'debug']('weight.changed', fields, 'weight changed by a check')
}

function realName({ host, port }: Pick<Member, 'host' | 'port'>): string {
  return endpoint(host, port)
}

function resultFields({ reason, detail, phase, ms, hint }: CheckResult) {
  const fields = { reason: reason ?? 'passed', detail, phase, ms: Math.round(ms * 10) / 10 }
  return hint === undefined ? fields : { ...fields, hint }
}

export function logProblems(log: Log, problems: readonly Problem[]): void {
  for (const { severity, code, message, file, at } of problems)
    log[severity === 'error' ? 'error' : severity === 'warning' ? 'warn' : 'info'](
      'config.problem',
      { code, at: `${file}:${at.line}:${at.column}` },
      message,
    )
}

/** Logs the begin or the end of an override. Maintenance files have their own events. */
function logOverride(log: Log, { service, real, before, after }: OverrideChange): void {
  const fields = { service: service.name, real: realName(real) }
  const reason = after && after.reason !== '' ? { reason: after.reason } : {}
  if (after?.source === 'file')
    log.warn(
      'maintenance.begins',
      { ...fields, file: after.who, ...reason },
      'real server held down for maintenance',
    )
  else if (after)
    log.warn(
      'override.begins',
      {
        ...fields,
        effect: effectText(after.effect),
        who: after.who,
        ...reason,
        ...(after.until !== null && { until: new Date(after.until).toISOString() }),
      },
      after.source === 'window'
        ? 'a maintenance window overrides the checks'
        : 'an operator overrides the checks',
    )
  else if (before?.source === 'file')
    log.info('maintenance.ends', fields, 'maintenance is over: the checks decide again')
  else log.info('override.over', fields, 'no override is left: the checks decide again')
}

/** Logs that damping holds a server down, does not hold it although it flaps, or releases it. */
function logDamping(log: Log, { service, real, hold, state, changes }: DampingChange): void {
  const fields = { service: service.name, real: realName(real) }
  const { damping } = service
  if (hold === 'free' || !damping) {
    log.info('real.released', { ...fields, state }, 'damping is over: the checks decide again')
    return
  }
  const flaps = { ...fields, changes, within: duration(damping.within), hold: duration(damping.hold) }
  if (hold === 'held') log.warn('real.damped', flaps, 'real server flaps, and is held down')
  else log.warn('real.spared', flaps, 'real server flaps, but no other would serve: it is not held down')
}
