/** What runs in the engine's thread: a scheduler on the reactor, jobs by orders of the core, and results for it. */
import type { OnDone, Run, StartRun } from '../../check/run.js'
import type { CheckResult } from '../../core/model.js'
import { Reactor } from '../../probe/engine/reactor.js'
import { type BeginNative, NativeProbes } from '../../probe/engine/start-native.js'
import type { CheckSources, MayBeFromVirtual } from '../check-sources.js'
import { alternating, connectTo } from '../connects-between.js'
import { orElse } from '../path-probe.js'
import { type OwnExecutor, Scheduler } from '../scheduler.js'
import { bindingOf, type SourceBinding } from '../source-binding.js'
import { Outbox, type Sender } from './outbox.js'
import { COUNT, type EngineWork, machineTime, type Order, type Report, type SharedTimes } from './protocol.js'

interface EngineJob extends Sender {
  readonly id: string
  readonly place: number
  readonly binding: SourceBinding
  readonly begin: BeginNative
  /** Hands the job to the check's own code; null: that cannot run it. */
  readonly defer: (() => void) | null
  /** What its runs call at their end; null before the first one. */
  done: OnDone | null
  /** Delay of the start of the current run in milliseconds; NaN: the first one. */
  delay: number
}

export interface EngineParts {
  readonly cap: number
  readonly shared: SharedTimes
  readonly sources: CheckSources | null
  readonly post: (report: Report) => void
}

/** Milliseconds. The core looks at the turns once a second, and gives the thread up after several looks without one. */
const LONGEST_WAIT = 1000

export class Engine {
  readonly reactor: Reactor
  readonly #parts: EngineParts
  readonly #probes: NativeProbes
  readonly #scheduler: Scheduler
  readonly #executor: OwnExecutor<EngineJob>
  readonly #jobs = new Map<string, EngineJob>()
  readonly #outbox: Outbox
  /** Delay of the start that is being made. */
  #delay = Number.NaN
  #isClosed = false

  constructor(parts: EngineParts, reactor = new Reactor()) {
    this.#parts = parts
    this.reactor = reactor
    this.#probes = new NativeProbes(reactor)
    this.#outbox = new Outbox(parts.post)
    this.#scheduler = new Scheduler(reactor, parts.cap, ms => {
      this.#delay = ms
    })
    const start: StartRun<EngineJob> = (job, timeout, done) => this.#start(job, timeout, done)
    this.#executor = this.#scheduler.executor(
      start,
      (_, result, job) => this.#report(job, result),
      parts.cap,
      (job, due, isRunning) => this.#noteTimes(job, due, isRunning),
    )
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Handles the orders in their sequence. */
  take(orders: readonly Order[]): void {
    for (const order of orders) this.#take(order)
  }

  /** Waits for events, at most `longest` milliseconds, handles them, and sends the results. */
  turn(longest = LONGEST_WAIT): void {
    this.reactor.turn(Math.min(longest, this.#outbox.dueIn(this.reactor.now())))
    this.#outbox.flush(this.reactor.now())
    this.#count()
  }

  close(): void {
    this.#isClosed = true
    this.#scheduler.close()
    this.#probes.close()
    this.#parts.sources?.close()
    this.reactor.close()
  }

  #take(order: Order): void {
    switch (order.kind) {
      case 'set':
        this.#set(order)
        break
      case 'retime':
        this.#retime(order)
        break
      case 'remove':
        this.#remove(`${order.job}`)
        break
      case 'soon':
        this.#hurry(order.job, id => this.#executor.soon(id, order.ms))
        break
      case 'at once':
        this.#hurry(order.job, id => this.#executor.atOnce(id, order.isAnew))
        break
      case 'give up connecting':
        this.#hurry(order.job, id => this.#executor.giveUpConnecting(id, order.least))
        break
      case 'settled':
        this.#settle(order.runs)
        break
      case 'virtual':
        this.#beginAnew(this.#parts.sources?.followAddresses(order.addresses) ?? null)
        break
      case 'close':
        this.#isClosed = true
    }
  }

  // -------------------------------------------------------------- jobs

  #set({ job: number, place, work, timing }: Order & { readonly kind: 'set' }): void {
    const binding = bindingOf(work, this.#parts.sources)
    const job: EngineJob = {
      job: number,
      id: `${number}`,
      place,
      binding,
      begin: this.#beginning(binding, work),
      defer: work.path && !work.codeTakesPath ? null : () => this.#defer(job),
      done: null,
      last: null,
      run: 0,
      fullIn: -1,
      isSettled: false,
      delay: Number.NaN,
    }
    this.#jobs.set(job.id, job)
    this.#executor.set(job.id, job, timing)
    this.#note(job)
  }

  #retime({ job: number, timing }: Order & { readonly kind: 'retime' }): void {
    const job = this.#jobs.get(`${number}`)
    if (!job) return
    this.#executor.retime(job.id, timing)
    this.#note(job)
  }

  #remove(id: string): void {
    this.#executor.remove(id)
    this.#jobs.delete(id)
  }

  /** Who asks for a run waits for its result. */
  #hurry(number: number, hurry: (id: string) => void): void {
    const job = this.#jobs.get(`${number}`)
    if (!job) return
    job.isSettled = false
    hurry(job.id)
    this.#note(job)
  }

  /** What began from an address that is a virtual one now runs again. */
  #beginAnew(mayBeFrom: MayBeFromVirtual | null): void {
    if (!mayBeFrom) return
    for (const { job, binding } of this.#jobs.values())
      if (binding.isFromVirtual(mayBeFrom)) this.#hurry(job, id => this.#executor.beginAnew(id))
  }

  #settle(runs: readonly (readonly [job: number, run: number])[]): void {
    for (const [number, run] of runs) {
      const job = this.#jobs.get(`${number}`)
      if (job?.run === run) job.isSettled = true
    }
  }

  #beginning({ begin: sourceOf }: SourceBinding, { probe, connects, target, path }: EngineWork): BeginNative {
    const begin = this.#probes.startFrom(probe, sourceOf)
    const connect = connects > 0 ? this.#probes.startFrom(connectTo(target, path?.mark), sourceOf) : null
    return connect ? alternating(begin, connect, connects) : begin
  }

  #start(job: EngineJob, timeout: number, done: OnDone): Run {
    job.delay = this.#delay
    const { counts } = this.#parts.shared
    if (counts[COUNT.firstRun] === 0) counts[COUNT.firstRun] = machineTime(this.reactor.now())
    this.#delay = Number.NaN
    // The scheduler hands the same function to all runs of a job.
    job.done ??= orElse(done, job.defer)
    return job.begin(timeout, job.done)
  }

  #defer(job: EngineJob): void {
    this.#remove(job.id)
    this.#outbox.defer(job.job)
  }

  #report(job: EngineJob, given: CheckResult): void {
    this.#outbox.add(job, job.binding.judged(given), job.delay)
  }

  // -------------------------------------------------------------- what the core sees

  #note(job: EngineJob): void {
    const next = this.#executor.next(job.id)
    if (next) this.#noteTimes(job, this.reactor.now() + next.in, next.isRunning)
  }

  #noteTimes(job: EngineJob, due: number, isRunning: boolean): void {
    this.#parts.shared.dues[job.place] = isRunning ? -machineTime(due) : machineTime(due)
  }

  #count(): void {
    const { counts } = this.#parts.shared
    const { jobs, running, stalls, stalledFor, sinceStall, noVerdicts } = this.#scheduler.counts()
    counts[COUNT.jobs] = jobs
    counts[COUNT.running] = running
    counts[COUNT.waiting] = this.#scheduler.waiting
    counts[COUNT.stalls] = stalls
    counts[COUNT.stalledFor] = stalledFor
    counts[COUNT.sinceStall] = sinceStall ?? -1
    counts[COUNT.noVerdicts] = noVerdicts
    counts[COUNT.turns] = (counts[COUNT.turns] ?? 0) + 1
  }
}
