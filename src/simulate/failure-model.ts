/**
 * Which servers fail, and when: the times of each server follow from the seed and its number alone. The same seed gives the same
 * failures to every configuration, however often it checks.
 */
import { down, up } from '../check/answer.js'
import { exponential, randomAt, streamOf } from '../util/random.js'
import { Answers } from './answers.js'
import type { FailureSpec } from './failure-spec.js'
import type { Outcome } from './simulated-run.js'

/** What a run has found, with the truth. */
export interface ModelledOutcome extends Outcome {
  /** True if the server was down when the run began. */
  readonly isDown: boolean
}

/** Called with the number of the server when it fails and when it is repaired; `at` is in milliseconds. */
export interface FailureListener {
  failed(server: number, at: number): void
  repaired(server: number, at: number): void
}

const PASSED = up('simulated')
const REFUSED = down('refused', 'simulated: the server is down')
const RESET = down('reset', 'simulated: a failure of one check')
const NEVER = Number.POSITIVE_INFINITY
/** Mean time of a slow answer, as a share of the time limit: one answer in twenty is late. */
const SLOWNESS = 1 / 3
/** An answer is late if it takes this many times the mean, which one in 22,000 does. */
const LATE = 10
/** Milliseconds: a deadline may be evaluated earlier by less than this. */
const MARGIN = 100
/** Places in the stream of a server before those of its times. */
const FLAPPING = 0
const SLOW = 1
const FIRST_TIME = 2

export class FailureModel {
  readonly #spec: FailureSpec
  readonly #seed: number
  readonly #listener: FailureListener
  readonly #isDown: Uint8Array
  readonly #isSilent: Uint8Array
  readonly #isFlapping: Uint8Array
  readonly #isSlow: Uint8Array
  /** Time of the next failure or repair. */
  readonly #next: Float64Array
  readonly #place: Uint32Array

  /** All servers are up at `start`. */
  constructor(
    spec: FailureSpec,
    {
      servers,
      seed,
      start,
      listener,
    }: {
      readonly servers: number
      readonly seed: number
      readonly start: number
      readonly listener: FailureListener
    },
  ) {
    this.#spec = spec
    this.#seed = seed
    this.#listener = listener
    this.#isDown = new Uint8Array(servers)
    this.#isSilent = new Uint8Array(servers)
    this.#isFlapping = new Uint8Array(servers)
    this.#isSlow = new Uint8Array(servers)
    this.#next = new Float64Array(servers)
    this.#place = new Uint32Array(servers).fill(FIRST_TIME)
    for (let server = 0; server < servers; server++) {
      const stream = this.#timesOf(server)
      this.#isFlapping[server] = randomAt(stream, FLAPPING) < spec.flapping ? 1 : 0
      this.#isSlow[server] = randomAt(stream, SLOW) < spec.slow ? 1 : 0
      this.#next[server] = start + this.#span(server)
    }
  }

  /** True if the server is down at this time; times must not go back. */
  isDown(server: number, now: number): boolean {
    this.follow(server, now)
    return this.#isDown[server] === 1
  }

  /** Returns the answers of a server to a check with this number. `interval` and `timeout` are in milliseconds. */
  answersOf(
    server: number,
    check: number,
    { interval, timeout }: { readonly interval: number; readonly timeout: number },
  ): Answers {
    const { latency, false: failing } = this.#spec
    const isSlow = this.#isSlow[server] === 1
    const longest = Math.max(0, Math.min(LATE * latency, timeout - MARGIN, interval / 2))
    const mean = isSlow ? timeout * SLOWNESS : latency
    return new Answers({ seed: this.#seed, check, mean, failing, longest: isSlow ? 0 : longest })
  }

  /** Milliseconds that an answer takes at most that is not late. */
  get longest(): number {
    return LATE * this.#spec.latency
  }

  /** Returns what a run finds that starts now. */
  outcome(server: number, now: number, answers: Answers): ModelledOutcome {
    if (this.isDown(server, now)) {
      const isSilent = this.#isSilent[server] === 1
      return { answer: REFUSED, after: isSilent ? NEVER : answers.refusal(), isDown: true }
    }
    const { isFailure, after } = answers.next()
    return { answer: isFailure ? RESET : PASSED, after, isDown: false }
  }

  /** Returns the time in milliseconds before which a server that is up at the last time asked does not fail; else null. */
  wellUntil(server: number): number | null {
    return this.#isDown[server] === 1 ? null : (this.#next[server] ?? NEVER)
  }

  /** Returns the time in milliseconds at which the server fails or is repaired next; Infinity: never. */
  nextChange(server: number): number {
    return this.#next[server] ?? NEVER
  }

  /** True if the last failure of the server up to the last time asked is one in which it does not answer at all. */
  isSilent(server: number): boolean {
    return this.#isSilent[server] === 1
  }

  /** Tells the listener all failures and repairs of the server up to this time. */
  follow(server: number, now: number): void {
    for (let at = this.#next[server] ?? NEVER; at <= now; at = this.#next[server] ?? NEVER) {
      const isDown = this.#isDown[server] === 0
      this.#isDown[server] = isDown ? 1 : 0
      if (isDown) {
        this.#isSilent[server] =
          randomAt(this.#timesOf(server), this.#takePlace(server)) < this.#spec.silent ? 1 : 0
        this.#listener.failed(server, at)
      } else this.#listener.repaired(server, at)
      this.#next[server] = at + this.#span(server)
    }
  }

  /** Milliseconds for which the server stays as it is. */
  #span(server: number): number {
    const { mttf, mttr, flap } = this.#spec
    const mean = this.#isFlapping[server] ? flap : this.#isDown[server] ? mttr : mttf
    return mean === NEVER
      ? NEVER
      : exponential(mean, randomAt(this.#timesOf(server), this.#takePlace(server)))
  }

  #timesOf(server: number): number {
    return streamOf(this.#seed, 2 * server)
  }

  #takePlace(server: number): number {
    const place = this.#place[server] ?? 0
    this.#place[server] = place + 1
    return place
  }
}
