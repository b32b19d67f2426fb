/** Finds services and real servers of the configuration by exact names. Pure. */
import type { TargetName } from '../api/override-types.js'
import type { ResolvedConfig, ResolvedReal, ResolvedService } from '../core/model.js'
import { nameOfReal } from '../overrides/command-overrides.js'

export interface FoundTarget {
  readonly service: ResolvedService
  /** Null: the service as a whole. */
  readonly real: ResolvedReal | null
}

/** Returns the targets, or a sentence about the first that does not exist. */
export function findTargets(
  { services }: ResolvedConfig,
  targets: readonly TargetName[],
): readonly FoundTarget[] | string {
  const byName = new Map(services.map(service => [service.name, service]))
  const found: FoundTarget[] = []
  for (const { service: name, real: wanted } of targets) {
    const service = byName.get(name)
    const real = service?.reals.find(one => nameOfReal(one) === wanted)
    if (!service) return `there is no service "${name}"`
    if (wanted !== null && !real) return `the service "${name}" has no real server ${wanted}`
    found.push({ service, real: real ?? null })
  }
  return found
}

/** Returns the real servers that a target means. */
export function realsOf({ service, real }: FoundTarget): readonly ResolvedReal[] {
  return real ? [real] : service.reals
}
