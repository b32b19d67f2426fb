/** Builds the overview from the status document. Pure. */
import { OVERVIEW_SCHEMA, type OverviewDocument, type ServiceOverview } from './overview-types.js'
import type { RealStatus, ServiceStatus, StatusDocument } from './status-types.js'

/** Number of real servers that are named for each service. */
export const MOST_TROUBLED = 5

/** `host`: the name of the machine. */
export function buildOverview(status: StatusDocument, host: string): OverviewDocument {
  const { version, now, startedAt, kernel, config, lastReload, reconcile, schedule, sysctls } = status
  const { isolation, cluster, totals, services } = status
  return {
    schema: OVERVIEW_SCHEMA,
    host,
    ...{ version, now, startedAt, kernel, config, lastReload, reconcile, schedule, sysctls },
    isolation,
    cluster,
    totals,
    services: services.map(serviceOverview),
  }
}

function serviceOverview(service: ServiceStatus): ServiceOverview {
  const { name, key, nameTrouble, scheduler, inKernel, state, since, panic, totals } = service
  const { counters, fallback, reals } = service
  const troubled = reals.filter(isTroubled).sort((a, b) => rank(a) - rank(b))
  return {
    ...{ name, key, nameTrouble, scheduler, inKernel, state, since, panic, totals, counters, fallback },
    weight: {
      configured: sum(reals, real => real.weight.configured),
      kernel: sum(reals, real => real.weight.kernel ?? 0),
    },
    overridden: reals.filter(real => real.override !== null).length,
    troubled: troubled.slice(0, MOST_TROUBLED).map(({ name, state, since, reason, override, weight }) => ({
      ...{ name, state, since, reason, override, weight },
    })),
    troubledCount: troubled.length,
  }
}

function isTroubled({ state, override, damping, slowStart }: RealStatus): boolean {
  return state !== 'up' || override !== null || damping !== null || slowStart !== null
}

function rank({ state }: RealStatus): number {
  return { down: 0, unknown: 1, up: 2 }[state]
}

function sum<T>(items: readonly T[], amountOf: (item: T) => number): number {
  return items.reduce((total, item) => total + amountOf(item), 0)
}
