/**
 * Which run starts when, and when it has lasted too long. One scheduler serves all executors: they share its grid, its one
 * timer, its cap on runs under way and its account of how late it was.
 *
 * Starts and deadlines lie on a grid of 50 ms, so that one wake-up serves many checks; its phase is random, so that
 * several directors do not knock at the same instant. While anything is under way each tick of the grid is visited,
 * and a tick that comes more than its length late tells that lvsd was stopped or starved: that time is taken out of the
 * clock by which deadlines are judged. They are judged after what has arrived has been read.
 */
import type { Answer } from '../check/check.js'
import { answerFromError } from '../check/error-to-answer.js'
import { type OnDone, resultOf, type StartRun } from '../check/run.js'
import type { Clock } from '../util/clock.js'
import { DelayHistogram } from './delay-histogram.js'
import { DueHeap } from './due-heap.js'
import type { Executor, OnResult } from './executor.js'
import { FairQueue } from './fair-queue.js'
import { FAILED_TO_START, NEVER, newJob, type ScheduledJob } from './scheduled-job.js'
import type { ScheduleStats } from './stats.js'

/** Milliseconds. */
export const TICK = 50
/** Deadlines are judged on the grid; one that ends this soon after a tick is judged with it. Milliseconds. */
const EARLY = 5
/** Runs started in a row before answers are read again, and the milliseconds that they may take: a fork takes two. */
const BATCH = 64
const BATCH_TIME = 10
/** The golden section: its multiples fill an interval evenly, however many there are. */
const GOLDEN = 0.618_033_988_749_895

export class Scheduler {
  readonly #clock: Clock
  readonly #origin: number
  readonly #dueJobs = new DueHeap<ScheduledJob>()
  readonly #cap: number
  /** One for each executor; they take turns. */
  readonly #queues: FairQueue<ScheduledJob>[] = []
  readonly #running: ScheduledJob[] = []
  readonly #startDelays: DelayHistogram
  #jobs = 0
  #golden: number
  #stalls = 0
  #stalledFor = 0
  #noVerdicts = 0
  #expected = Number.POSITIVE_INFINITY
  #disarm = () => {}
  #isStartScheduled = false
  #isClosed = false

  constructor(clock: Clock, cap: number) {
    this.#clock = clock
    this.#origin = clock.now() - clock.random() * TICK
    this.#golden = clock.random()
    this.#cap = Math.max(1, cap)
    this.#startDelays = new DelayHistogram(clock.now())
  }

  /** An executor whose runs begin with `start`, at most `most` at once. Job ids are its own. */
  executor<Work>(start: StartRun<Work>, report: OnResult, most = this.#cap): Executor<Work> {
    const queue = new FairQueue<ScheduledJob>(Math.min(most, this.#cap))
    this.#queues.push(queue)
    const jobs = new Map<string, ScheduledJob>()
    const remove = (id: string) => {
      const job = jobs.get(id)
      if (!job) return
      jobs.delete(id)
      this.#drop(job)
    }
    return {
      set: (id, work, timing) => {
        remove(id)
        const done: OnDone = answer => this.#complete(job, answer)
        const begin = () => start(work, timing.timeout, done)
        const job = newJob({ id, timing, begin, report, queue })
        jobs.set(id, job)
        this.#add(job)
      },
      remove,
      soon: (id, ms) => {
        const job = jobs.get(id)
        if (job) this.#runSooner(job, ms)
      },
      close: () => {
        for (const id of [...jobs.keys()]) remove(id)
      },
    }
  }

  stats(): ScheduleStats {
    return {
      jobs: this.#jobs,
      running: this.#running.length,
      lateness: this.#startDelays.summary(this.#clock.now()),
      stalls: this.#stalls,
      stalledFor: Math.round(this.#stalledFor),
      noVerdicts: this.#noVerdicts,
    }
  }

  /** Ends all runs; nothing is reported afterwards. */
  close(): void {
    this.#isClosed = true
    this.#disarm()
    for (const job of [...this.#running]) this.#drop(job)
  }

  // -------------------------------------------------------------- jobs

  #add(job: ScheduledJob): void {
    this.#jobs++
    this.#dueJobs.put(job, this.#tickIn(job.timing.firstIn))
    this.#arm()
  }

  #drop(job: ScheduledJob): void {
    this.#jobs--
    this.#dueJobs.remove(job)
    if (job.isWaiting) job.queue.withdraw(job)
    const { run } = job
    if (!run) return
    this.#release(job)
    run.cancel()
    this.#startQueuedSoon()
  }

  /** Moves the next start to at most `ms` from now; never postpones it. */
  #runSooner(job: ScheduledJob, ms: number): void {
    const due = this.#tickIn(ms)
    if (due >= job.due) return
    if (job.phaseShift === 'shifting') job.phaseShift = 'pending'
    this.#dueJobs.put(job, due)
    this.#arm()
  }

  // -------------------------------------------------------------- ticks

  /** The first tick that is `ms` from now or later; fractions of a tick are kept, so that no interval drifts. */
  #tickIn(ms: number): number {
    return (this.#clock.now() + ms - this.#origin) / TICK
  }

  #timeOf(tick: number): number {
    return this.#origin + tick * TICK
  }

  /** Wakes for the next tick while anything is under way, else for the next that has something due. */
  #arm(): void {
    if (this.#isClosed) return
    const now = this.#clock.now()
    const next = Math.floor((now + 1 - this.#origin) / TICK) + 1
    const first = this.#dueJobs.first
    const isBusy = this.#running.length > 0
    if (!isBusy && !first) return
    const at = this.#timeOf(isBusy ? next : Math.max(next, Math.ceil(first?.due ?? next)))
    if (at >= this.#expected) return
    this.#disarm()
    this.#expected = at
    this.#disarm = this.#clock.alarm(at - now, () => this.#tick())
  }

  #tick(): void {
    const now = this.#clock.now()
    const late = now - this.#expected
    this.#expected = Number.POSITIVE_INFINITY
    if (late > TICK) {
      this.#stalls++
      this.#stalledFor += late
    }
    this.#enqueueDue(Math.floor((now + 1 - this.#origin) / TICK))
    const awake = now - this.#stalledFor
    if (this.#running.some(job => nextDeadlineOf(job) <= awake))
      this.#clock.afterReading(() => this.#judge(awake))
    this.#startQueued()
  }

  /** A start that comes while the last run is still under way is left out; so are those missed in a stall, but one. */
  #enqueueDue(tick: number): void {
    for (let job = this.#dueJobs.first; job && job.due <= tick; job = this.#dueJobs.first) {
      job.scheduledAt = this.#timeOf(Math.ceil(job.due))
      if (!job.run && !job.isWaiting) job.queue.enqueue(job)
      this.#dueJobs.put(job, this.#nextDue(job, tick))
    }
  }

  #nextDue(job: ScheduledJob, tick: number): number {
    const interval = job.timing.interval / TICK
    if (job.phaseShift === 'pending') {
      job.phaseShift = 'shifting'
      this.#golden = (this.#golden + GOLDEN) % 1
      return tick + Math.max(1, this.#golden * interval)
    }
    job.phaseShift = 'done'
    const missed = Math.max(0, Math.floor((tick - job.due) / interval))
    return job.due + (missed + 1) * interval
  }

  // -------------------------------------------------------------- runs

  #startQueuedSoon(): void {
    if (this.#isStartScheduled || this.#isClosed || !this.#hasNext) return
    this.#isStartScheduled = true
    this.#clock.afterReading(() => {
      this.#isStartScheduled = false
      this.#startQueued()
    })
  }

  #startQueued(): void {
    if (this.#isClosed) return
    const end = this.#clock.now() + BATCH_TIME
    for (let i = 0; i < BATCH && this.#clock.now() < end; i++) {
      const job = this.#next()
      if (!job) break
      this.#start(job)
    }
    this.#startQueuedSoon()
    this.#arm()
  }

  get #hasNext(): boolean {
    return this.#running.length < this.#cap && this.#queues.some(queue => queue.hasNext)
  }

  #next(): ScheduledJob | null {
    if (this.#running.length >= this.#cap) return null
    for (let i = 0; i < this.#queues.length; i++) {
      const queue = this.#queues.shift() as FairQueue<ScheduledJob>
      this.#queues.push(queue)
      const job = queue.next()
      if (job) return job
    }
    return null
  }

  #start(job: ScheduledJob): void {
    const now = this.#clock.now()
    // The first of all comes as soon as there is room for it, and so is never late.
    if (job.startedAt !== NEVER) this.#startDelays.add(now - job.scheduledAt, now)
    job.startedAt = now - this.#stalledFor
    job.runningIndex = this.#running.push(job) - 1
    try {
      job.run = job.begin()
    } catch (error) {
      job.run = FAILED_TO_START
      this.#complete(job, answerFromError(error))
    }
  }

  #release(job: ScheduledJob): void {
    const last = this.#running.pop() as ScheduledJob
    if (last !== job) {
      this.#running[job.runningIndex] = last
      last.runningIndex = job.runningIndex
    }
    job.run = null
    job.queue.release(job)
  }

  #judge(awake: number): void {
    for (const job of this.#running.filter(running => nextDeadlineOf(running) <= awake)) {
      const { run, timing } = job
      if (!run) continue
      if (awake < job.startedAt + (run.heldUp ?? 0) + timing.timeout - EARLY) run.wake()
      else if (run.catchUp?.() ?? true) this.#complete(job, run.expire(timing.timeout))
    }
  }

  #complete(job: ScheduledJob, answer: Answer): void {
    const { run } = job
    if (!run) return
    this.#release(job)
    job.isSlow = answer.reason === 'timeout'
    if (answer.ok === null) this.#noVerdicts++
    // A stall is counted whole, even where the run began in the middle of it.
    const ms = Math.max(0, this.#clock.now() - this.#stalledFor - job.startedAt - (run.heldUp ?? 0))
    this.#startQueuedSoon()
    job.report(job.id, resultOf(answer, run, ms))
  }
}

/** When a run next wants something of the clock: its alarm or its deadline. */
function nextDeadlineOf(job: ScheduledJob): number {
  const { timeout } = job.timing
  const { wakeAt = timeout, heldUp = 0 } = job.run ?? {}
  return job.startedAt + heldUp + Math.min(wakeAt, timeout) - EARLY
}
