/** The override that counts for each real server, of all sources. Pure. */
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import { type Override, strongest } from '../core/override.js'

/** Returns the overrides that a source has for a real server of a service. */
export type OverridesOf = (service: ResolvedService, real: ResolvedReal) => Override | readonly Override[]

/** Returns the strongest override in effect for each real server that has one. `now`: milliseconds of the wall clock. */
export function effectiveOverrides(
  services: readonly ResolvedService[],
  sources: readonly OverridesOf[],
  now: number,
): Map<ResolvedReal, Override> {
  const effective = new Map<ResolvedReal, Override>()
  if (sources.length === 0) return effective
  for (const service of services)
    for (const real of service.reals) {
      const override = strongest(
        sources.flatMap(source => source(service, real) as Override | Override[]),
        now,
      )
      if (override) effective.set(real, override)
    }
  return effective
}
