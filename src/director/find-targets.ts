/** Finds services and real servers of the configuration by exact names. Pure. */
import type { Missing } from '../api/control.js'
import type { TargetName } from '../api/override-types.js'
import type { ResolvedConfig, ResolvedReal, ResolvedService } from '../core/model.js'
import { nameOfReal } from '../overrides/command-overrides.js'
import { namesWithEnd } from '../overrides/targets.js'
import { closestMatch, thereAre } from '../util/closest-match.js'

export interface FoundTarget {
  readonly service: ResolvedService
  /** Null: the service as a whole. */
  readonly real: ResolvedReal | null
}

/** Returns the targets, or a sentence about the first that does not exist. */
export function findTargets(
  config: ResolvedConfig,
  targets: readonly TargetName[],
): readonly FoundTarget[] | string {
  const found = foundOrMissing(config, targets)
  return 'message' in found ? found.message : found
}

/** Returns the first target that does not exist, with the closest name; null if all exist. */
export function missingTarget(config: ResolvedConfig, targets: readonly TargetName[]): Missing | null {
  const found = foundOrMissing(config, targets)
  return 'message' in found ? found : null
}

function foundOrMissing(
  { services }: ResolvedConfig,
  targets: readonly TargetName[],
): readonly FoundTarget[] | Missing {
  const byName = new Map(services.map(service => [service.name, service]))
  const found: FoundTarget[] = []
  for (const [index, { service: name, real: wanted }] of targets.entries()) {
    const service = byName.get(name)
    const real = service?.reals.find(one => nameOfReal(one) === wanted)
    if (!service) return missing(index, 'service', name, [...byName.keys()], `there is no service "${name}"`)
    if (wanted !== null && !real)
      return missing(
        index,
        'real',
        wanted,
        service.reals.map(nameOfReal),
        `the service "${name}" has no real server ${wanted}`,
      )
    found.push({ service, real: real ?? null })
  }
  return found
}

function missing(
  index: number,
  part: Missing['part'],
  name: string,
  known: readonly string[],
  sentence: string,
): Missing {
  // The commands take the end of an address, a request does not: it must mean the same tomorrow.
  const [short, ...others] = part === 'real' ? namesWithEnd(known, name) : []
  const nearest = (others.length === 0 ? short : null) ?? closestMatch(name, known)
  return {
    index,
    part,
    nearest,
    message: `${sentence}${nearest === null ? thereAre(known) : `; did you mean "${nearest}"?`}`,
  }
}

/** Returns the real servers that a target means. */
export function realsOf({ service, real }: FoundTarget): readonly ResolvedReal[] {
  return real ? [real] : service.reals
}
