/**
 * Which run starts when, and when it has lasted too long. One clockwork serves all engines: they share its grid, its one
 * timer, its cap on runs under way and its account of how late it was.
 *
 * Starts and deadlines lie on a grid of 50 ms, so that one wake-up serves many checks; its phase is random, so that
 * several directors do not knock at the same instant. While anything is under way each slot of the grid is visited,
 * and a visit that comes more than a slot late tells that lvsd was stopped or starved: that time is taken out of the
 * clock by which deadlines are judged. They are judged after what has arrived has been read.
 */
import { noVerdict } from './check.js'
import type { Clock } from './clock.js'
import { type Done, type Flight, resultOf, type Start, UNTRACED } from './flight.js'
import { Heap, type HeapItem } from './heap.js'
import { Lateness } from './lateness.js'
import { type Guest, Lobby } from './lobby.js'
import type { Engine, OnResult, Timing } from './probe/engine.js'
import { answerFromError } from './probe/outcome.js'
import type { StatusDocument } from './status.js'

/** Milliseconds. */
export const SLOT = 50
/** Deadlines are judged on the grid; one that ends this soon after a slot is judged with it. Milliseconds. */
const EARLY = 5
/** Runs started in a row before answers are read again. */
const BATCH = 64
/** The golden section: its multiples fill an interval evenly, however many there are. */
const GOLDEN = 0.618_033_988_749_895

/** `wanted`: started with all the others, so its second start has to be put elsewhere. `set`: that start is to come. */
type Spread = 'wanted' | 'set' | 'done'

interface Job extends HeapItem, Guest {
  readonly id: string
  readonly timing: Timing
  readonly begin: () => Flight
  readonly report: OnResult
  flight: Flight | null
  /** By the clock without stalls, milliseconds. */
  startedAt: number
  /** When it should have started, milliseconds. */
  nominal: number
  spread: Spread
  /** Its place among the runs under way. */
  seat: number
}

export class Clockwork {
  readonly #clock: Clock
  readonly #origin: number
  readonly #queue = new Heap<Job>()
  readonly #lobby: Lobby<Job>
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
    this.#lobby = new Lobby(cap)
    this.#lateness = new Lateness(clock.now())
  }

  /** An engine whose runs begin with `start`. Job ids are its own. */
  engine<Work>(start: Start<Work>, report: OnResult): Engine<Work> {
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
        const job = newJob(id, timing, () => start(work, timing.timeout, done), report)
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

  stats(): StatusDocument['schedule'] {
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
    if (job.isWaiting) this.#lobby.leave(job)
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
      if (!job.flight && !job.isWaiting) this.#lobby.enter(job)
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
    if (this.#isBoarding || this.#isClosed || !this.#lobby.hasNext) return
    this.#isBoarding = true
    this.#clock.afterReading(() => {
      this.#isBoarding = false
      this.#board()
    })
  }

  #board(): void {
    if (this.#isClosed) return
    for (let i = 0; i < BATCH; i++) {
      const job = this.#lobby.next()
      if (!job) break
      this.#begin(job)
    }
    if (this.#lobby.hasNext) this.#boardSoon()
    this.#arm()
  }

  #begin(job: Job): void {
    const now = this.#clock.now()
    this.#lateness.add(now - job.nominal, now)
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
    this.#lobby.done(job)
  }

  #judge(awake: number): void {
    for (const job of this.#running.filter(running => turnOf(running) <= awake)) {
      const { flight, timing } = job
      if (!flight) continue
      if (awake < job.startedAt + timing.timeout - EARLY) flight.wake()
      else this.#land(job, flight.expire(timing.timeout))
    }
  }

  #land(job: Job, answer: ReturnType<Flight['expire']>): void {
    const { flight } = job
    if (!flight) return
    this.#stand(job)
    job.isSlow = answer.reason === 'timeout'
    if (answer.ok === null) this.#noVerdicts++
    const ms = this.#clock.now() - this.#stalledFor - job.startedAt
    this.#boardSoon()
    job.report(job.id, resultOf(answer, flight, ms))
  }
}

/** When a run next wants something of the clock: its alarm or its deadline. */
function turnOf(job: Job): number {
  const { timeout } = job.timing
  const alarm = job.flight?.wakeAt ?? timeout
  return job.startedAt + Math.min(alarm, timeout) - EARLY
}

function newJob(id: string, timing: Timing, begin: () => Flight, report: OnResult): Job {
  return {
    id,
    timing,
    begin,
    report,
    due: 0,
    place: -1,
    flight: null,
    isWaiting: false,
    startedAt: 0,
    nominal: 0,
    isSlow: false,
    lane: 'quick',
    spread: timing.firstIn > 0 ? 'done' : 'wanted',
    seat: -1,
  }
}

/** Stands for a run that did not even begin. */
const GROUNDED: Flight = {
  phase: null,
  phases: UNTRACED,
  wakeAt: Number.POSITIVE_INFINITY,
  wake: () => {},
  expire: () => noVerdict('never begun'),
  cancel: () => {},
}
