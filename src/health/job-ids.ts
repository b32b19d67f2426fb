/** Texts that identify checks and jobs. They contain all options, including passwords. Pure. */
import type { Check, Target } from '../check/check.js'
import type { WantedSource } from '../core/check-source.js'
import {
  keyAsWritten,
  keyOfMember,
  keyOfReal,
  keyOfService,
  type ResolvedCheckUse,
  type ResolvedReal,
  type ResolvedService,
} from '../core/model.js'

/** Returns the `checkKey`. It contains service and real server only if the check sets `perService`. */
export function questionOf(
  service: ResolvedService,
  real: ResolvedReal,
  target: Target,
  use: ResolvedCheckUse,
  check: Check,
): string {
  const asker = check.perService ? [serviceKey(service), keyOfMember(service, real)] : []
  const connects = use.connects ? [`${use.connects} connects`] : []
  const host = use.address === null ? [use.host] : []
  const source = use.source === undefined ? [] : [`from ${sourceText(use.source)}`]
  const path = use.path ? [`of ${serviceKey(service)} through ${keyOfReal(target.real)}`] : []
  return JSON.stringify([
    use.kind,
    target.address.text,
    target.port,
    use.options,
    ...connects,
    ...host,
    ...source,
    ...path,
    ...asker,
  ])
}

function sourceText(source: WantedSource): string {
  return source === 'kernel' ? source : source.text
}

/**
 * Returns a suffix of the job id: a changed file in a user's folder gives a new job, but the same `checkKey` and
 * health.
 */
export function versionOf({ origin, module }: Check): string {
  return origin === 'user' ? ` by ${module}` : ''
}

/** Returns the key of the service in the kernel; as written in the configuration while its name has no address. */
export function serviceKey(service: ResolvedService): string {
  return service.id ? keyOfService(service.id) : keyAsWritten(service.virtual)
}
