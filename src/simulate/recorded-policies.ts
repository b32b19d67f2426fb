/** The configuration by which a recording was made, as far as it is recorded: the policies of the checks. Pure. */
import type { CheckPolicy, ResolvedConfig } from '../core/model.js'
import { nameOfCheck } from '../health/jobs.js'
import type { Recording } from './recording.js'
import { nameOfServer } from './replay-comparison.js'

/**
 * Returns the configuration with the last recorded policy of each check. How damping was set is not recorded: the configuration's is
 * taken where damping has held a server of the service, or spared it, and else none.
 */
export function withRecordedPolicies(config: ResolvedConfig, { checks, damped }: Recording): ResolvedConfig {
  const services = config.services.map(service => ({
    ...service,
    damping: service.reals.some(real => damped.has(nameOfServer({ service, real }))) ? service.damping : null,
    reals: service.reals.map(real => ({
      ...real,
      checks: real.checks.map(use => {
        const policy = recordedPolicy(checks, nameOfCheck({ service, real, use }))
        return policy ? { ...use, policy } : use
      }),
    })),
  }))
  return { ...config, services }
}

/** Returns the last recorded policy of a check, by its name; null if none is recorded. */
export function recordedPolicy(checks: Recording['checks'], name: string): CheckPolicy | null {
  return checks.get(name)?.findLast(({ policy }) => policy !== undefined)?.policy ?? null
}
