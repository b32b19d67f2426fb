/** Builds the overview from the status document. Pure. */
import type { OverviewDocument, ServiceOverview, TroubledReal } from './overview-types.js'
import type { RealStatus, ServiceStatus, StatusDocument } from './status-types.js'
import { OVERVIEW_SCHEMA } from './versions.js'

/** Number of real servers that are named for each service. */
export const MOST_TROUBLED = 5

/** `host`: the name of the machine. */
export function buildOverview(status: StatusDocument, host: string): OverviewDocument {
  const { version, now, startedAt, kernel, config, lastReload, reconcile, schedule, alerts, sysctls } = status
  const { isolation, cluster, totals, services } = status
  return {
    schema: OVERVIEW_SCHEMA,
    host,
    ...{ version, now, startedAt, kernel, config, lastReload, reconcile, schedule, alerts, sysctls },
    isolation,
    cluster,
    totals,
    services: services.map(serviceOverview),
  }
}

function serviceOverview(service: ServiceStatus): ServiceOverview {
  const { name, key, nameTrouble, scheduler, inKernel, state, since, panic, totals } = service
  const { counters, fallback, addresses, reals, conflicts } = service
  const troubled = reals.filter(isTroubled).sort((a, b) => rank(a) - rank(b))
  return {
    ...{ name, key, nameTrouble, scheduler, inKernel, state, since, panic, totals, counters, fallback },
    ...(addresses && { addresses }),
    ...(conflicts && { conflicts }),
    weight: {
      configured: sum(reals, real => real.weight.configured),
      kernel: sum(reals, real => real.weight.kernel ?? 0),
    },
    failed: reals.filter(({ state, override }) => state === 'down' && !isHeldDown(override)).length,
    overridden: reals.filter(real => real.override !== null).length,
    drained: reals.filter(({ state, override }) => state === 'up' && isDrained(override)).length,
    troubled: troubled.slice(0, MOST_TROUBLED).map(troubledReal),
    troubledCount: troubled.length,
  }
}

function troubledReal(real: RealStatus): TroubledReal {
  const { name, state, since, reason, checkReason, override, slowStart, damping, down, weight } = real
  return { name, state, since, reason, checkReason, override, slowStart, damping, down, weight }
}

function isDrained(override: RealStatus['override']): boolean {
  return override?.effect === 'drain' || override?.weight === 0
}

function isHeldDown(override: RealStatus['override']): boolean {
  return override?.effect === 'disable' || override?.effect === 'force-down'
}

function isTroubled({ state, override, damping, slowStart }: RealStatus): boolean {
  return state !== 'up' || override !== null || damping !== null || slowStart !== null
}

/** Failed, not judged yet, held down, up. */
function rank({ state, override }: RealStatus): number {
  if (state === 'down') return isHeldDown(override) ? 2 : 0
  return state === 'unknown' ? 1 : 3
}

function sum<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0)
}
