/** Says what an override takes from clients: the last real server of a service that gets new connections. Pure. */
import type { GiveRequest, TargetName } from '../api/override-types.js'
import type { ServiceStatus } from '../api/status-types.js'

type Known = Pick<ServiceStatus, 'name' | 'fallback'> & {
  readonly reals: readonly Pick<ServiceStatus['reals'][number], 'name' | 'weight'>[]
}

/** Returns a sentence for each service of which the targets are all that clients have now. */
export function lastServers(
  services: readonly Known[],
  { targets, effect }: Pick<GiveRequest, 'targets' | 'effect'>,
): readonly string[] {
  if (effect.kind === 'force-up' || (effect.kind === 'weight' && effect.weight > 0)) return []
  return services.flatMap(({ name, reals, fallback }) => {
    const serving = reals.filter(({ weight }) => (weight.wanted ?? 0) > 0)
    if (serving.length === 0 || !serving.every(one => isMeant(targets, name, one.name))) return []
    const then = fallback ? `the fallback ${fallback.name} takes over` : 'new clients are refused'
    return [`No other real server of ${name} gets new connections: ${then}`]
  })
}

function isMeant(targets: readonly TargetName[], service: string, real: string): boolean {
  return targets.some(target => target.service === service && (target.real === null || target.real === real))
}
