/** Derives jobs from a configuration: one job for each distinct check and target, shared by its subscribers. Pure. */

import { type Answer, type Check, noVerdict, type Target, type TargetService } from '../check/check.js'
import type { CheckWork } from '../check/run-code.js'
import type { Address, Family } from '../core/address.js'
import { idsOf } from '../core/kernel-services.js'
import {
  familyOf,
  keyOfMember,
  keyOfReal,
  type ResolvedCheckUse,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
} from '../core/model.js'
import { pathOf, type ServicePath } from '../core/service-path.js'
import { differingOf } from '../core/shared-config.js'
import { eachInSteps, runSync, type Sliced } from '../util/time-slice.js'
import { areCurrent, EarlierJobs, type RealJobs, subscriberOf } from './earlier-jobs.js'
import { questionOf, serviceKey, versionOf } from './job-ids.js'
import type { Job, Jobs, ServiceJobs, Subscriber } from './job-types.js'

export type { Job, Jobs, ServiceJobs, Subscriber } from './job-types.js'

/** Returns the part of a job that an executor needs. */
export function workOf({ check, target, use, answer, path }: Job): CheckWork {
  const { options, connects = 0, source } = use
  // The case of nearly all.
  if (source === undefined && !path) return { check, target, options, connects, answer }
  return {
    ...{ check, target, options, connects, answer },
    ...(source !== undefined && { source }),
    ...(path && { path: { key: path.key, via: path.real.address, how: howThrough(path) } }),
  }
}

/** Returns the forwarding and the real server of a path, for people: `gate to [2001:db8::1]:80`. */
export function howThrough({ real }: ServicePath): string {
  return `${real.forwarding} to ${keyOfReal(real)}`
}

/** Returns the address of the server that a check tells of: the virtual address is one of many servers. */
export function serverOf({ use, target }: Pick<Subscriber, 'use' | 'target'>): Address {
  return use.path === 'service' ? target.real.address : target.address
}

/**
 * Returns the name of a check of a server, `web/[2001:db8:1::11]:80/http`. Logs use it instead of the job id, which
 * has a hash of all options, including passwords.
 */
export function nameOfCheck({ service, real, use }: Pick<Subscriber, 'service' | 'real' | 'use'>): string {
  return `${service.name}/${keyOfMember({ name: '' }, real).trimStart()}/${use.kind}`
}

/**
 * Returns the jobs and their subscribers. A real server without a known address has no job. What follows from the same
 * objects as in `before` is not made again.
 */
export function jobsOf(
  config: ResolvedConfig,
  checks: ReadonlyMap<string, Check>,
  before: Pick<Jobs, 'byService'> | null = null,
): Jobs {
  return runSync(makingJobs(config, checks, before))
}

/** Same as `jobsOf`, in time slices. */
export function* makingJobs(
  config: ResolvedConfig,
  checks: ReadonlyMap<string, Check>,
  before: Pick<Jobs, 'byService'> | null = null,
): Sliced<Jobs> {
  const byName = new Map(config.services.map(service => [service.name, service]))
  const earlier = new EarlierJobs(before?.byService)
  const jobs = new Map<string, Job>()
  const subscribers: Subscriber[] = []
  const byService = new Map<ResolvedService, ServiceJobs>()
  for (const service of config.services) {
    const first = (service.part && byName.get(service.part.first)) ?? null
    const known = before?.byService.get(service)
    const isSame =
      known?.first === first && [...known.kinds].every(([kind, check]) => checks.get(kind) === check)
    const own = known && isSame ? known : yield* serviceJobs(service, first, checks, earlier.of(service))
    byService.set(service, own)
    for (const { job, subscriber } of own.each) {
      if (!jobs.has(job.id)) jobs.set(job.id, job)
      subscribers.push(subscriber)
    }
    yield
  }
  return { jobs, subscribers, byService }
}

/** Returns what is in the first ones alone, and what is in the second ones alone. */
export function differingJobs(
  before: Pick<Jobs, 'byService'>,
  next: Pick<Jobs, 'byService'>,
): readonly [gone: readonly ServiceJobs[], fresh: readonly ServiceJobs[]] {
  return differingOf([...before.byService.values()], [...next.byService.values()])
}

function* serviceJobs(
  service: ResolvedService,
  first: ResolvedService | null,
  checks: ReadonlyMap<string, Check>,
  earlier: ReadonlyMap<ResolvedReal, RealJobs>,
): Sliced<ServiceJobs> {
  const key = serviceKey(service)
  const kinds = new Map<string, Check | undefined>()
  const each: { job: Job; subscriber: Subscriber }[] = []
  const targetServices = new TargetServices()
  yield* eachInSteps(service.reals, (real, i) => {
    const known = earlier.get(real)
    if (known && areCurrent(known, real, checks)) {
      for (const { job, subscriber } of known) {
        kinds.set(job.use.kind, job.check)
        each.push({ job, subscriber: subscriberOf(service, subscriber) })
      }
      return
    }
    for (const use of real.checks) {
      const check = checks.get(use.kind)
      kinds.set(use.kind, check)
      if (!real.address || !check) continue
      const asker = askerOf(service, i, first) ?? { service, real }
      const path = use.path === 'service' ? pathOf(asker.service, asker.real) : null
      const direct = targetOf(asker, real.address, { use, check, targetServices })
      const target = path ? { ...direct, address: path.virtual, port: use.port ?? path.port } : direct
      const checkKey = questionOf(asker.service, asker.real, target, use, check)
      const id = `${checkKey} every ${use.policy.interval} within ${use.policy.timeout}${versionOf(check)}`
      const job = { id, check, target, use, answer: answerFor(use, path), path }
      each.push({ job, subscriber: { service, real, use, jobId: id, target, checkKey, serviceKey: key } })
    }
  })
  return { first, kinds, each }
}

/**
 * If the service is a part of a service with several protocols or ports, returns the first part and its real server:
 * they are checked on behalf of all parts, so that a real server has the same health in each. Else null.
 */
function askerOf(
  { reals }: ResolvedService,
  i: number,
  first: ResolvedService | null,
): { readonly service: ResolvedService; readonly real: ResolvedReal } | null {
  const real = first?.reals[i]
  return first && real && real.host === reals[i]?.host ? { service: first, real } : null
}

/** Returns the answer of a check whose target is a name without a known address, else null. */
function answerFor(use: ResolvedCheckUse, through: ServicePath | null): Answer | null {
  if (use.path === 'service' && !through)
    return noVerdict('the virtual address of the service does not resolve')
  const { host, address } = use
  return address === null ? noVerdict(`the target of this check, ${host}, does not resolve`) : null
}

/** The service of a target, one object for all targets that have the same. */
class TargetServices {
  readonly #known = new Map<ResolvedService, Map<Family, TargetService>>()

  of(service: ResolvedService, family: Family): TargetService {
    const ofService = this.#known.get(service) ?? new Map<Family, TargetService>()
    this.#known.set(service, ofService)
    const known = ofService.get(family) ?? targetService(service, family)
    ofService.set(family, known)
    return known
  }
}

interface Targeted {
  readonly use: ResolvedCheckUse
  readonly check: Check
  readonly targetServices: TargetServices
}

function targetOf(
  { service, real }: { readonly service: ResolvedService; readonly real: ResolvedReal },
  address: Address,
  { use, check, targetServices }: Targeted,
): Target {
  const { weight } = real.attributes
  return {
    address: use.address ?? address,
    port: use.port ?? (real.port || (check.defaultPort ?? servicePort(service))),
    real: { address, port: real.port, weight },
    service: targetServices.of(service, address.family),
  }
}

/** Of several addresses, the first of the family of the real server is meant, else the first. */
function targetService(service: ResolvedService, family: Family | null = null): TargetService {
  const { name, virtual } = service
  if (virtual.kind === 'fwmark')
    return { name, address: null, port: 0, protocol: 'fwm', fwmark: virtual.fwmark }
  const { protocol, port } = virtual
  const id = (service.also && idsOf(service).find(one => familyOf(one) === family)) || service.id
  return { name, address: id?.kind === 'address' ? id.address : null, port, protocol, fwmark: null }
}

function servicePort(service: ResolvedService): number {
  return targetService(service).port
}

/** Compares jobs. A check with `perService` also receives values that are not in the job id, such as weights. */
export function isSameJob(job: Job, before: Job | undefined): boolean {
  if (job === before) return true
  return (
    before !== undefined &&
    job.path?.real.forwarding === before.path?.real.forwarding &&
    isSameCode(before.check, job.check) &&
    (!job.check.perService || JSON.stringify(before.target) === JSON.stringify(job.target))
  )
}

/** A reload creates new `Check` objects for users' files. `module` identifies the content of the file. */
function isSameCode(before: Check, now: Check): boolean {
  return before === now || (now.module !== undefined && before.module === now.module)
}
