/**
 * The answers of a server that is well to one check: how long each takes, and which of them fail by themselves. They follow from
 * the seed and the number of the run. Failures and late answers are drawn by the runs between them, so the next runs that are
 * sure to pass are known, and can be counted instead of asked one by one.
 */
import { exponential, randomAt, streamOf } from '../util/random.js'

export interface AnswersParts {
  readonly seed: number
  /** Number of the check. */
  readonly check: number
  /** Mean time of an answer in milliseconds. */
  readonly mean: number
  /** Milliseconds; of a run that is sure to pass the answer takes no longer. 0: no run is sure. */
  readonly longest: number
  /** Probability that a run fails. */
  readonly failing: number
}

/** What a run finds while the server is well. */
export interface WellAnswer {
  readonly isFailure: boolean
  /** Milliseconds until the answer. */
  readonly after: number
}

/** Streams of a check beside those of the servers: times of answers; runs without a failure, or a late answer. */
const STREAMS = 3
const FIRST_STREAM = 0x4000_0000
const MOST = 1e9

export class Answers {
  readonly #parts: AnswersParts
  readonly #stream: number
  readonly #failures: Gaps
  readonly #late: Gaps
  /** Share of the answers that are late. */
  readonly #shareLate: number
  #run = 0

  constructor(parts: AnswersParts) {
    const { seed, check, mean, longest, failing } = parts
    const stream = (index: number) => streamOf(seed, FIRST_STREAM + STREAMS * check + index)
    this.#parts = parts
    this.#stream = stream(0)
    this.#failures = new Gaps(stream(1), failing)
    this.#shareLate = Math.exp(-longest / mean)
    this.#late = new Gaps(stream(2), this.#shareLate)
  }

  /** Number of next runs that are sure to pass within the longest time, while the server is well. */
  get sure(): number {
    return Math.min(this.#failures.left, this.#late.left, MOST)
  }

  /** Skips runs that are sure to pass. */
  skip(runs: number): void {
    this.#run += runs
    this.#failures.left -= runs
    this.#late.left -= runs
  }

  next(): WellAnswer {
    const isFailure = this.#failures.next()
    const { mean, longest } = this.#parts
    const random = randomAt(this.#stream, this.#run++)
    // The exponential distribution has no memory; the times that are not late are those below `longest`.
    const after = this.#late.next()
      ? longest + exponential(mean, random)
      : exponential(mean, random * (1 - this.#shareLate))
    return { isFailure, after }
  }

  /** Returns milliseconds until a server that is down refuses. */
  refusal(): number {
    return exponential(this.#parts.mean, randomAt(this.#stream, this.#run++))
  }
}

/** What happens to a share of the runs: the runs in between are geometrically distributed. */
class Gaps {
  readonly #stream: number
  readonly #share: number
  #place = 0
  /** Runs until the next time. */
  left: number

  constructor(stream: number, share: number) {
    this.#stream = stream
    this.#share = share
    this.left = this.#gap()
  }

  /** True if it happens to this run. */
  next(): boolean {
    if (this.left-- > 0) return false
    this.left = this.#gap()
    return true
  }

  #gap(): number {
    if (this.#share === 0) return Number.POSITIVE_INFINITY
    if (this.#share === 1) return 0
    const random = randomAt(this.#stream, this.#place++)
    return Math.floor(Math.log(1 - random) / Math.log1p(-this.#share))
  }
}
