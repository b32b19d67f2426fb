/**
 * Which run starts when, and when it has lasted too long. One clockwork serves all engines: they share its grid, its one
 * timer, its cap on runs under way and its account of how late it was.
 *
 * Starts and deadlines lie on a grid of 50 ms, so that one wake-up serves many checks; its phase is random, so that
 * several directors do not knock at the same instant. While anything is under way each slot of the grid is visited,
 * and a visit that comes more than a slot late tells that lvsd was stopped or starved: that time is taken out of the
 * clock by which deadlines are judged. They are judged after what has arrived has been read.
 */
import type { Answer } from '../check/check.js'
import { answerFromError } from '../check/error-to-answer.js'
import { type Done, resultOf, type Start } from '../check/run.js'
import type { Clock } from '../util/clock.js'
import { Heap } from './deadline-heap.js'
import { Lateness } from './delay-histogram.js'
import type { Engine, OnResult } from './executor.js'
import { Lobby } from './fair-queue.js'
import { GROUNDED, type Job, NEVER, newJob } from './scheduled-job.js'
import type { ScheduleStats } from './stats.js'

/** Milliseconds. */
export const SLOT = 50
/** Deadlines are judged on the grid; one that ends this soon after a slot is judged with it. Milliseconds. */
const EARLY = 5
/** Runs started in a row before answers are read again, and the milliseconds that they may take: a fork takes two. */
const BATCH = 64
const BATCH_TIME = 10
/** The golden section: its multiples fill an interval evenly, however many there are. */
const GOLDEN = 0.618_033_988_749_895

export class Clockwork {
  readonly #clock: Clock
  readonly #origin: number
  readonly #queue = new Heap<Job>()
  readonly #cap: number
  /** One for each engine; they take turns. */
  readonly #lobbies: Lobby<Job>[] = []
  readonly #running: Job[] = []
  readonly #lateness: Lateness
  #jobs = 0
  #golden: number
  #stalls = 0
  #stalledFor = 0
  #noVerdicts = 0
  #expected = Number.POSITIVE_INFINITY
  #disarm = () => {}
  #isBoarding = false
  #isClosed = false

  constructor(clock: Clock, cap: number) {
    this.#clock = clock
    this.#origin = clock.now() - clock.random() * SLOT
    this.#golden = clock.random()
    this.#cap = Math.max(1, cap)
    this.#lateness = new Lateness(clock.now())
  }

  /** An engine whose runs begin with `start`, at most `most` at once. Job ids are its own. */
  engine<Work>(start: Start<Work>, report: OnResult, most = this.#cap): Engine<Work> {
    const lobby = new Lobby<Job>(Math.min(most, this.#cap))
    this.#lobbies.push(lobby)
    const jobs = new Map<string, Job>()
    const remove = (id: string) => {
      const job = jobs.get(id)
      if (!job) return
      jobs.delete(id)
      this.#drop(job)
    }
    return {
      set: (id, work, timing) => {
        remove(id)
        const done: Done = answer => this.#land(job, answer)
        const begin = () => start(work, timing.timeout, done)
        const job = newJob({ id, timing, begin, report, lobby })
        jobs.set(id, job)
        this.#add(job)
      },
      remove,
      soon: (id, ms) => {
        const job = jobs.get(id)
        if (job) this.#hurry(job, ms)
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
      lateness: this.#lateness.summary(this.#clock.now()),
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

  #add(job: Job): void {
    this.#jobs++
    this.#queue.put(job, this.#slotIn(job.timing.firstIn))
    this.#arm()
  }

  #drop(job: Job): void {
    this.#jobs--
    this.#queue.remove(job)
    if (job.isWaiting) job.lobby.leave(job)
    const { flight } = job
    if (!flight) return
    this.#stand(job)
    flight.cancel()
    this.#boardSoon()
  }

  /** Never later than it would have been. */
  #hurry(job: Job, ms: number): void {
    const due = this.#slotIn(ms)
    if (due >= job.due) return
    if (job.spread === 'set') job.spread = 'wanted'
    this.#queue.put(job, due)
    this.#arm()
  }

  // -------------------------------------------------------------- the grid

  /** The first slot that is `ms` from now or later; fractions of a slot are kept, so that no interval drifts. */
  #slotIn(ms: number): number {
    return (this.#clock.now() + ms - this.#origin) / SLOT
  }

  #timeOf(slot: number): number {
    return this.#origin + slot * SLOT
  }

  /** Wakes for the next slot while anything is under way, else for the next that has something due. */
  #arm(): void {
    if (this.#isClosed) return
    const now = this.#clock.now()
    const next = Math.floor((now + 1 - this.#origin) / SLOT) + 1
    const first = this.#queue.first
    const isBusy = this.#running.length > 0
    if (!isBusy && !first) return
    const at = this.#timeOf(isBusy ? next : Math.max(next, Math.ceil(first?.due ?? next)))
    if (at >= this.#expected) return
    this.#disarm()
    this.#expected = at
    this.#disarm = this.#clock.alarm(at - now, () => this.#visit())
  }

  #visit(): void {
    const now = this.#clock.now()
    const late = now - this.#expected
    this.#expected = Number.POSITIVE_INFINITY
    if (late > SLOT) {
      this.#stalls++
      this.#stalledFor += late
    }
    this.#callDue(Math.floor((now + 1 - this.#origin) / SLOT))
    const awake = now - this.#stalledFor
    if (this.#running.some(job => turnOf(job) <= awake)) this.#clock.afterReading(() => this.#judge(awake))
    this.#board()
  }

  /** A start that comes while the last run is still under way is left out; so are those missed in a stall, but one. */
  #callDue(slot: number): void {
    for (let job = this.#queue.first; job && job.due <= slot; job = this.#queue.first) {
      job.nominal = this.#timeOf(Math.ceil(job.due))
      if (!job.flight && !job.isWaiting) job.lobby.enter(job)
      this.#queue.put(job, this.#nextDue(job, slot))
    }
  }

  #nextDue(job: Job, slot: number): number {
    const interval = job.timing.interval / SLOT
    if (job.spread === 'wanted') {
      job.spread = 'set'
      this.#golden = (this.#golden + GOLDEN) % 1
      return slot + Math.max(1, this.#golden * interval)
    }
    job.spread = 'done'
    const missed = Math.max(0, Math.floor((slot - job.due) / interval))
    return job.due + (missed + 1) * interval
  }

  // -------------------------------------------------------------- runs

  #boardSoon(): void {
    if (this.#isBoarding || this.#isClosed || !this.#hasNext) return
    this.#isBoarding = true
    this.#clock.afterReading(() => {
      this.#isBoarding = false
      this.#board()
    })
  }

  #board(): void {
    if (this.#isClosed) return
    const end = this.#clock.now() + BATCH_TIME
    for (let i = 0; i < BATCH && this.#clock.now() < end; i++) {
      const job = this.#next()
      if (!job) break
      this.#begin(job)
    }
    this.#boardSoon()
    this.#arm()
  }

  get #hasNext(): boolean {
    return this.#running.length < this.#cap && this.#lobbies.some(lobby => lobby.hasNext)
  }

  #next(): Job | null {
    if (this.#running.length >= this.#cap) return null
    for (let i = 0; i < this.#lobbies.length; i++) {
      const lobby = this.#lobbies.shift() as Lobby<Job>
      this.#lobbies.push(lobby)
      const job = lobby.next()
      if (job) return job
    }
    return null
  }

  #begin(job: Job): void {
    const now = this.#clock.now()
    // The first of all comes as soon as there is room for it, and so is never late.
    if (job.startedAt !== NEVER) this.#lateness.add(now - job.nominal, now)
    job.startedAt = now - this.#stalledFor
    job.seat = this.#running.push(job) - 1
    try {
      job.flight = job.begin()
    } catch (error) {
      job.flight = GROUNDED
      this.#land(job, answerFromError(error))
    }
  }

  #stand(job: Job): void {
    const last = this.#running.pop() as Job
    if (last !== job) {
      this.#running[job.seat] = last
      last.seat = job.seat
    }
    job.flight = null
    job.lobby.done(job)
  }

  #judge(awake: number): void {
    for (const job of this.#running.filter(running => turnOf(running) <= awake)) {
      const { flight, timing } = job
      if (!flight) continue
      if (awake < job.startedAt + (flight.heldUp ?? 0) + timing.timeout - EARLY) flight.wake()
      else if (flight.hasReadAll ?? true) this.#land(job, flight.expire(timing.timeout))
    }
  }

  #land(job: Job, answer: Answer): void {
    const { flight } = job
    if (!flight) return
    this.#stand(job)
    job.isSlow = answer.reason === 'timeout'
    if (answer.ok === null) this.#noVerdicts++
    // A stall is counted whole, even where the run began in the middle of it.
    const ms = Math.max(0, this.#clock.now() - this.#stalledFor - job.startedAt - (flight.heldUp ?? 0))
    this.#boardSoon()
    job.report(job.id, resultOf(answer, flight, ms))
  }
}

/** When a run next wants something of the clock: its alarm or its deadline. */
function turnOf(job: Job): number {
  const { timeout } = job.timing
  const { wakeAt = timeout, heldUp = 0 } = job.flight ?? {}
  return job.startedAt + heldUp + Math.min(wakeAt, timeout) - EARLY
}
