/** A run that happens in a worker, as whoever keeps the time sees it. It may be begun anew elsewhere. */
import { type Answer, noVerdict } from '../check/check.js'
import { timedOut } from '../check/error-to-answer.js'
import type { OnDone, Run } from '../check/run.js'
import type { Phase, PhaseTime } from '../core/model.js'
import type { Clock } from '../util/clock.js'
import type { CheckRecord } from './check-record.js'
import { ROUNDS } from './messages.js'

/** Where a run has been sent. */
export interface Host {
  /** Milliseconds in which it stood still, in all, as far as it is known. */
  readonly lost: number
  /** The same, with what it has told since. */
  lostNow(): number
  /** Milliseconds for which it stands still now. */
  readonly stillFor: number
  /** How often its loop has come round; what it said before the last of them has been heard. */
  readonly rounds: number
  phaseOf(run: WorkerRun): Phase
  /** Has its loop come round as soon as it can. How often it has so far, heard or not. */
  comeRound(): number
  /** Nobody waits for the run any more. */
  abandon(run: WorkerRun): void
}

/**
 * How often over a run's time may be that its worker stands still: on a machine that never gives it its turn, a server that
 * hangs is found late, and not never.
 */
const MOST_LOST = 10

/** Milliseconds that a run may wait for a worker before it says that none came. */
const PATIENCE = 30_000

let count = 0

export class WorkerRun implements Run {
  readonly number = ++count
  readonly record: CheckRecord
  readonly timeout: number
  readonly traced: boolean
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
  /** Set with the answer. */
  #lost: number | null = null
  /** Where the worker's loop stood, and how long the run was held up, when the deadline came. */
  #deadline: { readonly rounds: number; readonly heldUp: number } | null = null
  #isOver = false

  constructor(record: CheckRecord, clock: Clock, { timeout, done, traced }: RunTerms) {
    this.record = record
    this.#clock = clock
    this.timeout = timeout
    this.traced = traced
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

  /** The time before it was sent, that in which its worker stood still, and that for which its answer is held back. */
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

  /** The deadline counts for what the worker reads: it is asked to come round, and has to before the run is judged. */
  catchUp(): boolean {
    if (this.#postedAt === null || this.#answeredAt !== null || !this.#host) return true
    const { rounds } = this.#host
    const { heldUp } = this
    // It has stood still since: that was another deadline.
    if (!this.#deadline || heldUp > this.#deadline.heldUp)
      this.#deadline = { rounds: this.#host.comeRound(), heldUp }
    return rounds >= this.#deadline.rounds + ROUNDS
  }

  wake(): void {}

  /** It waits at this host, or nowhere; nothing has been sent, or what was sent is lost. */
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

  /** The answer has come, which was given `age` milliseconds ago; it may be held back. */
  answered(age = 0): void {
    this.#phase = this.phase
    this.#lost = this.#lostMeanwhile()
    this.#answeredAt = Math.max(this.#postedAt ?? 0, this.#clock.now() - age)
  }

  land(answer: Answer): void {
    if (this.#isOver) return
    if (this.#answeredAt === null) this.answered()
    this.#isOver = true
    this.#done(answer)
  }

  expire(timeout: number): Answer {
    const isPosted = this.#postedAt !== null
    const answer = isPosted
      ? timedOut(this.phase, timeout)
      : noVerdict('no worker was ready to run the check')
    this.cancel()
    return answer
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
}
