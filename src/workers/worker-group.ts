/**
 * The workers of one group, and the assignment of runs to them. Shipped checks share a few workers. Commands have their
 * own worker, because a fork blocks it. Each file of a user has one. A worker that ends is replaced, and its runs are
 * repeated.
 */
import { type Answer, down, noVerdict } from '../check/check.js'
import type { Log } from '../system/log.js'
import type { Clock } from '../util/clock.js'
import { attributeTo } from './attribution.js'
import { type Cause, whatItDid } from './cause.js'
import { type CheckRecord, fileOf } from './check-record.js'
import { BLOCKED, SPAWN_LIMIT } from './liveness.js'
import type { MemoryGate } from './memory-gate.js'
import { Quarantine } from './quarantine.js'
import { Starts } from './starts.js'
import { Worker } from './worker.js'
import type { HandleOptions } from './worker-handle.js'
import type { WorkerRun } from './worker-run.js'

/** Number of checks per worker at which another worker is started. */
const CROWD = 128
/** Number of aborted, unended runs at which their worker is replaced. */
const MOST_UNSETTLED = 32
/** Milliseconds for which a group is not used after its worker failed to start: first and maximum value. */
const FIRST_REST = 1000
const LONGEST_REST = 300_000
/** Maximum number of processes in addition to the group's size: old ones that cannot be interrupted and have not ended. */
const MOST_STUCK = 2
/** Minimum milliseconds between two log lines about printed output. */
const OUTPUT_EVERY = 60_000
/** Niceness of workers for users' files and of quarantine workers, so that the core has priority. */
const NICE = 2

export interface WorkerGroupTerms {
  readonly name: string
  /** The user's file, or null for shipped checks. */
  readonly module: string | null
  readonly size: number
  /** True if the checks start processes. */
  readonly startsProcesses: boolean
  readonly clock: Clock
  readonly log: WorkerLog
  /** The gate of the pool for checks that may exhaust the memory. */
  readonly gate: MemoryGate
  /** Called when a worker has been started. */
  opened(worker: Worker): void
}

export type WorkerLog = Pick<Log, 'info' | 'warn' | 'error'>

interface Trouble {
  readonly answer: Answer
  readonly until: number
  readonly rest: number
}

export class WorkerGroup {
  readonly #terms: WorkerGroupTerms
  readonly #options: HandleOptions
  readonly #starts: Starts
  readonly #quarantine: Quarantine
  readonly #workers: Worker[] = []
  readonly #homes = new Map<CheckRecord, Worker>()
  #records = 0
  #held: WorkerRun[] = []
  #trouble: Trouble | null = null
  /** True if the last worker ended without a known culprit. */
  #isWide = false
  #printed = { bytes: 0, toldAt: Number.NEGATIVE_INFINITY }
  #count = 0
  /** Number of processes, including those that were ended and are not gone yet. */
  #processes = 0
  #isClosed = false

  constructor(terms: WorkerGroupTerms) {
    const { name, module, clock, gate, startsProcesses } = terms
    const isGuarded = module !== null
    const patience = startsProcesses ? SPAWN_LIMIT : BLOCKED
    this.#terms = terms
    this.#options = { name, isGuarded, niceness: isGuarded ? NICE : 0, patience }
    this.#starts = new Starts(clock)
    this.#quarantine = new Quarantine({
      clock,
      starts: new Starts(clock),
      gate,
      worker: { name, isGuarded, niceness: NICE, patience },
      unloadable: (run, problem) => this.#unloadable(run, problem),
      printed: output => this.#reportOutput(output),
      convict: (record, cause, isLate) => this.#convict(record, cause, isLate),
      acquitted: record => this.#acquitted(record),
      notBegun: cause => this.#rest(cause),
      again: run => this.start(run),
      started: worker => this.#reportStarted(worker),
      ended: (worker, cause) => this.#reportEnded(worker, cause),
    })
  }

  get workers(): Worker[] {
    return [...this.#workers, ...this.#quarantine.workers]
  }

  /** True while runs are in progress that need frequent ticks. */
  get isRisky(): boolean {
    const isBusy = (worker: Worker) => worker.load > 0
    return (this.#options.isGuarded && this.#workers.some(isBusy)) || this.#quarantine.workers.some(isBusy)
  }

  enter(): void {
    this.#records++
  }

  /** Removes a check. The workers end when the last one is removed. */
  leave(record: CheckRecord): void {
    this.#records--
    this.#moveOut(record)
    this.#quarantine.forget(record)
    if (this.#records > 0) return
    this.#quarantine.close()
    for (const worker of [...this.#workers]) worker.handle.end({ kind: 'dismissed' })
  }

  start(run: WorkerRun): void {
    const { record } = run
    const now = this.#terms.clock.now()
    const unasked = record.answerUnasked(now) ?? this.#answerResting(now)
    // Asynchronous, like every other answer.
    if (unasked) setImmediate(() => run.land(unasked))
    else if (record.mustBeAlone) this.#quarantine.add(run)
    else this.#assign(run)
  }

  /** Ends workers that are not needed and replaces worn-out ones; called periodically. */
  sweep(): void {
    this.#quarantine.sweep()
    for (const worker of [...this.#workers])
      if (worker.isRetired && worker.load === 0) worker.handle.end({ kind: 'dismissed' })
      else if (!worker.isRetired && worker.unsettled >= MOST_UNSETTLED) this.#retire(worker)
  }

  close(): void {
    this.#isClosed = true
    this.#starts.close()
    this.#quarantine.close()
    for (const worker of [...this.#workers]) worker.handle.end({ kind: 'dismissed' })
  }

  // -------------------------------------------------------------- who runs where

  #assign(run: WorkerRun): void {
    const worker = this.#workerFor(run.record)
    if (worker) {
      worker.send(run)
      return
    }
    run.hold(null)
    this.#held.push(run)
  }

  #workerFor(record: CheckRecord): Worker | null {
    const home = this.#homes.get(record)
    if (home && !home.isRetired) return home
    const worker = this.#leastHome()
    if (worker) {
      this.#homes.set(record, worker)
      worker.assigned++
    }
    return worker
  }

  #leastHome(): Worker | null {
    const inUse = this.#workers.filter(({ isRetired }) => !isRetired)
    const isCrowded = inUse.length < this.#terms.size && this.#homes.size >= CROWD * inUse.length
    const hasRoom = this.#processes < this.#terms.size + MOST_STUCK
    if (isCrowded && hasRoom && this.#starts.mayStart(() => this.#assignHeld())) return this.#open()
    const [least] = inUse.sort((a, b) => a.assigned - b.assigned)
    return least ?? null
  }

  #moveOut(record: CheckRecord): void {
    const home = this.#homes.get(record)
    if (!home) return
    home.assigned--
    home.forget(record)
    this.#homes.delete(record)
  }

  #assignHeld(): void {
    const runs = this.#held
    this.#held = []
    for (const run of runs) if (!run.isOver) this.start(run)
  }

  #open(): Worker {
    const options = { ...this.#options, name: `${this.#options.name} ${++this.#count}` }
    const worker: Worker = new Worker(options, this.#terms.clock, {
      printed: output => this.#reportOutput(output),
      answered: (run, answer) => {
        this.#trouble = null
        run.land(answer)
      },
      unloadable: (run, problem) => {
        this.#retire(worker)
        this.#unloadable(run, problem)
      },
      ended: (cause, begun, waiting) => this.#ended(worker, cause, begun, waiting),
    })
    this.#workers.push(worker)
    this.#processes++
    void worker.handle.gone.then(() => {
      this.#processes--
      if (!this.#isClosed) this.#assignHeld()
    })
    this.#reportStarted(worker)
    return worker
  }

  /** Stops sending runs to a worker. It ends after its last run. */
  #retire(worker: Worker): void {
    worker.isRetired = true
    for (const [record, home] of this.#homes) if (home === worker) this.#homes.delete(record)
  }

  // -------------------------------------------------------------- what happens to workers

  #ended(worker: Worker, cause: Cause, begun: readonly WorkerRun[], waiting: readonly WorkerRun[]): void {
    this.#workers.splice(this.#workers.indexOf(worker), 1)
    this.#retire(worker)
    if (this.#isClosed) return
    this.#reportEnded(worker.handle.name, cause)
    if (cause.kind !== 'dismissed') this.#judge(worker, cause, begun)
    else for (const run of begun) this.start(run)
    for (const run of waiting) this.start(run)
  }

  #judge(worker: Worker, cause: Cause, begun: readonly WorkerRun[]): void {
    if (worker.isLoading) this.#rest(cause)
    const now = this.#terms.clock.now()
    const { culprit, isLate, suspects } = attributeTo(worker, cause, begun, { now, isWide: this.#isWide })
    this.#isWide = culprit === null
    const answer = culprit && this.#convict(culprit, cause, isLate)
    for (const record of suspects) record.suspect(cause, now, false)
    for (const run of begun)
      if (answer && run.record === culprit) run.land(answer)
      else this.start(run)
  }

  #convict(record: CheckRecord, cause: Cause, isLate: boolean): Answer {
    const answer = record.convict(cause, isLate, this.#terms.clock.now())
    // From now on it runs alone.
    this.#moveOut(record)
    const { address, port } = record.definition.target
    this.#terms.log.error(
      'check.harmful',
      { address: address.text, port, reason: answer.detail },
      'a check harms its worker',
    )
    return answer
  }

  #acquitted(record: CheckRecord): void {
    const wasCulprit = record.isCulprit
    record.acquit()
    if (!wasCulprit || record.isCulprit) return
    this.#quarantine.forget(record)
    const { address, port } = record.definition.target
    this.#terms.log.info(
      'check.behaves',
      { address: address.text, port, file: record.file },
      'a check no longer harms its worker',
    )
  }

  /** Handles a file that does not load, or that ends its worker while loading. */
  #unloadable(run: WorkerRun, problem: string): void {
    const { file } = run.record
    const detail = `${file} cannot be loaded: ${problem}`
    this.#restWith(detail)
    run.land(this.#troubleAnswer(detail))
  }

  #rest(cause: Cause): void {
    const { module } = this.#terms
    const what = whatItDid(cause, false)
    this.#restWith(
      module === null ? `a worker for checks ${what}` : `${fileOf(module)} ${what} while it was loaded`,
    )
  }

  #restWith(detail: string): void {
    const { clock, log, name } = this.#terms
    const now = clock.now()
    if (this.#trouble && this.#trouble.until > now) return
    const rest = Math.min(LONGEST_REST, this.#trouble ? 2 * this.#trouble.rest : FIRST_REST)
    this.#trouble = { answer: this.#troubleAnswer(detail), until: now + rest, rest }
    log.error(
      'worker.unusable',
      { worker: name, reason: detail, seconds: rest / 1000 },
      'a worker for checks cannot be used',
    )
  }

  /** Returns the answer for a file that does not load: no verdict for a shipped one, else down. */
  #troubleAnswer(detail: string): Answer {
    return this.#terms.module === null ? noVerdict(detail) : down('error', detail)
  }

  #answerResting(now: number): Answer | null {
    return this.#trouble && now < this.#trouble.until ? this.#trouble.answer : null
  }

  // -------------------------------------------------------------- what is told

  #reportStarted(worker: Worker): void {
    this.#terms.opened(worker)
    this.#terms.log.info('worker.started', { worker: worker.handle.name }, 'a worker for checks starts')
  }

  #reportEnded(worker: string, cause: Cause): void {
    if (this.#isClosed) return
    if (cause.kind === 'dismissed')
      this.#terms.log.info('worker.dismissed', { worker }, 'a worker for checks is not needed any more')
    else
      this.#terms.log.warn(
        'worker.ended',
        { worker, reason: `it ${whatItDid(cause, false)}` },
        'a worker for checks ended',
      )
  }

  #reportOutput({ bytes, beginning }: { readonly bytes: number; readonly beginning: string }): void {
    const { clock, log, name, module } = this.#terms
    const printed = this.#printed
    printed.bytes += bytes
    if (clock.now() - printed.toldAt < OUTPUT_EVERY) return
    const file = module === null ? undefined : fileOf(module)
    log.warn(
      'check.prints',
      { worker: name, file, bytes: printed.bytes, beginning },
      'a check prints output, which lvsd discards',
    )
    this.#printed = { bytes: 0, toldAt: clock.now() }
  }
}
