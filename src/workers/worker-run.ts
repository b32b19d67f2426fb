/** A run in a worker, with the interface for the scheduler. It may be restarted in another worker. */
import { type Answer, type MarkedRun, noVerdict } from '../check/check.js'
import { timedOut } from '../check/error-to-answer.js'
import type { OnDone, Run } from '../check/run.js'
import type { Phase, PhaseTime } from '../core/model.js'
import type { Clock } from '../util/clock.js'
import type { CheckRecord } from './check-record.js'
import { ROUNDS } from './messages.js'

/** The worker to which a run was sent. */
export interface Host {
  /** Total milliseconds in which it stood still, as known at the last tick. */
  readonly lost: number
  /** The same, including what it has reported since. */
  lostNow(): number
  /** Milliseconds for which it has been standing still. */
  readonly stillFor: number
  /** Number of rounds of its event loop. All reports sent before the last one have been handled. */
  readonly rounds: number
  phaseOf(run: WorkerRun): Phase
  /** Asks for a report of the next rounds. Returns the current number of rounds, including those not handled yet. */
  comeRound(): number
  /** Nothing waits for the run any more. */
  abandon(run: WorkerRun): void
}

/**
 * Limits the lost time that is not counted to this multiple of the run's time limit. On a machine that never schedules
 * the worker, a hanging server is then detected late instead of never.
 */
const MOST_LOST = 10

/** Milliseconds that a run waits for a worker. After that it has no verdict. */
const PATIENCE = 30_000

/** Milliseconds between two calls of `catchUp` for the same deadline, at most: they come with each tick. */
const SAME_DEADLINE = 250
/** Further deadlines of a run: on a starved machine ticks may always be as late. */
const MOST_OTHERS = 4

let count = 0

export class WorkerRun implements Run {
  readonly number = ++count
  readonly record: CheckRecord
  readonly timeout: number
  readonly traced: boolean
  /** Text of the source address to bind to; null: the kernel chooses. */
  readonly source: string | null
  /** Set if it takes the path of a service. */
  readonly marked: MarkedRun | null
  readonly wakeAt = Number.POSITIVE_INFINITY
  phases: PhaseTime[] = []
  readonly #clock: Clock
  readonly #done: OnDone
  readonly #startedAt: number
  #host: Host | null = null
  #phase: Phase = 'run'
  #postedAt: number | null = null
  #answeredAt: number | null = null
  #lostBefore = 0
  /** Set together with the answer. */
  #lost: number | null = null
  /** Rounds of the worker's loop and time held up when the deadline was reached. */
  #deadline: { readonly rounds: number; readonly heldUp: number } | null = null
  /** When it was last asked whether all has been read. */
  #caughtUpAt = Number.NEGATIVE_INFINITY
  #others = 0
  #isOver = false

  constructor(record: CheckRecord, clock: Clock, terms: RunTerms) {
    const { timeout, done, traced, source = null, marked = null } = terms
    this.record = record
    this.#clock = clock
    this.timeout = timeout
    this.traced = traced
    this.source = source
    this.marked = marked
    this.#done = done
    this.#startedAt = clock.now()
  }

  get isOver(): boolean {
    return this.#isOver
  }

  get phase(): Phase {
    return this.#postedAt !== null && this.#answeredAt === null
      ? (this.#host?.phaseOf(this) ?? 'run')
      : this.#phase
  }

  /** Time that does not count: before the run was sent, while its worker stood still, and while its answer is held back. */
  get heldUp(): number {
    const now = this.#clock.now()
    if (this.#postedAt === null) {
      const waited = now - this.#startedAt
      return Math.min(PATIENCE, waited)
    }
    const since = this.#answeredAt === null ? 0 : now - this.#answeredAt
    return this.#postedAt - this.#startedAt + this.#lostMeanwhile() + since
  }

  #lostMeanwhile(): number {
    if (this.#lost !== null) return this.#lost
    const { lost = 0, stillFor = 0 } = this.#host ?? {}
    const sincePosted = this.#clock.now() - (this.#postedAt ?? 0)
    const lostSince = Math.max(0, lost - this.#lostBefore)
    return Math.min(sincePosted, lostSince + stillFor, MOST_LOST * this.timeout)
  }

  /** Asks for further rounds of the worker's loop. The deadline applies to data that the worker has read. */
  catchUp(): boolean {
    if (this.#postedAt === null || this.#answeredAt !== null || !this.#host) return true
    const { rounds } = this.#host
    const { heldUp } = this
    const now = this.#clock.now()
    // It was to be given up then, and went on.
    const isAnother = now - this.#caughtUpAt > SAME_DEADLINE && ++this.#others <= MOST_OTHERS
    this.#caughtUpAt = now
    // The worker has stood still since then, so the deadline has moved.
    if (!this.#deadline || isAnother || heldUp > this.#deadline.heldUp)
      this.#deadline = { rounds: this.#host.comeRound(), heldUp }
    return rounds >= this.#deadline.rounds + ROUNDS
  }

  wake(): void {}

  /** Resets the run. It waits for this host, or for any; nothing has been sent, or what was sent is lost. */
  hold(host: Host | null): void {
    this.#host = host
    this.#postedAt = null
    this.#answeredAt = null
    this.#lost = null
    this.#deadline = null
    this.#phase = 'run'
    this.phases = []
  }

  posted(): void {
    this.#postedAt = this.#clock.now()
    this.#lostBefore = this.#host?.lostNow() ?? 0
  }

  /** Records that the answer has arrived, which was given `age` milliseconds ago. It may still be held back. */
  answered(age = 0): void {
    this.#phase = this.phase
    this.#lost = this.#lostMeanwhile()
    this.#answeredAt = Math.max(this.#postedAt ?? 0, this.#clock.now() - age)
  }

  land(answer: Answer): void {
    if (this.#isOver) return
    if (this.#answeredAt === null) {
      this.#endPhase()
      this.answered()
    }
    this.#isOver = true
    this.#done(answer)
  }

  expire(timeout: number): Answer {
    const isPosted = this.#postedAt !== null
    const answer = isPosted
      ? timedOut(this.phase, timeout)
      : noVerdict('no worker was ready to run the check')
    if (!this.#isOver && this.#answeredAt === null) this.#endPhase()
    this.cancel()
    return answer
  }

  /** The phase in which the core ends the run ends with it. The worker has told only those that have passed. */
  #endPhase(): void {
    if (!this.traced || this.#postedAt === null) return
    const { phase } = this
    // The worker may have told the end of a phase, and not yet the next one.
    if (this.phases.at(-1)?.phase === phase) this.phases.pop()
    this.phases.push({ phase, ms: Math.max(0, this.#clock.now() - this.#startedAt - this.heldUp) })
  }

  /** The worker tells the end of a phase. Those from that place on were of a probe that has left the verdict to code. */
  passed(time: PhaseTime, place: number): void {
    this.phases.splice(place, this.phases.length, time)
  }

  cancel(): void {
    if (this.#isOver) return
    if (this.#answeredAt === null) this.answered()
    this.#isOver = true
    this.#host?.abandon(this)
  }
}

export interface RunTerms {
  readonly timeout: number
  readonly done: OnDone
  readonly traced: boolean
  readonly source?: string | null
  readonly marked?: MarkedRun | null
}
