/** A worker and its runs. A run is sent when worker and file are ready. None is lost when the worker ends. */
import type { Answer } from '../check/check.js'
import type { Phase } from '../core/model.js'
import type { Clock } from '../util/clock.js'
import type { Cause } from './cause.js'
import type { CheckRecord } from './check-record.js'
import type { Report } from './messages.js'
import { monotonicNow } from './process-facts.js'
import { SLOTS } from './shared.js'
import { type HandleOptions, WorkerHandle } from './worker-handle.js'
import type { Host, WorkerRun } from './worker-run.js'

/** Milliseconds after which an aborted run that has not ended counts as one that will never end. */
const UNSETTLED = 5000
/** Maximum age of an answer in milliseconds that is accepted from a worker. */
const LONGEST_WAY = 200
/** Recently answered checks that are remembered: their number, and the maximum age in milliseconds. */
const LATELY = 512
export const LATE = 2000

export interface WorkerListener {
  answered(run: WorkerRun, answer: Answer): void
  /** The file of its check cannot be loaded in this worker. */
  unloadable(run: WorkerRun, problem: string): void
  printed(output: Extract<Report, { say: 'output' }>, record: CheckRecord | null): void
  /** Nothing waits for the run any more. `isSent`: it may be in progress. */
  abandoned?(run: WorkerRun, isSent: boolean): void
  /** The worker has ended, with the runs in `begun`. The runs in `waiting` had not begun. */
  ended(cause: Cause, begun: readonly WorkerRun[], waiting: readonly WorkerRun[]): void
}

interface Past {
  readonly record: CheckRecord
  readonly at: number
}

interface Live {
  readonly run: WorkerRun
  readonly slot: number
  /** The name of a phase that the check itself defines. */
  ownPhase: Phase | null
}

export class Worker implements Host {
  readonly handle: WorkerHandle
  /** True if no further runs are sent to it. */
  isRetired = false
  /** Number of checks that are assigned to this worker. */
  assigned = 0
  readonly #clock: Clock
  readonly #listener: WorkerListener
  readonly #modules = new Map<string, 'loading' | 'ready' | { readonly problem: string }>()
  readonly #defined = new Set<number>()
  readonly #waiting = new Set<WorkerRun>()
  readonly #live = new Map<number, Live>()
  /** Aborted runs that have not ended. */
  readonly #unsettled = new Map<number, Past>()
  #lately: Past[] = []
  /** Check of each recently answered run, by run number, for faults that name a run. */
  readonly #answeredBy = new Map<number, CheckRecord>()
  readonly #slots = Array.from({ length: SLOTS - 1 }, (_, i) => i + 1)

  constructor(options: HandleOptions, clock: Clock, listener: WorkerListener) {
    this.#clock = clock
    this.#listener = listener
    this.handle = new WorkerHandle(options, clock, {
      report: report => this.#hear(report),
      ended: cause => this.#ended(cause),
    })
  }

  get lost(): number {
    return this.handle.lost
  }

  lostNow(): number {
    return this.handle.shared.look().lost
  }

  get rounds(): number {
    return this.handle.rounds
  }

  get stillFor(): number {
    return this.handle.stillFor
  }

  /** Number of runs that wait for this worker or are in progress. */
  get load(): number {
    return this.#waiting.size + this.#live.size
  }

  /** Number of runs that were aborted long ago and have not ended. */
  get unsettled(): number {
    const before = this.#clock.now() - UNSETTLED
    let count = 0
    for (const { at } of this.#unsettled.values()) if (at < before) count++
    return count
  }

  /** Returns checks whose code may still be active: aborted runs, and runs that have answered after the time `since`. */
  pastRecords(since: number): CheckRecord[] {
    const unsettled = [...this.#unsettled.values()]
    const lately = this.#lately.filter(({ at }) => at >= since)
    return [...unsettled, ...lately].map(({ record }) => record)
  }

  /** Returns the check of a run that is in progress or has answered recently, or null. */
  recordOf(run: number): CheckRecord | null {
    return (
      this.#live.get(run)?.run.record ?? this.#unsettled.get(run)?.record ?? this.#answeredBy.get(run) ?? null
    )
  }

  /** True if the run has answered or was aborted. */
  isPast(run: number): boolean {
    return !this.#live.has(run)
  }

  send(run: WorkerRun): void {
    run.hold(this)
    this.#waiting.add(run)
    this.#advance(run.record.definition.module)
  }

  phaseOf(run: WorkerRun): Phase {
    const live = this.#live.get(run.number)
    return (live && (this.handle.shared.phase(live.slot) ?? live.ownPhase)) ?? 'run'
  }

  comeRound(): number {
    this.handle.comeRound()
    return this.handle.shared.look().rounds
  }

  abandon(run: WorkerRun): void {
    if (this.#waiting.delete(run)) this.#listener.abandoned?.(run, false)
    if (!this.#live.has(run.number)) return
    this.#close(run)
    this.#unsettled.set(run.number, { record: run.record, at: this.#clock.now() })
    this.handle.post({ do: 'abort', run: run.number })
    this.#listener.abandoned?.(run, true)
  }

  /** True while the worker starts or a file is being loaded. */
  get isLoading(): boolean {
    return !this.handle.isReady || [...this.#modules.values()].includes('loading')
  }

  forget(record: CheckRecord): void {
    if (this.#defined.delete(record.number)) this.handle.post({ do: 'forget', job: record.number })
  }

  #advance(module: string): void {
    if (!this.handle.isReady) return
    const state = this.#modules.get(module)
    if (state === undefined) {
      this.#modules.set(module, 'loading')
      this.handle.post({ do: 'load', module })
    } else if (state !== 'loading')
      for (const run of [...this.#waiting])
        if (run.record.definition.module === module) this.#settleWaiting(run, state)
  }

  #settleWaiting(run: WorkerRun, state: 'ready' | { readonly problem: string }): void {
    this.#waiting.delete(run)
    if (state === 'ready') this.#post(run)
    else this.#listener.unloadable(run, state.problem)
  }

  #post(run: WorkerRun): void {
    const { record, number, timeout, traced, source, marked } = run
    const { number: job, definition } = record
    if (!this.#defined.has(job)) {
      this.#defined.add(job)
      this.handle.post({ do: 'define', job, definition })
    }
    // If there are more runs than slots, runs share slot 0 and may report each other's phase.
    const slot = this.#slots.pop() ?? 0
    this.#live.set(number, { run, slot, ownPhase: null })
    this.handle.shared.reserve(slot)
    const way = { ...(source !== null && { source }), ...(marked && { marked }) }
    this.handle.post({ do: 'start', run: number, slot, job, timeout, traced, ...way })
    run.posted()
  }

  #close(run: WorkerRun): void {
    const live = this.#live.get(run.number)
    if (!live) return
    this.#live.delete(run.number)
    if (live.slot > 0) this.#slots.push(live.slot)
  }

  #hear(report: Report): void {
    switch (report.say) {
      case 'ready':
        for (const module of new Set([...this.#waiting].map(({ record }) => record.definition.module)))
          this.#advance(module)
        break
      case 'loaded':
        this.#modules.set(report.module, report.problem === null ? 'ready' : { problem: report.problem })
        this.#advance(report.module)
        break
      case 'answer':
        this.#answered(report.run, report.answer, monotonicNow() - report.at)
        break
      case 'phase':
        this.#live.get(report.run)?.run.passed(report.time, report.place)
        break
      case 'entered': {
        const live = this.#live.get(report.run)
        if (live) live.ownPhase = report.phase
        break
      }
      case 'settled':
        this.#unsettled.delete(report.run)
        break
      case 'output':
        this.#listener.printed(report, report.run === null ? null : this.recordOf(report.run))
    }
  }

  /** `age` is the number of milliseconds since the answer was given. */
  #answered(number: number, answer: Answer, age: number): void {
    const run = this.#live.get(number)?.run
    // The run was aborted shortly before.
    if (!run) {
      this.#unsettled.delete(number)
      return
    }
    run.answered(Math.min(Math.max(age, 0), LONGEST_WAY))
    this.#close(run)
    this.#remember(run)
    this.#listener.answered(run, answer)
  }

  #remember({ record, number }: WorkerRun): void {
    const now = this.#clock.now()
    this.#lately.push({ record, at: now })
    if (this.#lately.length > 2 * LATELY)
      this.#lately = this.#lately.slice(-LATELY).filter(({ at }) => at >= now - LATE)
    if (!this.handle.isGuarded) return
    this.#answeredBy.set(number, record)
    const [oldest] = this.#answeredBy.keys()
    if (this.#answeredBy.size > LATELY && oldest !== undefined) this.#answeredBy.delete(oldest)
  }

  #ended(cause: Cause): void {
    this.isRetired = true
    const sent = [...this.#live.values()]
    const hasBegun = ({ slot }: { slot: number }) => this.handle.shared.hasBegun(slot)
    const begun = sent.filter(hasBegun).map(({ run }) => run)
    const unread = sent.filter(live => !hasBegun(live)).map(({ run }) => run)
    this.#listener.ended(cause, begun, [...unread, ...this.#waiting])
  }
}
