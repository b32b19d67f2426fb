/** Builds the last results of checks from the health of services. Pure. */
import { hostPort } from '../core/display-names.js'
import type { CheckState } from '../health/check-state.js'
import type { ServiceHealth } from '../health/health-snapshot.js'
import type { ResultGroup } from '../health/recent-results.js'
import type { WallClock } from '../util/clock.js'
import { eachInSteps, type Sliced } from '../util/time-slice.js'
import { checkIdentity, rounded, roundedResult } from './build-status.js'
import type { ResultsDocument } from './result-types.js'
import type { WhyResults } from './why-types.js'

type Dates = Pick<WallClock, 'iso'>

/** In time slices. `real`: the name of the only real server that is wanted; null: all. */
export function* buildingResults(
  services: readonly ServiceHealth[],
  real: string | null,
  dates: Dates,
): Sliced<ResultsDocument> {
  const reals: ResultsDocument['reals'][number][] = []
  for (const { service, reals: all } of services) {
    const wanted = all.filter(one => real === null || hostPort(one.real) === real)
    yield* eachInSteps(wanted, one => {
      const checks = one.checks.map(check => checkResults(check, dates))
      reals.push({ service: service.name, real: hostPort(one.real), checks })
    })
  }
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
  return groups.toReversed().map(({ result, count, from, at, runs }) => ({
    last: roundedResult(result),
    count,
    from: dates.iso(from),
    at: dates.iso(at),
    runs: runs.map(one => ({ at: dates.iso(one.at), ms: rounded(one.ms), phases: one.phases.map(rounded) })),
  }))
}
