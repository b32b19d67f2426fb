/** Jobs, and who uses their results. */
import type { Answer, Check, Target } from '../check/check.js'
import type { CheckUse, ResolvedReal, ResolvedService } from '../core/model.js'
import type { ServicePath } from '../core/service-path.js'

/** One distinct check of one target, which runs repeatedly. */
export interface Job {
  /** Identifies kind, options, target, interval and timeout. A job with the same id continues across a reload. */
  readonly id: string
  readonly check: Check
  readonly target: Target
  readonly use: CheckUse
  /** Fixed answer that replaces a run, if the check has a target without an address; else null. */
  readonly answer: Answer | null
  /** The way of a check that goes to the virtual address; null: it goes to its target directly. */
  readonly path: ServicePath | null
}

/** Uses the results of a job: one check of one real server of one service. */
export interface Subscriber {
  readonly service: ResolvedService
  readonly real: ResolvedReal
  readonly use: CheckUse
  readonly jobId: string
  readonly target: Target
  /** Identifies kind, options and target, without interval, timeout, `rise` and `fall`. */
  readonly checkKey: string
  /** Key of the service in the kernel; as written in the configuration while its name has no address. */
  readonly serviceKey: string
}

export interface Jobs {
  readonly jobs: ReadonlyMap<string, Job>
  readonly subscribers: readonly Subscriber[]
  readonly byService: ReadonlyMap<ResolvedService, ServiceJobs>
}

/** The checks of one service, and what they follow from beside it. */
export interface ServiceJobs {
  /** The first part, if the service is a part of one with several protocols or ports; else null. */
  readonly first: ResolvedService | null
  /** The kinds of its checks; undefined: such a kind is not loaded. */
  readonly kinds: ReadonlyMap<string, Check | undefined>
  readonly each: readonly { readonly job: Job; readonly subscriber: Subscriber }[]
}
