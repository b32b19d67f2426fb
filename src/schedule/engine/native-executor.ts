/** The core's side of the engine: gives jobs to its thread, and takes results. */
import type { SourceChoice } from '../../core/check-source.js'
import type { CheckResult, Phase } from '../../core/model.js'
import type { Log } from '../../system/log.js'
import type { Clock } from '../../util/clock.js'
import type { CheckSources } from '../check-sources.js'
import { type Executor, type NextRun, type OnResult, type Timing, timingAfter } from '../executor.js'
import type { ScheduleCounts } from '../stats.js'
import { EngineHost } from './engine-host.js'
import { FirstJobs, type RunningJob } from './first-jobs.js'
import { placeOf } from './first-orders.js'
import {
  COUNT,
  type EngineWork,
  type FullResult,
  MOST_JOBS,
  machineNow,
  ownTime,
  type Repeats,
  type Report,
} from './protocol.js'
import { ResultQueue, type Results } from './result-queue.js'

type Line = Report & { readonly kind: 'line' }

export type IsSettled = (id: string, ok: boolean | null) => boolean

export interface NativeParts {
  readonly clock: Pick<Clock, 'now' | 'alarm'>
  readonly cap: number
  readonly sources: CheckSources | null
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>
  readonly report: OnResult
  /** Called for each start but the first of a job, with the milliseconds since it was due. */
  readonly onDelay: (ms: number) => void
  /** True if further results of the job with this verdict would change nothing: they may come later. */
  readonly isSettled: IsSettled
  /**
   * Returns the work of a job again, for a new thread; null: it must run as code. It is not kept here, because it takes as
   * much memory as all else.
   */
  readonly workOf: (id: string) => EngineWork | null
  /** The job must run as code. It is no job of the engine any more. */
  readonly onDeferred: (id: string) => void
  /** These jobs must run elsewhere. The engine is closed. */
  readonly onGivenUp: (jobs: readonly GivenUp[]) => void
  /** The file of the thread; another one in tests. */
  readonly file?: URL
}

/** A job that must run elsewhere, with its timing from now on. */
export interface GivenUp {
  readonly id: string
  readonly timing: Timing
}

export const PORTABLE = "checks run on Node's sockets: the thread for checks does not work here"

/**
 * The newest result of a job, which is the one that the core keeps. Results that repeat it in all but times are written into it: each lives
 * as long as an interval, so objects for each would all get into V8's old generation, and be garbage there.
 */
interface KeptResult extends CheckResult {
  ms: number
  readonly phases: KeptTime[]
}

interface KeptTime {
  readonly phase: Phase
  ms: number
}

interface Job {
  readonly id: string
  readonly number: number
  readonly place: number
  timing: Timing
  /** When `timing` was given, in milliseconds of the clock. */
  timedAt: number
  /** Without `isEarly`, which is not said of those that repeat it. */
  last: KeptResult | null
}

/** Milliseconds after which the thread ends jobs that it has begun at a start, and that nobody has asked for. */
const UNASKED = 10_000

export class NativeExecutor implements Executor<EngineWork> {
  readonly #parts: NativeParts
  readonly #host: EngineHost
  readonly #byId = new Map<string, Job>()
  readonly #byNumber = new Map<number, Job>()
  readonly #free: number[] = []
  readonly #results = new ResultQueue(results => this.#take(results))
  readonly #first: FirstJobs
  /** Jobs with higher numbers were begun by the core. */
  readonly #lastFirst: number
  readonly #cancelUnasked: () => void
  #lastNumber: number
  #lastPlace: number
  #choices: ReadonlyMap<string, SourceChoice> = new Map()

  /** Throws if the engine cannot run on this machine. */
  constructor(parts: NativeParts) {
    this.#parts = parts
    this.#host = new EngineHost({
      ...(parts.file && { file: parts.file }),
      clock: parts.clock,
      cap: parts.cap,
      hasSources: parts.sources !== null,
      onReport: report => this.#hear(report),
      onRestart: why => this.#restarted(why),
      onGivenUp: why => this.#givenUp(why),
    })
    this.#first = new FirstJobs(this.#host.first)
    this.#lastFirst = this.#first.count
    this.#lastNumber = this.#lastFirst
    this.#lastPlace = this.#first.count - 1
    this.#cancelUnasked = parts.clock.alarm(UNASKED, () => this.#endUnasked())
    // The core does not know the virtual addresses yet. The jobs of the start have theirs.
    let first = this.#host.first
    parts.sources?.passOn(addresses => {
      if (first && addresses.length === 0) return
      this.#host.order({ kind: 'virtual', addresses })
      if (first && !addresses.every(one => first?.virtual.includes(one))) this.#beginAnew()
      first = null
    })
  }

  /** False if it has as many jobs as it can have. */
  get hasRoom(): boolean {
    return this.#byId.size < MOST_JOBS
  }

  has(id: string): boolean {
    return this.#byId.has(id)
  }

  set(id: string, work: EngineWork, timing: Timing): void {
    this.remove(id)
    const running = this.#first.take(id, work, timing)
    if (running && this.#takeUp(id, running, timing)) return
    const place = this.#free.pop() ?? ++this.#lastPlace
    this.#give(this.#add(id, ++this.#lastNumber, place, timing), work)
  }

  retime(id: string, timing: Timing): void {
    const job = this.#byId.get(id)
    if (!job) return
    job.timing = timing
    job.timedAt = this.#parts.clock.now()
    this.#host.order({ kind: 'retime', job: job.number, timing })
  }

  remove(id: string): void {
    const job = this.#byId.get(id)
    if (!job) return
    this.#forget(job)
    this.#host.order({ kind: 'remove', job: job.number })
  }

  soon(id: string, ms: number): void {
    const job = this.#byId.get(id)
    if (job) this.#host.order({ kind: 'soon', job: job.number, ms })
  }

  atOnce(id: string, isAnew = false): void {
    const job = this.#byId.get(id)
    if (job) this.#host.order({ kind: 'at once', job: job.number, isAnew })
  }

  giveUpConnecting(id: string, least: number): void {
    const job = this.#byId.get(id)
    if (job) this.#host.order({ kind: 'give up connecting', job: job.number, least })
  }

  next(id: string): NextRun | null {
    const job = this.#byId.get(id)
    if (!job) return null
    const due = this.#host.shared.dues[job.place] ?? 0
    return { in: Math.max(0, Math.abs(due) - machineNow()), isRunning: due < 0 }
  }

  counts(): ScheduleCounts {
    const count = (place: number) => this.#host.shared.counts[place] ?? 0
    const since = count(COUNT.sinceStall)
    return {
      jobs: this.#byId.size,
      running: count(COUNT.running),
      stalls: count(COUNT.stalls),
      stalledFor: count(COUNT.stalledFor),
      sinceStall: count(COUNT.stalls) === 0 ? null : since,
      noVerdicts: count(COUNT.noVerdicts),
    }
  }

  get waiting(): number {
    return this.#host.shared.counts[COUNT.waiting] ?? 0
  }

  sources(): ReadonlyMap<string, SourceChoice> {
    return this.#choices
  }

  /** When the first run began, in milliseconds since the start of the process; null: none has. */
  firstRun(): number | null {
    const at = this.#host.shared.counts[COUNT.firstRun] ?? 0
    return at === 0 ? null : ownTime(at)
  }

  close(): Promise<void> {
    this.#cancelUnasked()
    this.#first.clear()
    this.#results.clear()
    this.#byId.clear()
    this.#byNumber.clear()
    return this.#host.close()
  }

  // -------------------------------------------------------------- the thread

  #give({ number: job, place, timing }: Job, work: EngineWork): void {
    this.#host.shared.dues[place] = machineNow() + timing.firstIn
    this.#host.order({ kind: 'set', job, place, work, timing })
  }

  #add(id: string, number: number, place: number, timing: Timing): Job {
    const job: Job = { id, number, place, timing, timedAt: this.#parts.clock.now(), last: null }
    this.#byId.set(id, job)
    this.#byNumber.set(number, job)
    return job
  }

  /** Takes a job that the thread has begun at the start. Returns false if it is another one, which ends. */
  #takeUp(id: string, { number, place, isSame, last }: RunningJob, timing: Timing): boolean {
    if (!isSame) {
      this.#end(number)
      return false
    }
    this.#add(id, number, place, timing)
    // After the caller has put all of the configuration in force, and before later results, which may wait already.
    if (last) queueMicrotask(() => this.#take({ repeats: null, full: [last], deferred: [] }))
    return true
  }

  /** A virtual address is new, so a check of the start may have it as its source: what they say does not count. */
  #beginAnew(): void {
    this.#endUnasked()
    for (const { id, number, timing } of [...this.#byId.values()]) {
      const work = number <= this.#lastFirst ? this.#parts.workOf(id) : null
      if (work) this.set(id, work, timing)
    }
  }

  #endUnasked(): void {
    for (const number of this.#first.clear()) this.#end(number)
  }

  /** Ends a job of the start that nobody has taken. */
  #end(number: number): void {
    this.#host.order({ kind: 'remove', job: number })
    this.#free.push(placeOf(number))
  }

  #forget(job: Job): void {
    this.#byId.delete(job.id)
    this.#byNumber.delete(job.number)
    this.#free.push(job.place)
  }

  #restarted(why: string): void {
    const text = 'the thread of the checks has ended and was started again'
    this.#first.clear()
    this.#parts.log.warn('engine.restarted', { error: why }, text)
    const { sources } = this.#parts
    if (sources) this.#host.order({ kind: 'virtual', addresses: sources.virtual })
    const now = this.#parts.clock.now()
    for (const job of this.#byId.values()) {
      job.timing = timingAfter(now - job.timedAt, job.timing)
      job.timedAt = now
      const work = this.#parts.workOf(job.id)
      if (work) this.#give(job, work)
      else this.#defer(job)
    }
  }

  #givenUp(why: string): void {
    this.#parts.log.error('engine.portable', { error: why }, PORTABLE)
    const now = this.#parts.clock.now()
    const jobs = [...this.#byId.values()].map(({ id, timing, timedAt }) => ({
      id,
      timing: timingAfter(now - timedAt, timing),
    }))
    this.#byId.clear()
    this.#byNumber.clear()
    this.#parts.onGivenUp(jobs)
  }

  #hear(report: Report): void {
    if (report.kind === 'results') this.#results.add(report)
    else if (report.kind === 'sources') this.#choices = report.choices
    else if (report.kind === 'line' && this.#isNews(report))
      this.#parts.log[report.level](report.event, report.fields as never, report.text)
  }

  /** The core chooses sources as well, and may have told the same. */
  #isNews({ event, fields }: Line): boolean {
    const { sources } = this.#parts
    if (!sources || (event !== 'check.source-replaced' && event !== 'check.virtual-source')) return true
    const { address, source = address } = fields as { readonly address: string; readonly source?: string }
    return sources.isNews(address, source)
  }

  #take({ repeats, full, deferred }: Results): void {
    if (repeats) this.#takeRepeats(repeats)
    const settled: [number, number][] = []
    for (const result of full) if (this.#takeFull(result)) settled.push([result.job, result.run])
    if (settled.length > 0) this.#host.order({ kind: 'settled', runs: settled })
    for (const number of deferred) {
      const job = this.#byNumber.get(number)
      if (job) this.#defer(job)
      else this.#first.forget(number)
    }
  }

  #defer(job: Job): void {
    this.#forget(job)
    this.#parts.onDeferred(job.id)
  }

  /** Returns true if further results like this one may come later. */
  #takeFull(full: FullResult): boolean {
    const { job: number, result, delay } = full
    const job = this.#byNumber.get(number)
    if (!job) {
      this.#first.hold(full)
      return false
    }
    job.last = kept(result)
    this.#result(job.id, result, delay)
    return this.#byNumber.get(number) === job && this.#parts.isSettled(job.id, result.ok)
  }

  #takeRepeats(numbers: Repeats): void {
    for (let at = 0; at < numbers.length; at += 4 + (numbers[at + 3] as number)) {
      const job = this.#byNumber.get(numbers[at] as number)
      if (!job?.last) continue
      const { last } = job
      last.ms = numbers[at + 2] as number
      setTimes(last.phases, numbers, at + 4)
      // One that is news in the core by now may be kept in an event.
      const isNews = !this.#parts.isSettled(job.id, last.ok)
      this.#result(job.id, isNews ? kept(last) : last, numbers[at + 1] as number)
    }
  }

  #result(id: string, result: CheckResult, delay: number): void {
    if (!Number.isNaN(delay)) this.#parts.onDelay(delay)
    this.#parts.report(id, result)
  }
}

/** Gives the phases the times that begin at `from`. */
function setTimes(phases: readonly KeptTime[], numbers: Repeats, from: number): void {
  for (let i = 0; i < phases.length; i++) (phases[i] as KeptTime).ms = numbers[from + i] as number
}

/** A literal, because V8 reads the properties of copies made by a spread several times more slowly. */
function kept({ ok, reason, detail, phase, ms, phases, advice }: CheckResult): KeptResult {
  const result = {
    ok,
    reason,
    detail,
    phase,
    ms,
    phases: phases.map(one => ({ phase: one.phase, ms: one.ms })),
  }
  return advice ? { ...result, advice } : result
}
