/**
 * Starts runs when they are due and enforces their deadlines. One scheduler serves all executors, which share its time
 * grid, its timer, its limit of concurrent runs and its delay statistics.
 *
 * Starts and deadlines are on a grid of 50 ms, so that one wake-up serves many checks; only `atOnce`, and a first run that is
 * wanted at once (`firstIn` 0), start off the grid. Few jobs start at every second to tenth tick. The phase of the grid is
 * random, so that several directors do not send at the same instant. While runs are in progress, every tick of the grid is
 * handled. A tick that is more than its length late shows that lvsd was stopped or starved (a stall); that time is subtracted
 * from the clock that is used for deadlines. Deadlines are evaluated after all data that has arrived has been read.
 */
import type { Answer } from '../check/check.js'
import { answerFromError } from '../check/error-to-answer.js'
import { type OnDone, type Run, resultOf, type StartRun } from '../check/run.js'
import type { Clock } from '../util/clock.js'
import { DueHeap } from '../util/due-heap.js'
import type { Calendar } from './calendar.js'
import { DelayHistogram } from './delay-histogram.js'
import type { Executor, NextRun, OnTimes, OnWorkResult, Timing } from './executor.js'
import { QueueTurns } from './queue-turns.js'
import { isBeforeDeadline, RunningJobs } from './running-jobs.js'
import {
  FAILED_TO_START,
  NEVER,
  newJob,
  type ScheduledJob,
  type Series,
  type Startable,
} from './scheduled-job.js'
import { Stalls } from './stalls.js'
import { StartPhases, TICK } from './start-phases.js'
import type { ScheduleCounts, ScheduleStats } from './stats.js'
import { TickGrid } from './tick-grid.js'

/** Milliseconds after which a run that may have unread data is asked again. */
const READING = 20
/** Limits of runs started in a row before answers are read again: number, and milliseconds. A fork takes 2 ms. */
const BATCH = 64
const BATCH_TIME = 10
const NEVER_DUE = Number.POSITIVE_INFINITY

export interface OwnExecutor<Work> extends Executor<Work> {
  /** Cancels a run in progress without a result, and starts one now, off the time grid. The schedule of the job does not move. */
  beginAnew(id: string): void
}

export class Scheduler {
  readonly #clock: Clock
  readonly #grid: TickGrid
  readonly #dueJobs = new DueHeap<ScheduledJob>()
  readonly #cap: number
  /** One queue per executor. */
  readonly #queues = new QueueTurns()
  readonly #running = new RunningJobs()
  readonly #startDelays: DelayHistogram
  readonly #onDelay: (ms: number) => void
  readonly #calendar: Calendar | null
  #jobs = 0
  /** Number of jobs and of starts so far. */
  #added = 0
  #starts = 0
  readonly #phases: StartPhases
  readonly #stalls = new Stalls()
  #noVerdicts = 0
  #expected = Number.POSITIVE_INFINITY
  #disarm = () => {}
  #isStartScheduled = false
  #isClosed = false

  /**
   * `onDelay` is called at each start but the first of a job, with the milliseconds since it was due. A calendar takes the jobs
   * that start once in each interval.
   */
  constructor(
    clock: Clock,
    cap: number,
    onDelay: (ms: number) => void = () => {},
    calendar: Calendar | null = null,
  ) {
    this.#onDelay = onDelay
    this.#calendar = calendar
    this.#clock = clock
    this.#grid = new TickGrid(clock)
    this.#phases = new StartPhases(clock.random())
    this.#cap = Math.max(1, cap)
    this.#startDelays = new DelayHistogram(clock.now())
  }

  /** Creates an executor that starts runs with `start`, at most `most` at a time, with its own job ids. */
  executor<Work>(
    start: StartRun<Work>,
    report: OnWorkResult<Work>,
    most = this.#cap,
    onTimes: OnTimes<Work> | null = null,
  ): OwnExecutor<Work> {
    const queue = this.#queues.add(Math.min(most, this.#cap))
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
        const begin = () => start(work, job.timing.timeout, done, true)
        const job: ScheduledJob = newJob({
          id,
          timing,
          begin,
          report: result => report(id, result, work),
          onTimes: onTimes && ((due, isRunning) => onTimes(work, due, isRunning)),
          queue,
        })
        jobs.set(id, job)
        this.#add(job)
      },
      retime: (id, timing) => {
        const job = jobs.get(id)
        if (job) this.#retime(job, timing)
      },
      remove,
      soon: (id, ms) => {
        const job = jobs.get(id)
        if (job) this.#runSooner(job, ms)
      },
      atOnce: (id, isAnew = false) => {
        const job = jobs.get(id)
        if (job) this.#runAtOnce(job, isAnew)
      },
      beginAnew: id => {
        const job = jobs.get(id)
        if (job) this.#beginAnew(job)
      },
      giveUpConnecting: (id, least) => {
        const job = jobs.get(id)
        if (job) this.#giveUpConnecting(job, least)
      },
      next: id => {
        const job = jobs.get(id)
        return job ? this.#nextRun(job) : null
      },
      close: () => {
        for (const id of [...jobs.keys()]) remove(id)
      },
    }
  }

  stats(): ScheduleStats {
    return { engine: 'portable', ...this.counts(), lateness: this.#startDelays.summary(this.#clock.now()) }
  }

  /** The statistics without those of delays, which take longer. */
  counts(): ScheduleCounts {
    return {
      jobs: this.#jobs,
      running: this.#running.size,
      ...this.#stalls.stats(this.#clock.now()),
      noVerdicts: this.#noVerdicts,
    }
  }

  /** Counts the delay of a start in milliseconds, also of a start that another scheduler made. */
  delayed(ms: number, now = this.#clock.now()): void {
    this.#startDelays.add(ms, now)
    this.#onDelay(ms)
  }

  /** Number of runs that are due and wait for a place. */
  get waiting(): number {
    return this.#queues.waiting
  }

  /** Cancels all runs. No further results are reported. */
  close(): void {
    this.#isClosed = true
    this.#disarm()
    for (const job of this.#running.all()) this.#drop(job)
  }

  // -------------------------------------------------------------- jobs

  #add(job: ScheduledJob): void {
    this.#jobs++
    job.number = ++this.#added
    this.#phases.add(job)
    this.#setGrid(job)
    if (job.timing.firstIn > 0) this.#dueJobs.put(job, this.#grid.tickIn(job.timing.firstIn))
    else this.#queueFirst(job)
    this.#arm()
  }

  /** The first results after a start do not wait for a tick. */
  #queueFirst(job: ScheduledJob): void {
    job.scheduledAt = this.#clock.now()
    job.queue.enqueue(job)
    this.#dueJobs.put(job, this.#phases.nextDue(job, Math.ceil(this.#grid.tickIn(0))))
    this.#startQueuedSoon()
  }

  #retime(job: ScheduledJob, timing: Timing): void {
    this.#calendar?.give(job)
    this.#phases.remove(job)
    job.timing = timing
    this.#phases.add(job)
    this.#setGrid(job)
    job.phaseShift = 'done'
    // Never postponed: who is given another grid again and again would not run at all.
    this.#dueJobs.put(job, Math.min(job.due, this.#grid.tickIn(timing.firstIn)))
    this.#arm()
  }

  #setGrid(job: ScheduledJob): void {
    const { grid } = job.timing
    job.grid = grid === undefined ? null : this.#grid.tickIn(grid)
  }

  #drop(job: ScheduledJob): void {
    this.#jobs--
    this.#phases.remove(job)
    this.#calendar?.give(job)
    this.#dueJobs.remove(job)
    if (job.isWaiting) job.queue.withdraw(job)
    if (!job.run) return
    this.#cancelRun(job)
    this.#startQueuedSoon()
  }

  /** Moves the next start to at most `ms` milliseconds from now. It is never postponed. */
  #runSooner(job: ScheduledJob, ms: number): void {
    const due = this.#grid.tickIn(ms)
    this.#leaveCalendar(job)
    if (due >= job.due) return
    if (job.phaseShift === 'shifting') job.phaseShift = 'pending'
    this.#dueJobs.put(job, due)
    this.#arm()
  }

  #runAtOnce(job: ScheduledJob, isAnew = false): void {
    if (isAnew && job.run?.phase === 'connect') this.#cancelRun(job)
    if (job.run) {
      job.isWantedAgain = true
      return
    }
    job.isEarly = true
    this.#enqueueNow(job)
  }

  /** Who has asked for the run that is cancelled gets the result of the one that follows. */
  #beginAnew(job: ScheduledJob): void {
    this.#cancelRun(job)
    job.isEarly ||= job.isWantedAgain
    job.isWantedAgain = false
    this.#enqueueNow(job)
  }

  #cancelRun(job: ScheduledJob): void {
    const { run } = job
    if (!run) return
    this.#release(job)
    run.cancel()
  }

  #enqueueNow(job: ScheduledJob): void {
    if (job.isWaiting) return
    job.scheduledAt = this.#clock.now()
    job.queue.enqueue(job)
    this.#startQueuedSoon()
  }

  #giveUpConnecting(job: ScheduledJob, least: number, run = job.run): void {
    if (!run) return
    this.#clock.afterReading(() => {
      const waited = this.#elapsed(job, run)
      if (job.run !== run || run.phase !== 'connect' || waited < least) return
      if (run.catchUp?.() === false) {
        this.#clock.alarm(READING, () => this.#giveUpConnecting(job, least, run))
        return
      }
      job.isEarly = true
      job.isWantedAgain = false
      this.#complete(job, run.expire(Math.round(waited)))
    })
  }

  /** Milliseconds of a run. A stall is subtracted completely, even if the run began during it. */
  #elapsed({ startedAt }: ScheduledJob, { heldUp = 0 }: Run): number {
    return Math.max(0, this.#stalls.awake(this.#clock.now()) - startedAt - heldUp)
  }

  #leaveCalendar(job: ScheduledJob): void {
    if (this.#calendar?.give(job)) this.#dueJobs.put(job, job.due)
  }

  #nextRun(job: ScheduledJob): NextRun {
    this.#leaveCalendar(job)
    const at = this.#grid.timeOf(Math.ceil(job.due))
    return { in: Math.max(0, at - this.#clock.now()), isRunning: job.run !== null || job.isWaiting }
  }

  // -------------------------------------------------------------- ticks

  /** Sets the timer: to the next tick while runs are in progress, else to the next tick with a due job. */
  #arm(): void {
    if (this.#isClosed) return
    const now = this.#clock.now()
    const next = this.#grid.lastAt(now) + 1
    const due = this.#firstDue
    const isBusy = this.#running.size > 0
    if (!isBusy && due === NEVER_DUE) return
    const at = this.#grid.timeOf(isBusy ? next : Math.max(next, Math.ceil(due)))
    if (at >= this.#expected) return
    this.#disarm()
    this.#expected = at
    this.#disarm = this.#clock.alarm(at - now, () => this.#tick())
  }

  /** The earliest start of a job, in ticks. */
  get #firstDue(): number {
    return Math.min(this.#dueJobs.first?.due ?? NEVER_DUE, this.#calendar?.next ?? NEVER_DUE)
  }

  /** No run is in progress, so the timer need not go off before a job is due. A tick that is due already shows a stall. */
  #rest(): void {
    if (this.#isStartScheduled || this.#expected <= this.#clock.now()) return
    // Set anew less than a millisecond before the tick, the timer would go off at the next one.
    if (this.#grid.timeOf(Math.ceil(this.#firstDue)) <= this.#expected) return
    this.#disarm()
    this.#expected = Number.POSITIVE_INFINITY
    this.#arm()
  }

  #tick(): void {
    const now = this.#clock.now()
    const late = now - this.#expected
    this.#expected = Number.POSITIVE_INFINITY
    if (late > TICK) this.#stalls.note(late, now)
    this.#enqueueDue(this.#grid.lastAt(now))
    const awake = this.#stalls.awake(now)
    if (this.#running.isAnyDue(awake)) this.#clock.afterReading(() => this.#judge(awake))
    this.#startQueued()
  }

  /**
   * Queues all due jobs. A start is skipped while the last run is still in progress. Of the starts missed in a stall,
   * one is made up for.
   */
  #enqueueDue(tick: number): void {
    for (let job = this.#dueJobs.first; job && job.due <= tick; job = this.#dueJobs.first) {
      job.scheduledAt = this.#grid.timeOf(Math.ceil(job.due))
      if (!job.run && !job.isWaiting) job.queue.enqueue(job)
      this.#putNext(job, this.#phases.nextDue(job, tick))
    }
    this.#calendar?.enqueue(tick, at => this.#grid.timeOf(at))
  }

  #putNext(job: ScheduledJob, due: number): void {
    const isRegular = job.phaseShift === 'done' && job.grid === null
    if (isRegular && this.#calendar?.take(job, due, job.timing.interval / TICK)) this.#dueJobs.remove(job)
    else this.#dueJobs.put(job, due)
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
    let now = this.#clock.now()
    const end = now + BATCH_TIME
    for (let i = 0; i < BATCH && now < end; i++) {
      const next = this.#next()
      if (!next) break
      if ('isSeries' in next) i += this.#startSeries(next, BATCH - i, end) - 1
      else this.#start(next, now)
      now = this.#clock.now()
    }
    this.#startQueuedSoon()
    this.#arm()
  }

  /** Starts or counts runs of a series: one, or up to `most` where no others wait. Returns their number. */
  #startSeries(series: Series, most: number, end: number): number {
    const { queue } = series
    const isAlone = !queue.hasSlow && this.#queues.isAlone(queue)
    const limit = isAlone ? most : 1
    let started = 0
    while (started < limit && this.#clock.now() < end) {
      // The series itself has the place that it was given.
      const room = this.#cap - this.#running.size
      const roomInQueue = queue.room + 1
      if (room <= 0 || roomInQueue <= 0) break
      const counted = series.count({ most: limit - started, end, room, roomInQueue })
      started += counted
      if (counted > 0) continue
      const job = series.take()
      if (!job) break
      job.scheduledAt = series.scheduledAt
      queue.begin(job)
      this.#start(job, this.#clock.now())
      started++
    }
    if (series.isOver) queue.release(series)
    else queue.putBack(series)
    return started
  }

  get #hasNext(): boolean {
    return this.#running.size < this.#cap && this.#queues.hasNext
  }

  #next(): Startable | null {
    return this.#running.size < this.#cap ? this.#queues.next() : null
  }

  #start(job: ScheduledJob, now: number): void {
    // The first start of a job is made as soon as there is a free place, so it has no delay.
    if (job.startedAt !== NEVER) this.delayed(now - job.scheduledAt, now)
    job.startedAt = this.#stalls.awake(now)
    job.startNumber = ++this.#starts
    this.#running.add(job)
    job.onTimes?.(this.#grid.timeOf(Math.ceil(job.due)), true)
    try {
      job.run = job.begin()
    } catch (error) {
      job.run = FAILED_TO_START
      this.#complete(job, answerFromError(error))
    }
  }

  #release(job: ScheduledJob): void {
    this.#running.remove(job)
    job.run = null
    job.queue.release(job)
  }

  #judge(awake: number): void {
    for (const job of this.#running.due(awake)) {
      const { run, timing } = job
      if (!run) continue
      if (isBeforeDeadline(job, awake)) run.wake()
      else if (run.catchUp?.() ?? true) this.#complete(job, run.expire(timing.timeout))
    }
  }

  #complete(job: ScheduledJob, answer: Answer): void {
    const { run } = job
    if (!run) return
    this.#release(job)
    job.isSlow = answer.reason === 'timeout'
    const { isEarly, isWantedAgain } = job
    job.isEarly = false
    job.isWantedAgain = false
    if (isWantedAgain) this.#runAtOnce(job)
    if (answer.ok === null) this.#noVerdicts++
    const ms = this.#elapsed(job, run)
    this.#startQueuedSoon()
    const result = resultOf(answer, run, ms)
    job.onTimes?.(this.#grid.timeOf(Math.ceil(job.due)), job.isWaiting)
    job.report(isEarly ? { ...result, isEarly } : result)
    if (this.#running.size === 0) this.#rest()
  }
}
