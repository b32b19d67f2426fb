/** Builds the listing of a service: its real servers without their checks. Pure. */
import type { CheckState } from '../health/check-state.js'
import type { WallClock } from '../util/clock.js'
import type { Sliced } from '../util/time-slice.js'
import { buildingStatus } from './build-status.js'
import type { Snapshot } from './snapshot.js'
import type { Listing, RealStatus } from './status-types.js'

/** In time slices. `snapshot`: of one service. Null: there is none. */
export function* buildingListing(snapshot: Snapshot, dates: WallClock): Sliced<Listing | null> {
  const [service] = (yield* buildingStatus(snapshot, dates)).services
  const [health] = snapshot.health.services
  if (!service || !health) return null
  const reals = service.reals.map(({ checks: _, ...real }, i) => ({
    ...real,
    counters: countersOf(real),
    strip: stripOf(health.reals[i]?.checks ?? []),
  }))
  return { ...service, reals }
}

function countersOf({ counters }: Pick<RealStatus, 'counters'>) {
  if (!counters) return null
  const { connections, connectionRate, active, inactive, persistent } = counters
  return { connections, connectionRate, active, inactive, persistent }
}

/** The verdicts of the check that failed last, else of the first one. */
function stripOf(checks: readonly CheckState[]): string {
  const strips = checks.map(({ recent }) => recent.strip)
  const sinceFailure = (strip: string) =>
    strip.includes('f') ? strip.length - strip.lastIndexOf('f') : Number.POSITIVE_INFINITY
  return strips.reduce(
    (best, strip) => (sinceFailure(strip) < sinceFailure(best) ? strip : best),
    strips[0] ?? '',
  )
}
