/** What the daemon says in its log. */
import type { Reweighing, Transition } from './board.js'
import type { Problem } from './config/problem.js'
import type { Log } from './log.js'
import type { CheckResult, Real, Service } from './model.js'

export function tellTransition(
  log: Log,
  { service, real, check, from, to, result, moved }: Transition,
): void {
  const fields = {
    service: service.name,
    real: realName(real),
    from,
    to,
    check,
    ...resultFields(result),
  }
  if (!moved) log.info(fields, 'a check changed, its server did not')
  else if (to === 'down') log.warn(fields, 'real server down')
  else log.info(fields, `real server ${to}`)
}

/** A weight that wobbles is no news; one that goes to nothing or comes back is. */
export function tellReweighing(log: Log, { service, real, from, to, result }: Reweighing): void {
  const fields = { service: service.name, real: realName(real), from, to, detail: result.detail }
  log[from === 0 || to === 0 ? 'info' : 'debug'](fields, 'weight changed on the advice of a check')
}

function realName({ host, port }: Real): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

export function resultFields({ reason, detail, phase, ms }: CheckResult) {
  return { reason: reason ?? 'passed', detail, phase, ms: Math.round(ms * 10) / 10 }
}

export function tellProblems(log: Log, problems: readonly Problem[]): void {
  for (const { severity, code, message, file, at } of problems)
    log[severity === 'error' ? 'error' : severity === 'warning' ? 'warn' : 'info'](
      { code, at: `${file}:${at.line}:${at.column}` },
      message,
    )
}

/** A server that an operator holds down by a file, or lets go of again. */
export function tellHeld(log: Log, service: Service, real: Real, file: string | null): void {
  const fields = { service: service.name, real: realName(real) }
  if (file === null) log.info(fields, 'maintenance is over: the checks decide again')
  else log.warn({ ...fields, file }, 'real server held down for maintenance')
}
