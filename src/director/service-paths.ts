/**
 * Checks through the paths of services (`path: service`): the marked services that they need in the kernel's table, and
 * when they may run. Without its marked service a check would end on the director itself, so it is not sent then, and a
 * verdict that would change something counts only while the service is in the table.
 *
 *   mark   marked service            answers taken   each run of the check
 *   none   any                       any             has no verdict: all marks are in use
 *   yes    absent, or another one    any             has no verdict; before the first round, it waits
 *   yes    with its server alone     no              has no verdict: the sysctls of this machine drop the answers
 *   yes    with its server alone     yes             goes through the path
 */
import { noVerdict } from '../check/check.js'
import type { PathUse } from '../check/run-code.js'
import { type CheckResult, keyOfService, type ServiceId, type Table } from '../core/model.js'
import {
  allotMarks,
  leadsThrough,
  type MarkRange,
  markedId,
  markedServices,
  marksOfOthers,
  pathsOf,
  type ServicePath,
} from '../core/service-path.js'
import type { Job } from '../health/jobs.js'
import type { Kernel } from '../ipvs/kernel.js'
import type { PathOwner } from '../reconcile/path-owner.js'
import type { Desired } from '../reconcile/reconciler-types.js'
import { type Timing, timingAfter } from '../schedule/executor.js'
import type { Executors } from '../schedule/executors.js'
import { unproved } from '../schedule/path-probe.js'
import type { Journal } from '../storage/journal.js'
import type { Sliced } from '../util/time-slice.js'
import { leaveToOthers, takeLeftServices } from './left-services.js'
import type { PathAnswers } from './path-answers.js'
import { Proofs } from './proofs.js'

type Work = Parameters<Executors['set']>[1]

export interface ServicePathsParts {
  readonly journal: Pick<Journal, 'owned' | 'marks' | 'record'>
  readonly kernel: Pick<Kernel, 'reals'>
  /** False for a table in memory, which forwards no packets. */
  readonly isForwarding: boolean
  /** Null: this is not known, and the checks run. */
  readonly answers: Pick<PathAnswers, 'refusals'> | null
  /** Null: marked services are not signed, and none of an earlier lvsd is removed that the journal does not have. */
  readonly owner: Pick<PathOwner, 'take' | 'running' | 'close'> | null
  range(): MarkRange
  /** Another map after each change. */
  jobs(): ReadonlyMap<string, Job>
  /** True if a result with this verdict would change nothing. */
  isSettled(id: string, ok: boolean | null): boolean
  /** The table, or what becomes of answers, is not as it was believed to be. */
  onMissing(): void
  /** Milliseconds of the steady clock. */
  now(): number
}

interface Waiting {
  readonly work: Work
  readonly path: PathUse
  readonly timing: Timing
  readonly since: number
  /** Why its runs have no verdict; undefined: it does not run before the first round. */
  readonly why: string | undefined
}

const NO_MARK = 'all firewall marks for checks through paths of services are in use: see settings: marks'
const NO_ENTRY = "the service of this check with a firewall mark is not in the kernel's table"
const IN_MEMORY = 'a table in memory forwards no packets, so no check goes through the path of a service'

export class ServicePaths {
  readonly #parts: ServicePathsParts
  #paths: ReadonlyMap<string, ServicePath> = new Map()
  #marks: ReadonlyMap<string, number>
  #jobs: ReadonlyMap<string, Job> | null = null
  #range: MarkRange = { from: 0, count: 0 }
  /** False after a change of the paths. */
  #isAllotted = false
  #hasTakenLeft = false
  /** Signs the marked services. */
  #owner: number | undefined
  #internal: Table = new Map()
  /** Keys of the marked services by path. */
  #keys = new Map<string, string>()
  /** All marks that were ever given to paths: a service on one of them is lvsd's own until it is removed. */
  readonly #given: Set<number>
  /** Why the checks of a path wait, by its key; null: they run. None before the first table. */
  #states: ReadonlyMap<string, string | null> = new Map()
  /** When the marked service of a path was last found missing. */
  readonly #missed = new Map<string, number>()
  readonly #waiting = new Map<string, Waiting>()
  readonly #running = new Map<string, { readonly work: Work; readonly path: PathUse; timing: Timing }>()
  readonly #proofs = new Proofs()
  #executors: Executors | null = null

  constructor(parts: ServicePathsParts) {
    this.#parts = parts
    this.#marks = parts.journal.marks
    this.#given = new Set(this.#marks.values())
  }

  /** True for a marked service. */
  isInternal(id: ServiceId): boolean {
    return id.kind === 'fwmark' && this.#given.has(id.fwmark)
  }

  close(): void {
    this.#parts.owner?.close()
  }

  // -------------------------------------------------------------- the table

  /** Adds the marked services to the desired table. `actual` is the table as found, before anything is repaired. */
  desired(desired: Desired, actual: Table): Desired {
    this.#follow(this.#parts.jobs())
    // A mark that `settings: marks` had before may be one of the configuration now.
    for (const id of desired.ids) if (id.kind === 'fwmark') this.#given.delete(id.fwmark)
    if (!this.#hasTakenLeft)
      for (const mark of takeLeftServices(this.#parts, desired, actual)) this.#given.add(mark)
    this.#hasTakenLeft = true
    for (const mark of leaveToOthers(this.#parts, this.#owner, actual))
      if (this.#given.delete(mark)) this.#isAllotted = false
    if (this.#paths.size === 0 && this.#marks.size === 0) return desired
    this.#noteMissing(actual)
    this.#owner ??= this.#parts.owner?.take(this.#ownerIn(actual))
    this.#allot(marksOfOthers(actual, this.#parts.journal.owned))
    const table = new Map(desired.table)
    const ids = [...desired.ids]
    for (const [key, service] of this.#internal) {
      table.set(key, service)
      ids.push(service.id)
    }
    return { ...desired, table, ids, internal: this.#internal, marks: this.#marks }
  }

  /** Returns the number by which this lvsd has signed before. */
  #ownerIn(actual: Table): number | undefined {
    for (const [key, { id, owner }] of actual)
      if (owner !== undefined && this.isInternal(id) && this.#parts.journal.owned.has(key)) return owner
    return undefined
  }

  #follow(jobs: ReadonlyMap<string, Job>): void {
    if (jobs === this.#jobs) return
    this.#jobs = jobs
    this.#paths = pathsOf(jobs.values())
    this.#isAllotted = false
  }

  /** Gives marks to paths that have none, and takes back those that another program has. */
  #allot(others: ReadonlySet<number>): void {
    const range = this.#parts.range()
    const isSame = range.from === this.#range.from && range.count === this.#range.count
    const isEnough = this.#isAllotted && this.#marks.size === this.#paths.size
    if (isEnough && isSame && ![...others].some(mark => this.#given.has(mark))) return
    this.#isAllotted = true
    this.#range = range
    this.#marks = allotMarks(this.#paths.keys(), range, this.#marks, others)
    for (const mark of this.#marks.values()) this.#given.add(mark)
    this.#internal = markedServices(this.#paths, this.#marks, this.#owner)
    this.#keys = new Map()
    for (const [key, path] of this.#paths) {
      const mark = this.#marks.get(key)
      if (mark !== undefined) this.#keys.set(key, keyOfService(markedId(path, mark)))
    }
  }

  /** As `desired`, of what is computed in time slices. */
  *desiring(desired: Sliced<Desired>, actual: Table): Sliced<Desired> {
    return this.desired(yield* desired, actual)
  }

  #noteMissing(actual: Table): void {
    for (const [key, state] of this.#states)
      if (state === null && !this.#isIn(actual, key)) this.#missed.set(key, this.#parts.now())
  }

  #isIn(table: Table, key: string): boolean {
    const [path, service] = [this.#paths.get(key), this.#keys.get(key)]
    return path !== undefined && service !== undefined && leadsThrough(table.get(service), path)
  }

  /** Takes the table after a round: checks start that have their marked service, and others wait. */
  settle(table: Table): void {
    if (this.#paths.size === 0 && this.#states.size === 0) return
    const refusals = this.#refusals(this.#paths.values())
    this.#states = new Map(
      [...this.#paths.keys()].map(key => [key, this.#whyNot(key, table) ?? refusals.get(key) ?? null]),
    )
    for (const key of this.#missed.keys()) if (!this.#paths.has(key)) this.#missed.delete(key)
    const now = this.#parts.now()
    for (const [id, { work, path, timing, since, why }] of [...this.#waiting])
      if (this.#states.get(path.key) !== why) this.#set(id, work, path, timingAfter(now - since, timing))
    for (const [id, { work, path, timing }] of [...this.#running])
      if (this.#states.get(path.key) !== null || this.#marks.get(path.key) !== path.mark)
        this.#set(id, work, path, timing)
  }

  #whyNot(key: string, table: Table): string | null {
    if (!this.#parts.isForwarding) return IN_MEMORY
    if (!this.#marks.has(key)) return NO_MARK
    return this.#isIn(table, key) ? null : NO_ENTRY
  }

  #refusals(paths: Iterable<ServicePath>): ReadonlyMap<string, string> {
    try {
      return this.#parts.answers?.refusals(paths) ?? new Map()
    } catch {
      // The kernel does not answer; the checks show what becomes of their answers.
      return new Map()
    }
  }

  // -------------------------------------------------------------- the schedule

  /** Returns the executors that let a check through a path wait until it may run. */
  through(executors: Executors): Executors {
    this.#executors = executors
    const forget = (id: string) => {
      this.#waiting.delete(id)
      this.#running.delete(id)
    }
    return {
      ...executors,
      set: (id, work, timing) => {
        forget(id)
        if (work.path && !work.answer) this.#set(id, work, work.path, timing)
        else executors.set(id, work, timing)
      },
      remove: id => {
        forget(id)
        executors.remove(id)
      },
      retime: (id, timing) => {
        const [waiting, running] = [this.#waiting.get(id), this.#running.get(id)]
        if (running) running.timing = timing
        if (waiting) this.#waiting.set(id, { ...waiting, timing, since: this.#parts.now() })
        executors.retime(id, timing)
      },
    }
  }

  #set(id: string, work: Work, path: PathUse, timing: Timing): void {
    const executors = this.#executors as Executors
    const mark = this.#marks.get(path.key)
    const why = this.#states.get(path.key)
    this.#waiting.delete(id)
    this.#running.delete(id)
    if (why === null && mark !== undefined) {
      const marked = { ...path, mark }
      this.#running.set(id, { work, path: marked, timing })
      executors.set(id, { ...work, path: marked }, timing)
      return
    }
    this.#waiting.set(id, { work, path, timing, since: this.#parts.now(), why: why ?? undefined })
    if (why) executors.set(id, { ...work, answer: noVerdict(why) }, timing)
    else executors.remove(id)
  }

  // -------------------------------------------------------------- verdicts

  /**
   * Passes a result on. A verdict through a path that would change something is passed on once the kernel has said that
   * the marked service is in the table; otherwise it is none, because the director itself may have answered. A failure
   * counts only while the answers are taken: the virtual address may have come to this machine since the last round.
   */
  judge(id: string, result: CheckResult, pass: (result: CheckResult) => void): void {
    const running = this.#running.get(id)
    const isPlain = !running || result.ok === null || this.#parts.isSettled(id, result.ok)
    if (isPlain && !this.#proofs.has(id)) pass(result)
    else this.#proofs.add(id, () => (isPlain ? result : this.#proved(running.path, result)), pass)
  }

  async #proved({ key, mark }: PathUse, result: CheckResult): Promise<CheckResult> {
    const began = this.#parts.now() - result.ms
    const path = this.#paths.get(key)
    if (!path || mark === undefined) return unproved(result, NO_ENTRY)
    try {
      const reals = await this.#parts.kernel.reals(markedId(path, mark), [path.realKey])
      const held = { reals: new Map([...reals].map(([name, { real }]) => [name, real])) }
      const missedAt = this.#missed.get(key) ?? Number.NEGATIVE_INFINITY
      if (leadsThrough(held, path) && missedAt < began) return this.#heard(result, path)
      if (missedAt < began) this.#parts.onMissing()
      return unproved(result, NO_ENTRY)
    } catch (error) {
      return unproved(result, `the kernel's table cannot be read: ${(error as Error).message}`)
    }
  }

  /** Returns a failure without a verdict if the kernel drops the answers now. Then the next round lets the check wait. */
  #heard(result: CheckResult, path: ServicePath): CheckResult {
    const why = result.ok ? undefined : this.#refusals([path]).get(path.key)
    if (why === undefined) return result
    if (this.#states.get(path.key) === null) this.#parts.onMissing()
    return unproved(result, why)
  }
}
