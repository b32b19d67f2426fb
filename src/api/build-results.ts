/** Builds the last results of checks from the health of services. Pure. */
import { hostPort } from '../core/display-names.js'
import type { CheckState } from '../health/check-state.js'
import type { ServiceHealth } from '../health/health-snapshot.js'
import type { ResultGroup } from '../health/recent-results.js'
import type { WallClock } from '../util/clock.js'
import { checkIdentity, roundedResult } from './build-status.js'
import type { ResultsDocument } from './result-types.js'
import type { WhyResults } from './why-types.js'

type Dates = Pick<WallClock, 'iso'>

/** `real`: the name of the only real server that is wanted; null: all. */
export function buildResults(
  services: readonly ServiceHealth[],
  real: string | null,
  dates: Dates,
): ResultsDocument {
  const reals = services.flatMap(({ service, reals: all }) =>
    all
      .filter(one => real === null || hostPort(one.real) === real)
      .map(one => ({
        service: service.name,
        real: hostPort(one.real),
        checks: one.checks.map(check => checkResults(check, dates)),
      })),
  )
  return { reals }
}

function checkResults({ subscriber, health, recent }: CheckState, dates: Dates) {
  return {
    ...checkIdentity(subscriber),
    state: health.state,
    strip: recent.strip,
    results: groupsOf(recent.groups, dates),
  }
}

/** The groups, the newest first. */
export function groupsOf(groups: readonly ResultGroup[], dates: Dates): readonly WhyResults[] {
  return groups.toReversed().map(({ result, count, from, at }) => ({
    last: roundedResult(result),
    count,
    from: dates.iso(from),
    at: dates.iso(at),
  }))
}
