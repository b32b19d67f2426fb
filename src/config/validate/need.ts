/** Reads how many checks must pass, and verifies that each check has a port. */
import type { Target } from '../../check/check.js'
import type { CheckUse } from '../../core/model.js'
import type { Endpoint } from '../endpoints.js'
import type { Position } from '../problems/problem.js'
import type { Context } from './context.js'
import type { RealContext } from './real-context.js'

export function readNeed(need: 'all' | 'any' | number | undefined, checks: number): number {
  if (need === undefined || need === 'all') return checks
  return need === 'any' ? Math.min(1, checks) : need
}

export function judgeNeed(need: number, checks: number, at: Position | undefined, { report }: Context): void {
  if (need <= checks || at === undefined) return
  const there = checks === 1 ? 'there is one check' : `there are ${checks || 'no'} checks`
  report.error('NEED_TOO_MANY', at, `${need} checks must pass, but ${there}`)
}

/** Reports checks that would use port 0. This is possible for real servers of a firewall mark. */
export function judgePorts(
  uses: readonly CheckUse[],
  endpoint: Endpoint,
  port: number,
  at: Position,
  context: RealContext,
): void {
  // The port of the service is invalid, which has been reported.
  if (context.facts.port === null && !context.facts.isFwmark) return
  if (port !== 0 || (endpoint.port === null && endpoint.hasPort)) return
  for (const use of uses) {
    if (use.port !== null || !needsPort(use, context)) continue
    const message = `${use.kind} needs a port, and this real server has none: give the check a checkport`
    const outcome = context.dialect.outcomeOf('CHECK_NEEDS_PORT', use.kind)
    context.report.error('CHECK_NEEDS_PORT', at, message + outcome)
  }
}

/** True if the check connects to a port. This is determined from the probe that it returns for a sample target. */
function needsPort({ kind, options }: CheckUse, { checks }: Context): boolean {
  const check = checks.get(kind)
  if (!check || check.defaultPort !== undefined) return false
  try {
    const probe = check.probe?.(SOMEWHERE, options)
    return probe?.kind === 'tcp' || probe?.kind === 'udp'
  } catch {
    return false
  }
}

const ANY = { family: 'ipv6', text: '::1', zone: null } as const
const SOMEWHERE: Target = {
  address: ANY,
  port: 0,
  real: { address: ANY, port: 0, weight: 1 },
  service: { name: '', address: null, port: 0, protocol: 'fwm', fwmark: 1 },
}
