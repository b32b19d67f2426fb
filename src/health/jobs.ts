/** From a configuration to the jobs that check it: one for each distinct checkKey, however often it is asked. Pure. */

import { type Answer, type Check, noVerdict, type Target, type TargetService } from '../check/check.js'
import type { CheckWork } from '../check/run-code.js'
import type { Address } from '../core/address.js'
import {
  type CheckUse,
  keyAsWritten,
  keyOfMember,
  keyOfService,
  type ResolvedCheckUse,
  type ResolvedConfig,
  type ResolvedReal,
  type ResolvedService,
} from '../core/model.js'

/** One checkKey, asked again and again. */
export interface Job {
  /** What is asked, of whom, how often: unchanged across a reload means the job goes on undisturbed. */
  readonly id: string
  readonly check: Check
  readonly target: Target
  readonly use: CheckUse
  /** What is said in place of asking, where there is nobody to ask. */
  readonly answer: Answer | null
}

/** What an executor has to do for a job. */
export function workOf({ check, target, use, answer }: Job): CheckWork {
  return { check, target, options: use.options, connects: use.connects ?? 0, answer }
}

/** Who listens to a job: one check of one real server of one service. */
export interface Subscriber {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly use: CheckUse
  readonly jobId: string
  readonly target: Target
  /** What is asked of whom, whatever the intervals and counts. */
  readonly checkKey: string
  /** What the kernel calls the service. */
  readonly serviceKey: string
}

export interface Jobs {
  readonly jobs: ReadonlyMap<string, Job>
  readonly subscribers: readonly Subscriber[]
}

/**
 * `web/[2001:db8:1::11]:80/http`: what a check of a server is called. The id of its job holds all that is asked, passwords
 * too, and is for no log.
 */
export function nameOfCheck({ service, real, use }: Pick<Subscriber, 'service' | 'real' | 'use'>): string {
  return `${service.name}/${keyOfMember({ name: '' }, real).trimStart()}/${use.kind}`
}

/** Real servers and services whose names do not resolve have no jobs: they are down for that reason. */
export function jobsOf(config: ResolvedConfig, checks: ReadonlyMap<string, Check>): Jobs {
  const jobs = new Map<string, Job>()
  const subscribers: Subscriber[] = []
  const byName = new Map(config.services.map(service => [service.name, service]))
  for (const service of config.services) {
    const key = serviceKey(service)
    for (const [i, real] of service.reals.entries())
      for (const use of real.checks) {
        const check = checks.get(use.kind)
        if (!real.address || !check) continue
        const asker = askerOf(service, i, byName) ?? { service, real }
        const target = targetOf(asker.service, asker.real, real.address, use, check)
        const checkKey = questionOf(asker.service, asker.real, target, use, check)
        const id = `${checkKey} every ${use.policy.interval} within ${use.policy.timeout}${versionOf(check)}`
        if (!jobs.has(id)) jobs.set(id, { id, check, target, use, answer: answerFor(use) })
        subscribers.push({ service, real, use, jobId: id, target, checkKey, serviceKey: key })
      }
  }
  return { jobs, subscribers }
}

/** Of several protocols and ports of one service the first asks for all: one health, whatever port is its own. */
function askerOf(
  { part, reals }: ResolvedService,
  i: number,
  byName: ReadonlyMap<string, ResolvedService>,
): { readonly service: ResolvedService; readonly real: ResolvedReal } | null {
  const first = part && byName.get(part.first)
  const real = first?.reals[i]
  return first && real && real.host === reals[i]?.host ? { service: first, real } : null
}

/** A check that is sent to a name has nobody to ask while that is not resolved. */
function answerFor({ host, address }: ResolvedCheckUse): Answer | null {
  return address === null ? noVerdict(`the target of this check, ${host}, does not resolve`) : null
}

function targetOf(
  service: ResolvedService,
  real: ResolvedReal,
  address: Address,
  use: ResolvedCheckUse,
  check: Check,
): Target {
  const { weight } = real.attributes
  return {
    address: use.address ?? address,
    port: use.port ?? (real.port || (check.defaultPort ?? servicePort(service))),
    real: { address, port: real.port, weight },
    service: targetService(service),
  }
}

/** What is asked of whom; on whose behalf only where the check says that it matters. */
function questionOf(
  service: ResolvedService,
  real: ResolvedReal,
  target: Target,
  use: ResolvedCheckUse,
  check: Check,
): string {
  const asker = check.perService ? [serviceKey(service), keyOfMember(service, real)] : []
  const connects = use.connects ? [`${use.connects} connects`] : []
  const host = use.address === null ? [use.host] : []
  return JSON.stringify([
    use.kind,
    target.address.text,
    target.port,
    use.options,
    ...connects,
    ...host,
    ...asker,
  ])
}

/** A changed file of a user's folder is asked anew; the checkKey and the health of the server stay. */
function versionOf({ origin, module }: Check): string {
  return origin === 'user' ? ` by ${module}` : ''
}

function targetService(service: ResolvedService): TargetService {
  const { name, id, virtual } = service
  if (virtual.kind === 'fwmark')
    return { name, address: null, port: 0, protocol: 'fwm', fwmark: virtual.fwmark }
  const { protocol, port } = virtual
  return { name, address: id?.kind === 'address' ? id.address : null, port, protocol, fwmark: null }
}

function servicePort(service: ResolvedService): number {
  return targetService(service).port
}

function serviceKey(service: ResolvedService): string {
  return service.id ? keyOfService(service.id) : keyAsWritten(service.virtual)
}
