/** The checks of the configuration before, for a service in which most real servers have not changed. Pure. */
import type { Check } from '../check/check.js'
import type { ResolvedReal, ResolvedService } from '../core/model.js'
import { isSameValue } from '../util/same-value.js'
import { serviceKey } from './job-ids.js'
import type { Jobs, ServiceJobs, Subscriber } from './job-types.js'

/** The checks of a real server, in its order. */
export type RealJobs = ServiceJobs['each']

/** By services of the same names. */
export class EarlierJobs {
  readonly #byService: Jobs['byService']
  #byName: ReadonlyMap<string, ResolvedService> | null = null

  constructor(byService: Jobs['byService'] = new Map()) {
    this.#byService = byService
  }

  /**
   * Returns the checks of the real servers of this service that also follow from it as it is now: all that a job follows from
   * beside the real server is the same. None for a part of a service, and for one with several addresses.
   */
  of(service: ResolvedService): ReadonlyMap<ResolvedReal, RealJobs> {
    this.#byName ??= new Map([...this.#byService.keys()].map(one => [one.name, one]))
    const old = this.#byName.get(service.name)
    const found = new Map<ResolvedReal, RealJobs[number][]>()
    if (!old || !isAlike(old, service)) return found
    for (const one of this.#byService.get(old)?.each ?? []) {
      const { real } = one.subscriber
      const list = found.get(real)
      if (list) list.push(one)
      else found.set(real, [one])
    }
    return found
  }
}

function isAlike(old: ResolvedService, now: ResolvedService): boolean {
  if (old.part || now.part || old.also || now.also) return false
  return serviceKey(old) === serviceKey(now) && isSameValue(old.virtual, now.virtual)
}

/** True if these are the checks that the real server would get. */
export function areCurrent(known: RealJobs, real: ResolvedReal, checks: ReadonlyMap<string, Check>): boolean {
  return (
    known.length === real.checks.length &&
    known.every(({ job }) => job.path === null && checks.get(job.use.kind) === job.check)
  )
}

/** Returns the subscriber of the same check in the service as it is now. */
export function subscriberOf(service: ResolvedService, old: Subscriber): Subscriber {
  const { real, use, jobId, target, checkKey, serviceKey: key } = old
  return { service, real, use, jobId, target, checkKey, serviceKey: key }
}
